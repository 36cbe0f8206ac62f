import { createHash } from 'node:crypto'
import type { MemoryEntry } from './memory-rootfs.js'

/** The same bytes for the same name, every time. */
export function noise(length: number, name: string): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = createHash('sha256').update(name).digest().readUInt32LE(0) | 1
  for (let index = 0; index < words.length; index++) {
    // xorshift32
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return Buffer.from(words.buffer, 0, length)
}

/** An access control list as the system call takes it: version 2, user 1000 may read. */
export const ACL = Buffer.from(
  '02000000' + '01000600ffffffff' + '02000400e8030000' + '04000400ffffffff' + '10000400ffffffff' + '20000000ffffffff',
  'hex',
)
/** cap_net_raw+ep, version 2. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex')

const attributes = (more: Record<string, string | Buffer>): ReadonlyMap<string, Uint8Array> =>
  new Map(Object.entries(more).map(([name, value]) => [name, Buffer.from(value)]))

/** One of everything that a tree can hold. */
export function everything(): MemoryEntry[] {
  const long = 'a name of two hundred and fifty-five bytes '.repeat(6).slice(0, 255)
  return [
    { path: '', type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 1_600_000_000, nanoseconds: 1 } },
    { path: 'files/empty', type: 'file' },
    {
      path: 'files/one-byte',
      type: 'file',
      content: Buffer.from('x'),
      mode: 0o4755,
      uid: 4_294_967_294,
      gid: 3_000_000_000,
    },
    { path: 'files/block', type: 'file', content: noise(4096, 'block'), mode: 0o2750, uid: 65_536, gid: 65_535 },
    { path: 'files/block-and-one', type: 'file', content: noise(4097, 'more') },
    { path: 'files/large', type: 'file', content: noise(3_000_001, 'large') },
    { path: 'files/first', type: 'file', content: noise(5000, 'link') },
    { path: 'files/second', type: 'file', linkTo: 'files/first' },
    { path: 'another/third', type: 'file', linkTo: 'files/first' },
    { path: 'times/before-1970', type: 'file', mtime: { seconds: -2, nanoseconds: 500_000_000 } },
    { path: 'times/1901', type: 'file', mtime: { seconds: -(2 ** 31), nanoseconds: 0 } },
    { path: 'times/2038', type: 'file', mtime: { seconds: 2 ** 31, nanoseconds: 999_999_999 } },
    { path: 'times/2106', type: 'file', mtime: { seconds: 2 ** 32, nanoseconds: 7 } },
    { path: 'times/2446', type: 'file', mtime: { seconds: 15_032_385_535, nanoseconds: 999_999_999 } },
    { path: 'links/fast', type: 'symlink', linkTarget: '../files/large' },
    { path: 'links/longest-fast', type: 'symlink', linkTarget: 'f'.repeat(59) },
    { path: 'links/shortest-slow', type: 'symlink', linkTarget: 's'.repeat(60) },
    { path: 'links/longest', type: 'symlink', linkTarget: '0123456789/'.repeat(400).slice(0, 4095) },
    { path: 'links/odd-\udcff', type: 'symlink', linkTarget: 'raw \udcfe byte' },
    { path: 'links/first', type: 'symlink', linkTarget: 'one inode, two names' },
    { path: 'links/second', type: 'symlink', linkTo: 'links/first' },
    { path: 'dev/null', type: 'character', mode: 0o666, device: { major: 1, minor: 3 } },
    { path: 'dev/large', type: 'character', mode: 0o600, device: { major: 4095, minor: 1_048_575 } },
    { path: 'dev/new', type: 'block', mode: 0o660, device: { major: 8, minor: 256 } },
    { path: 'dev/old', type: 'block', mode: 0o660, device: { major: 255, minor: 255 } },
    { path: 'run/pipe', type: 'fifo', mode: 0o622 },
    { path: 'run/socket', type: 'socket', mode: 0o777 },
    { path: 'tmp', type: 'directory', mode: 0o1777 },
    { path: `names/${long}`, type: 'file', content: Buffer.from('long') },
    { path: 'names/ünïcödé €\u{1f600}', type: 'file' },
    { path: 'names/not utf-8 \udc80\udcff', type: 'directory' },
    { path: 'names/not utf-8 \udc80\udcff/below', type: 'file' },
    { path: 'names/new\nline', type: 'file' },
    { path: 'names/back\\slash', type: 'file' },
    { path: 'xattrs/capability', type: 'file', xattrs: attributes({ 'security.capability': CAPABILITY }) },
    { path: 'xattrs/empty', type: 'file', xattrs: attributes({ 'user.empty': '' }) },
    { path: 'xattrs/binary', type: 'file', xattrs: attributes({ 'user.binary': Buffer.from([0, 255, 10, 0]) }) },
    {
      path: 'xattrs/many',
      type: 'file',
      xattrs: attributes({
        'user.long-value': noise(1000, 'value'),
        'user.b': 'bb',
        'user.a': 'a',
        'user.aa': 'aa',
        'trusted.overlay.opaque': 'y',
        'security.selinux': 'system_u:object_r:bin_t:s0\0',
        'user.größe': 'ü',
        'system.posix_acl_access': ACL,
        'security.capability': CAPABILITY,
      }),
      content: noise(10_000, 'attributes'),
      mode: 0o640,
    },
    ...Array.from({ length: 3 }, (_, index) => ({
      path: `xattrs/shared-${index}`,
      type: 'file' as const,
      xattrs: attributes({ 'user.shared': noise(500, 'shared') }),
    })),
    { path: 'xattrs/largest', type: 'file', xattrs: attributes({ 'user.largest': noise(4096 - 36 - 24, 'largest') }) },
    {
      path: 'xattrs/folder',
      type: 'directory',
      mode: 0o740,
      xattrs: attributes({ 'system.posix_acl_default': ACL, 'user.folder': 'f' }),
    },
    { path: 'xattrs/link', type: 'symlink', linkTarget: 'empty', xattrs: attributes({ 'trusted.link': 'l' }) },
    {
      path: 'xattrs/device',
      type: 'character',
      device: { major: 1, minor: 5 },
      xattrs: attributes({ 'security.selinux': 'd' }),
    },
  ]
}

