import { isIP } from 'node:net'
import { C2mError } from '@c2m/process'

/** Name of the virtio-serial port through which a guest tells that it is up: /dev/virtio-ports/… in the guest. */
export const VERIFICATION_CHANNEL = 'org.c2m.verify'

/** What a guest says of itself once its boot is finished. */
export interface Verification {
  /** As `systemctl is-system-running` prints it: running, degraded, maintenance, … */
  readonly state: string
  readonly failed: readonly string[]
  readonly root: 'rw' | 'ro'
  /** IP addresses in the guest's order, without zones and prefixes. */
  readonly addresses: readonly string[]
  /** Seconds since the guest's kernel started. */
  readonly uptime: number
}

const MESSAGE_LIMIT = 64 * 1024
const HEADER = 'c2m-verify 1'
const END = 'end'

/**
 * Reads the guest's message as it comes. The guest is not trusted: anything but this grammar is refused.
 *
 *   c2m-verify 1 LF                 first line: the protocol and its version
 *   state=WORD LF                   the five fields, each once, in any order; at most 64 KiB in all
 *   failed=[UNIT [SP UNIT]...] LF
 *   root=rw|ro LF
 *   addresses=[IP [SP IP]...] LF
 *   uptime=SECONDS LF               with up to six decimals
 *   end LF
 */
export class VerificationReader {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #text = ''

  /** @returns the message once it is complete. @throws C2M_VERIFY_MESSAGE */
  push(chunk: Uint8Array): Verification | undefined {
    try {
      this.#text += this.#decoder.decode(chunk, { stream: true })
    } catch {
      throw malformed('it is not UTF-8')
    }
    const end = this.#text.indexOf(`\n${END}\n`)
    if (this.#text.length > MESSAGE_LIMIT) throw malformed(`it is longer than ${MESSAGE_LIMIT} characters`)
    const expected = `${HEADER}\n`
    if (!this.#text.startsWith(expected.slice(0, this.#text.length)))
      throw malformed(`it begins with ${quote(this.#text)}`)
    return end === -1 ? undefined : parseVerification(this.#text.slice(0, end))
  }
}

/** @param text the message without its last line. @throws C2M_VERIFY_MESSAGE */
function parseVerification(text: string): Verification {
  const fields = new Map<string, string>()
  for (const line of text.split('\n').slice(1)) {
    const equals = line.indexOf('=')
    const name = line.slice(0, Math.max(equals, 0))
    if (!FIELDS.includes(name)) throw malformed(`${quote(line)} is none of its fields`)
    if (fields.has(name)) throw malformed(`${name} is given twice`)
    fields.set(name, line.slice(equals + 1))
  }
  const get = (name: string, pattern: RegExp): string => {
    const value = fields.get(name)
    if (value === undefined) throw malformed(`${name} is missing`)
    if (!pattern.test(value)) throw malformed(`${quote(value)} is no value for ${name}`)
    return value
  }
  const addresses = words(get('addresses', /^[0-9A-Fa-f.: ]*$/))
  const wrong = addresses.find((address) => isIP(address) === 0)
  if (wrong !== undefined) throw malformed(`${quote(wrong)} is no address`)
  return {
    state: get('state', /^[a-z-]{1,32}$/),
    // systemd.unit(5): letters, digits and :-_.\ with @ for instances
    failed: words(get('failed', /^[A-Za-z0-9:_.\\@ -]*$/)),
    root: get('root', /^r[wo]$/) as 'rw' | 'ro',
    addresses,
    uptime: Number(get('uptime', /^\d{1,9}(\.\d{1,6})?$/)),
  }
}

const FIELDS: readonly string[] = ['state', 'failed', 'root', 'addresses', 'uptime']

/** Why the guest is not as it should be; empty when it is. */
export function shortcomings(verification: Verification, networkExpected: boolean): string[] {
  const { state, failed, root, addresses } = verification
  const found: string[] = []
  if (failed.length > 0) found.push(`failed units: ${failed.join(', ')}`)
  if (state !== 'running') found.push(`the system's state is '${state}'`)
  if (root !== 'rw') found.push('the root file system is mounted read-only')
  if (networkExpected && !addresses.some(isReachable)) found.push('the network is not up: the guest has no address')
  return found
}

/** Neither loopback nor link-local (RFC 6890). */
function isReachable(address: string): boolean {
  return !/^(127\.|169\.254\.|0\.0\.0\.0$|::1?$|fe[89ab][0-9a-f]:)/i.test(address)
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}

function malformed(because: string): C2mError {
  return new C2mError('C2M_VERIFY_MESSAGE', `the guest's verification message is not understood: ${because}`, {
    hint: 'the disk may have been made by another version of c2m; make it again',
  })
}
