import { makeSweptFolder, temporaryParent, type TemporaryFolder } from '@c2m/process'

/** A folder for one guest's files. */
export async function makeGuestFolder(): Promise<TemporaryFolder> {
  return makeSweptFolder(await temporaryParent(), 'c2m-qemu')
}
