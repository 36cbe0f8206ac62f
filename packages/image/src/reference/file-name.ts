import { lstatSync } from 'node:fs'

/** What tar(1) gives its archives, compressed or not. */
const TAR = /\.(?:tar|tgz|tbz2?|txz|tzst|tar\.(?:gz|bz2|xz|zst|zstd))$/i

/**
 * Files that hold disks, file systems, archives or what compressors make of them; also with more behind, as of parts,
 * checksums and earlier copies.
 */
const CONTAINERS =
  /\.(?:tar|tgz|tbz2?|txz|tzst|img|raw|iso|bin|dd|dump|qcow2?|qed|vdi|vmdk|vhdx?|hdd|ova|ovf|ext[234]|squashfs|erofs|cpio|zip|7z|rar|gz|bz2|xz|zst|zstd|lz4|lzma)(?:\.[^/:@]*)?$/i

export function isTarName(text: string): boolean {
  return TAR.test(text)
}

/** A name without the ending that its kind of file has. */
export function withoutTarEnding(name: string): string {
  return name.replace(TAR, '')
}

/**
 * Whether text without a transport means a file: it is written as a path, or has the ending of a disk or an archive, or
 * something of that name is there. The name of a file is never sent to a registry.
 */
export function isFileName(text: string): boolean {
  return isWrittenAsFile(text) || isThere(text)
}

export function isWrittenAsFile(text: string): boolean {
  // as in NAME:TAG@DIGEST, in which a layout or archive may be named
  const bare = text.replace(/@[^@/]*$/, '').replace(/:[^:/]*$/, '')
  const isPath = /^(?:[/~]|\.{1,2}(?:\/|$))|\/$/.test(text)
  return isPath || CONTAINERS.test(text) || CONTAINERS.test(bare)
}

/** Also a link that leads nowhere. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false // no part of it can be looked at
  }
}
