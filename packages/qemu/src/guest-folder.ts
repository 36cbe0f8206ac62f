import { tmpdir } from 'node:os'
import { makeSweptFolder, type TemporaryFolder } from '@c2m/process'

/** A folder for one guest's files. */
export function makeGuestFolder(): Promise<TemporaryFolder> {
  return makeSweptFolder(tmpdir(), 'c2m-qemu')
}
