import { open } from 'node:fs/promises'
import { C2mError, ExitCode, fileError } from '@c2m/process'

/** More than any volume's keyslot takes (cryptsetup(8): 512 bytes interactively). */
const MOST_BYTES = 8192

/** The passphrase in a file: all of it, without the line's end that editors and echo add. @throws C2M_FILE_…, C2M_PASSPHRASE */
export async function readPassphrase(path: string): Promise<Buffer> {
  const bytes = await readStart(path).catch((error: unknown) => {
    throw fileError(error, path, 'read')
  })
  const text = bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes
  if (text.length > 0 && text.length <= MOST_BYTES) return text
  throw new C2mError('C2M_PASSPHRASE', `${path} holds no passphrase: it has ${text.length} bytes`, {
    hint: 'put the passphrase into it, in one line',
    exitCode: ExitCode.usage,
  })
}

async function readStart(path: string): Promise<Buffer> {
  await using file = await open(path)
  const chunks: Buffer[] = []
  let size = 0
  // a pipe, as of <(command), gives its content by and by
  for await (const chunk of file.createReadStream({ end: MOST_BYTES + 1 })) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size > MOST_BYTES + 1) break
  }
  return Buffer.concat(chunks)
}

export function wrongPassphrase(device: string): C2mError {
  return new C2mError('C2M_PASSPHRASE', `the passphrase does not open ${device}`, {
    hint: 'give the file with its passphrase: --passphrase-file FILE',
  })
}

export function missingPassphrase(device: string): C2mError {
  return new C2mError('C2M_PASSPHRASE', `${device} is encrypted`, {
    hint: 'give a file with its passphrase: --passphrase-file FILE',
    exitCode: ExitCode.usage,
  })
}
