import { optionError } from './errors.js'

/** The 16 bytes of a UUID as text (RFC 9562 section 4). @throws C2M_EXT4_OPTION */
export function parseUuid(text: string, what: string): Buffer {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw optionError(`${what} ${JSON.stringify(text)} is not a UUID`, 'write it as 8-4-4-4-12 hexadecimal digits')
  }
  return Buffer.from(text.replaceAll('-', ''), 'hex')
}
