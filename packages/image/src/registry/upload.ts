import { C2mError, isC2mError, throwIfAborted } from '@c2m/process'
import { sha256 } from '../manifest/digest.js'
import { isUnreachable, leadsTo, pause, type HttpContext } from './http.js'
import { pushRefused } from './push-error.js'
import type { Session } from './session.js'

/** A blob whose bytes can be read from any place. */
export interface UploadBlob {
  readonly digest: string
  /** Bytes. */
  readonly size: number
  open(from: number): AsyncIterable<Uint8Array>
}

export interface UploadContext extends HttpContext {
  readonly session: Session
  /** 'HOST/REPOSITORY', for messages. */
  readonly origin: string
}

const ATTEMPTS_WITHOUT_PROGRESS = 5
/** Milliseconds in which no byte is taken after which a connection counts as broken. */
const STALL = 120_000

/** An upload that the registry has opened, and how much of it is there. */
interface Upload {
  readonly location: URL
  readonly position: number
}

/** Whether the repository has the blob (distribution-spec, "Checking if content exists in the registry"). */
export async function hasBlob(digest: string, { session, origin }: UploadContext): Promise<boolean> {
  const response = await session.request(`blobs/${digest}`, { method: 'HEAD', headers: {} })
  if (response.status === 200) return true
  // the status of others says nothing of this blob
  if (response.status === 404 || response.status === 400 || response.status === 405) return false
  throw await pushRefused(response, session, origin, 'asked for a blob')
}

/**
 * Opens an upload (distribution-spec, "POST then PUT"), or has the registry take the blob from another repository
 * ("Mounting a blob from another repository").
 * @returns where to upload to; 'mounted' when there is nothing to upload any more
 * @throws C2M_REGISTRY_…
 */
export async function startUpload(
  context: UploadContext,
  mount?: { readonly digest: string; readonly from: string },
): Promise<URL | 'mounted'> {
  const { session, origin } = context
  const query = mount === undefined ? '' : `?mount=${mount.digest}&from=${encodeURIComponent(mount.from)}`
  const response = await session.request(`blobs/uploads/${query}`, {
    method: 'POST',
    headers: { 'content-length': '0' },
  })
  const isMounted = response.status === 201 && mount !== undefined
  const location = response.status === 202 ? locationOf(response, session) : undefined
  if (!isMounted && location === undefined) throw await pushRefused(response, session, origin, 'asked to take a blob')
  await response.body?.cancel()
  return location ?? 'mounted'
}

/**
 * Uploads a blob: one streamed PATCH, then PUT with the digest. When the connection breaks or the registry stumbles, it
 * goes on from where the registry says it is, or from the beginning when it has forgotten the upload, as the distribution
 * project's registry does.
 * @param started an upload that was opened before
 * @throws C2M_REGISTRY_TRANSFER after five failures in a row without progress; C2M_REGISTRY_…; C2M_INTERRUPTED
 */
export async function uploadBlob(blob: UploadBlob, context: UploadContext, started?: URL): Promise<void> {
  let upload: Upload | undefined = started === undefined ? undefined : { location: started, position: 0 }
  let reached = 0
  for (let failures = 0; ;) {
    try {
      upload ??= { location: (await startUpload(context)) as URL, position: 0 }
      if (upload.position < blob.size) upload = await sendRest(blob, upload, context)
      if (upload.position === blob.size) return await finish(blob, upload, context)
      throw new Broken(`the registry has ${upload.position} of ${blob.size} bytes`)
    } catch (error) {
      throwIfAborted(context.signal)
      if (!(error instanceof Broken) && !isUnreachable(error)) throw error
      const found = await whereIsIt(blob, upload, context)
      if (found === 'done') return
      upload = found
      const position = upload?.position ?? 0
      if (position > reached) failures = 0
      reached = Math.max(reached, position)
      if (++failures > ATTEMPTS_WITHOUT_PROGRESS) throw brokenOff(blob, reached, context, error)
      await pause(failures, context)
    }
  }
}

/** The transfer may be tried again. */
class Broken extends Error {}

