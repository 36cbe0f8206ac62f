import { C2mError } from '@c2m/process'

/** A tar that cannot be read, at a byte offset of the archive. */
export function tarFault(code: string, what: string, offset: number): C2mError {
  return new C2mError(code, `the tar archive ${what} at byte ${offset}`, {
    hint: 'it is damaged, incomplete, or no tar archive (a compressed one must be unpacked first)',
  })
}
