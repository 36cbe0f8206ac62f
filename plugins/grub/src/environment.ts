/**
 * An empty environment block (GRUB manual, "The GRUB environment block"): exactly 1024 bytes, so that GRUB, which cannot
 * allocate blocks, can write its variables in place.
 *
 *     # GRUB Environment Block\n
 *     ######## … to the end
 */
export function environmentBlock(): string {
  return '# GRUB Environment Block\n'.padEnd(1024, '#')
}