async function sendRest(blob: UploadBlob, upload: Upload, context: UploadContext): Promise<Upload> {
  const { location, position } = upload
  const { session, origin, signal } = context
  let sourceError: unknown
  const stalled = new AbortController()
  async function* body(): AsyncGenerator<Uint8Array> {
    let timer: NodeJS.Timeout | undefined
    try {
      for await (const chunk of blob.open(position)) {
        throwIfAborted(signal)
        clearTimeout(timer)
        timer = setTimeout(() => stalled.abort(), STALL)
        yield chunk
      }
    } catch (error) {
      sourceError = error
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
  let response: Response
  try {
    response = await session.request(location, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(blob.size - position),
        // some registries refuse this header on an upload that is not in parts
        ...(position > 0 && { 'content-range': `${position}-${blob.size - 1}` }),
      },
      body,
      attempts: 1,
      signal: stalled.signal,
    })
  } catch (error) {
    throwIfAborted(signal)
    if (sourceError !== undefined) throw sourceError as Error
    throw error
  }
  if (!response.ok && !isTransient(response.status)) throw await pushRefused(response, session, origin, 'sent a blob')
  await response.body?.cancel()
  if (!response.ok) throw new Broken(`status ${response.status}`)
  return { location: locationOf(response, session) ?? location, position: positionOf(response) ?? blob.size }
}

async function finish(blob: UploadBlob, upload: Upload, context: UploadContext): Promise<void> {
  const url = new URL(upload.location)
  url.searchParams.set('digest', blob.digest)
  const response = await context.session.request(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': '0' },
    attempts: 1,
  })
  if (isTransient(response.status)) {
    await response.body?.cancel()
    throw new Broken(`status ${response.status}`)
  }
  if (!response.ok) throw await pushRefused(response, context.session, context.origin, 'sent the end of a blob')
  await response.body?.cancel()
}

/** What the registry has: the whole blob (its answer was lost), a part of it, or nothing. */
async function whereIsIt(
  blob: UploadBlob,
  upload: Upload | undefined,
  context: UploadContext,
): Promise<Upload | 'done' | undefined> {
  try {
    const request = { headers: {}, attempts: 1 }
    const head = await context.session.request(`blobs/${blob.digest}`, { ...request, method: 'HEAD' })
    if (head.status === 200) return 'done'
    if (upload === undefined) return undefined
    const response = await context.session.request(upload.location, request)
    await response.body?.cancel()
    if (!response.ok) return undefined
    const position = positionOf(response) ?? 0
    return position > blob.size
      ? undefined
      : { location: locationOf(response, context.session) ?? upload.location, position }
  } catch (error) {
    throwIfAborted(context.signal)
    if (isUnreachable(error)) return upload // asked again after the next failure
    if (isC2mError(error) && error.code === 'C2M_REGISTRY_REDIRECT') return undefined // not to be asked there
    throw error
  }
}

/** 404: the registry has forgotten the upload; 416: it has another part of it than was thought. */
function isTransient(status: number): boolean {
  return [404, 408, 416, 429].includes(status) || status >= 500
}

/**
 * Where to go on: at any host that the registry names, as the distribution project's client does, but there without
 * credentials. @throws C2M_REGISTRY_REDIRECT when it leads to plain text, or from elsewhere back to the registry
 */
function locationOf(response: Response, { base }: Session): URL | undefined {
  const text = response.headers.get('location')
  return text === null ? undefined : leadsTo(text, new URL(response.url), base)
}

/** `Range: 0-<last>`; an empty upload is '0-0' in some registries and '0--1' in others. */
function positionOf(response: Response): number | undefined {
  const last = /^(?:bytes=)?0-(-?\d+)$/.exec(response.headers.get('range') ?? '')?.[1]
  if (last === undefined) return undefined
  return Number(last) <= 0 ? 0 : Number(last) + 1
}

function brokenOff(blob: UploadBlob, position: number, context: UploadContext, cause: unknown): C2mError {
  return new C2mError(
    'C2M_REGISTRY_TRANSFER',
    `the upload of ${blob.digest} to ${context.origin} breaks off at byte ${position} of ${blob.size}`,
    {
      hint: `${isC2mError(cause) && cause.hint !== undefined ? cause.hint : 'check the network and the registry'}; try again, blobs that are there are not sent again`,
      cause,
    },
  )
}

export function smallBlob(bytes: Uint8Array): UploadBlob {
  return {
    digest: sha256(bytes),
    size: bytes.length,
    async *open(from) {
      yield bytes.subarray(from)
    },
  }
}
