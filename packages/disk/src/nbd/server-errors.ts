import { C2mError, interrupted, isC2mError, lastLines } from '@c2m/process'
import { diskInUse } from '../open/in-use.js'
import type { ServerEnd } from './server-process.js'

const LINES = 3

export function interruptedOr(signal: AbortSignal | undefined, error: unknown): unknown {
  return signal?.aborted === true ? interrupted() : error
}

/** Why qemu-nbd ended before it served the disk, in terms of the disk. */
export function startError({ error, said }: ServerEnd, shown: string): unknown {
  if (error !== undefined && !(isC2mError(error) && error.code === 'C2M_COMMAND_FAILED')) return error
  const text = error?.message ?? said
  if (/Failed to get .*lock|Is another process using the image/.test(text)) return diskInUse(shown, error)
  if (/log that needs to be replayed/.test(text)) {
    return new C2mError('C2M_DISK_UNCLEAN', `${shown} was not closed cleanly: its log holds changes to its tables`, {
      hint: 'start and shut down its machine, or replay the log of a copy: qemu-img check -r all',
      cause: error,
    })
  }
  return new C2mError('C2M_DISK_OPEN', `qemu-nbd cannot open ${shown}: ${shorten(text)}`, {
    hint: 'check the image with qemu-img check',
    cause: error,
  })
}

/**
 * Why qemu-nbd ended the connection: it does so, too, when it cannot read a part of the disk, and then exits as if all
 * were well.
 * @param lost the error of the connection
 */
export function lossError({ error, said }: ServerEnd, shown: string, lost: unknown): unknown {
  if (error !== undefined) return error
  if (said.trim() === '') return lost
  return new C2mError('C2M_DISK_READ', `${shown} cannot be read: ${shorten(said)}`, {
    hint: 'the image is damaged or its storage fails; try qemu-img check',
    cause: lost,
  })
}

/** One line, without QEMU's repetition of the whole description of the disk. */
function shorten(text: string): string {
  return lastLines(text, LINES)
    .replace(/qemu-nbd: |Failed to blk_new_open 'json:.*': /g, '')
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim()
}
