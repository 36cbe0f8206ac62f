import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { findAbandoned, makeTemporaryFolder, type TemporaryFolder } from '@c2m/process'

const PREFIX = 'c2m-qemu'

/** A folder for one guest's files; what a killed run left is swept first. */
export async function makeGuestFolder(): Promise<TemporaryFolder> {
  for (const path of await findAbandoned(tmpdir(), PREFIX)) {
    await rm(path, { recursive: true, force: true }).catch(() => undefined) // another user's
  }
  return makeTemporaryFolder(tmpdir(), PREFIX)
}
