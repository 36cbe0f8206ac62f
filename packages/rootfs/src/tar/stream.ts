import type { Extent } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { tarFault } from './fault.js'
import type { StoredMember, TarMember } from './member.js'
import { readMembers, type TarReadOptions } from './reader.js'
import { StreamSource } from './source.js'

const PIECE = 1024 * 1024

/**
 * Reads an archive as it comes. A member's body may be read until the next member is asked for, or left alone. After the
 * archive's end the rest of the source is read and dropped, so that its writer can finish.
 * @throws C2M_TAR_… when it is damaged, incomplete or no tar archive
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  options: TarReadOptions = {},
): AsyncGenerator<TarMember> {
  const bytes = new StreamSource(source)
  try {
    for await (const member of readMembers(bytes, options)) yield { ...member, body: bodyOf(member, bytes) }
    await bytes.drain()
  } finally {
    await bytes.close()
  }
}

async function* bodyOf(member: StoredMember, source: StreamSource): AsyncGenerator<Extent> {
  if (source.position !== member.bodyOffset && member.storedSize > 0) {
    throw new C2mError('C2M_BODY_PASSED', `the body of ${JSON.stringify(member.path)} was asked for too late`, {
      hint: 'read a body before asking for the next member',
    })
  }
  for (const run of member.sparse ?? [{ offset: 0, length: member.storedSize }]) {
    for (let done = 0; done < run.length;) {
      const data = await source.piece(Math.min(run.length - done, PIECE))
      if (data.length === 0) throw tarFault('C2M_TAR_TRUNCATED', 'ends too early,', source.position)
      yield { offset: run.offset + done, data }
      done += data.length
    }
  }
}
