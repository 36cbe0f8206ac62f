import { stat } from 'node:fs/promises'
import { usageError } from './errors.js'

/**
 * An output never takes the place of what it is made of, whatever else may be replaced: the same file under another
 * spelling, by a symlink or by a hard link counts.
 * @param inputs asked for only when there is something to replace; '-' is standard input, undefined and what is not there
 *   are no files
 * @throws C2M_OUTPUT_IS_INPUT (usage)
 */
export async function refuseSameFile(
  output: string,
  inputs: () => Promise<readonly (string | undefined)[]>,
): Promise<void> {
  const own = await identity(output)
  if (own === undefined) return
  for (const input of await inputs()) {
    if (input === undefined || (await identity(input === '-' ? '/dev/stdin' : input)) !== own) continue
    throw usageError(
      'C2M_OUTPUT_IS_INPUT',
      `${output} cannot be replaced: ${input}, which is read, is the same file`,
      'choose another output; --force does not replace what is read',
    )
  }
}

async function identity(path: string): Promise<string | undefined> {
  // what cannot be looked at is told of by whoever opens it
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}
