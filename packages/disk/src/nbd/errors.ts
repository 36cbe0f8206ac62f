import { C2mError } from '@c2m/process'

/** @param what what the server did, e.g. 'sent a reply that nobody asked for' */
export function protocolError(what: string): C2mError {
  return new C2mError('C2M_NBD_PROTOCOL', `the NBD server ${what}`, {
    hint: 'this is no fault of the disk; report it together with the version of qemu-nbd',
  })
}

export function connectionLost(cause?: unknown): C2mError {
  return new C2mError('C2M_NBD_LOST', 'the connection to the NBD server was lost', {
    hint: 'qemu-nbd was ended from outside, or the machine ran out of memory; try again',
    cause,
  })
}