/** Files whose holes matter: at the start, between, at the end, within a block; and more runs than fit one extent node. */
export function sparse(): MemoryEntry[] {
  return [
    { path: 'all-hole', type: 'file', content: { size: 10_000_000, extents: [] } },
    {
      path: 'start',
      type: 'file',
      content: { size: 100_000, extents: [{ offset: 50_000, data: noise(50_000, 'start') }] },
    },
    { path: 'end', type: 'file', content: { size: 100_000, extents: [{ offset: 0, data: noise(1, 'end') }] } },
    {
      path: 'inside-a-block',
      type: 'file',
      content: {
        size: 4096,
        extents: [
          { offset: 10, data: noise(10, 'a') },
          { offset: 100, data: noise(10, 'b') },
          { offset: 4000, data: noise(96, 'c') },
        ],
      },
    },
    {
      path: 'many-runs',
      type: 'file',
      content: {
        size: 3000 * 8192,
        extents: Array.from({ length: 3000 }, (_, run) => ({ offset: run * 8192, data: noise(64, `run ${run}`) })),
      },
    },
  ]
}

/** A file with bytes on both sides of 4 GiB. */
export const ABOVE_4_GIB: MemoryEntry = {
  path: 'above-4-gib',
  type: 'file',
  content: {
    size: 5 * 2 ** 30 + 1,
    extents: [
      { offset: 0, data: noise(5000, 'low') },
      { offset: 4 * 2 ** 30 - 4000, data: noise(9000, 'middle') },
      { offset: 5 * 2 ** 30, data: noise(1, 'high') },
    ],
  },
}
