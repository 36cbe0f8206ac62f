import { C2mError, ExitCode } from '@c2m/process'

const MIB = 1024 * 1024

/** Options that cannot be: C2M_EXT4_OPTION. */
export function optionError(message: string, hint: string): C2mError {
  return new C2mError('C2M_EXT4_OPTION', message, { hint, exitCode: ExitCode.usage })
}

/** A tree that breaks the contract of Rootfs: C2M_EXT4_TREE. */
export function treeError(path: string, why: string): C2mError {
  return new C2mError('C2M_EXT4_TREE', `the tree cannot be written as ext4: ${quotePath(path)} ${why}`, {
    hint: 'the source of this tree is damaged or hostile; look at it with other tools',
  })
}

/** What ext4 with these features cannot hold: C2M_EXT4_UNSTORABLE. */
export function unstorable(path: string, why: string, hint: string): C2mError {
  return new C2mError('C2M_EXT4_UNSTORABLE', `ext4 cannot hold ${quotePath(path)}: ${why}`, { hint })
}

/** C2M_EXT4_NO_SPACE; sizes in bytes. */
export function noSpace(needed: number, there: number): C2mError {
  const message = `the file system needs ${mebibytes(needed)} MiB, there are ${mebibytes(there, Math.floor)} MiB`
  return new C2mError('C2M_EXT4_NO_SPACE', message, { hint: 'give a larger --size, or --size auto' })
}

/** A path in a message: quoted, control characters escaped, not endless. */
export function quotePath(path: string): string {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path
  return JSON.stringify(`/${shown}`)
}

function mebibytes(bytes: number, round = Math.ceil): string {
  return String(round((bytes / MIB) * 10) / 10)
}
