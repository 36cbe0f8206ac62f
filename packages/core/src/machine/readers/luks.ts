import { isC2mError, requireTool, run, type CleanupStack } from '@c2m/process'
import type { ReaderContext } from '../reader.js'
import { insist, releaseHolders, settle } from './kernel-device.js'
import { readPassphrase, wrongPassphrase } from './passphrase.js'

/** cryptsetup's exit code for a passphrase that no keyslot takes (cryptsetup(8), "Return codes"). */
const NO_PERMISSION = 2
/** The same, for a device that is not there. */
const NO_DEVICE = 4

/**
 * Opens an encrypted volume read-only with the passphrase of the user's file, else with one asked for on the terminal.
 * @param shown the volume in messages
 * @returns the device of its content; undefined when there is nobody to ask
 * @throws C2M_TOOL_MISSING, C2M_PASSPHRASE, C2M_COMMAND_FAILED, C2M_FILE_…, C2M_INTERRUPTED
 */
export async function openLuks(
  device: string,
  name: string,
  shown: string,
  { passphraseFile, env, signal, reporter }: ReaderContext,
  cleanup: CleanupStack,
): Promise<string | undefined> {
  if (passphraseFile === undefined && !process.stdin.isTTY) return undefined
  const cryptsetup = await requireTool('cryptsetup', 'opening an encrypted volume', 'cryptsetup-bin')
  const args = ['open', '--type=luks', '--readonly', device, name]
  const options = { env: { ...env, LC_ALL: 'C' }, signal, accept: [0, NO_PERMISSION] }
  const content = `/dev/mapper/${name}`
  cleanup.defer(() =>
    insist(async () => {
      await releaseHolders(content)
      await run(cryptsetup, ['close', name], { accept: [0, NO_DEVICE] })
    }),
  )
  if (passphraseFile === undefined) reporter.info(`${shown} is encrypted`)
  const { exitCode } =
    passphraseFile === undefined
      ? await run(cryptsetup, args, { ...options, terminal: true })
      : await run(cryptsetup, ['--key-file=-', ...args], { ...options, input: await readPassphrase(passphraseFile) })
  if (exitCode === NO_PERMISSION) throw wrongPassphrase(shown)
  await settle()
  return content
}

export function isWrongPassphrase(error: unknown): boolean {
  return isC2mError(error) && error.code === 'C2M_PASSPHRASE'
}
