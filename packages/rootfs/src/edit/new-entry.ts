import type { NewBody, NewEntry, Timestamp } from '@c2m/plugin-api'
import { C2mError } from '@c2m/process'
import { NO_XATTRS } from '../tar/member.js'
import type { Metadata } from '../tree/node.js'
import { bodySize } from './overlay-node.js'

const MAX_ID = 0xffffffff

/** @throws C2M_EDIT when type, body and the other fields do not fit together */
export function metadataOf(entry: NewEntry, body: NewBody | undefined, time: Timestamp): Metadata {
  const { type, mode, uid = 0, gid = 0, mtime = time, linkTarget, device, xattrs = NO_XATTRS } = entry
  const isDevice = type === 'character' || type === 'block'
  if (body !== undefined && type !== 'file') throw invalid(entry, `a ${type} has no body`)
  if ((type === 'symlink') !== (linkTarget !== undefined))
    throw invalid(entry, 'a symlink has a target, others have none')
  if (isDevice !== (device !== undefined)) throw invalid(entry, 'a device has a number, others have none')
  if (!isWithin(mode, 0o7777)) throw invalid(entry, `its mode is ${mode}`)
  if (!isWithin(uid, MAX_ID) || !isWithin(gid, MAX_ID)) throw invalid(entry, `its owner is ${uid}:${gid}`)
  return { type, mode, uid, gid, mtime, size: bodySize(body), linkTarget, device, xattrs }
}

function isWithin(value: number, highest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= highest
}

function invalid(entry: NewEntry, because: string): C2mError {
  return new C2mError('C2M_EDIT', `cannot put ${JSON.stringify(entry.path)} into the tree: ${because}`, {
    hint: 'this is a fault of the step or plugin that writes it',
  })
}
