/** Block size this writer makes, in bytes. */
export const BLOCK_SIZE = 4096
/** One bitmap block covers one group. */
export const BLOCKS_PER_GROUP = 8 * BLOCK_SIZE
export const INODE_SIZE = 256
export const INODES_PER_BLOCK = BLOCK_SIZE / INODE_SIZE
/** One inode bitmap block covers one group. */
export const MAX_INODES_PER_GROUP = 8 * BLOCK_SIZE
/** i_blocks counts in units of 512 bytes. */
export const SECTORS_PER_BLOCK = BLOCK_SIZE / 512
/** Block numbers stay below 2^32: 16 TiB. */
export const MAX_BLOCKS = 2 ** 32 - 1
/** Names of one inode, and subdirectories of one directory (EXT4_LINK_MAX). */
export const LINK_MAX = 65_000

/** Kernel documentation: filesystems/ext4, "Special inodes". */
export const ROOT_INODE = 2
export const RESIZE_INODE = 7
export const JOURNAL_INODE = 8
/** The first inode that is free for use; by custom lost+found. */
export const FIRST_INODE = 11
