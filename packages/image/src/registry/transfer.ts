import { C2mError, throwIfAborted } from '@c2m/process'
import { pause, type HttpContext } from './http.js'

const ATTEMPTS_WITHOUT_PROGRESS = 5
/** Milliseconds without a byte after which a connection counts as broken. */
const STALL = 60_000

/**
 * Streams a blob of known size. When the connection breaks it goes on where it stopped, by a Range request (RFC 9110,
 * 14.2), or by skipping what it has when the server knows no ranges.
 * @param request asks for the blob with these headers; throws when the answer is neither 200 nor 206
 * @throws C2M_REGISTRY_TRANSFER after five broken connections in a row that brought nothing
 */
export async function* transfer(
  request: (headers: Readonly<Record<string, string>>) => Promise<Response>,
  size: number,
  what: string,
  context: HttpContext,
  stall = STALL,
): AsyncGenerator<Uint8Array> {
  let position = 0
  let failures = 0
  for (;;) {
    const response = await request(position === 0 ? {} : { range: `bytes=${position}-` })
    let skip = position - startOf(response, position, what)
    let cause: unknown
    try {
      for await (const chunk of chunks(response, stall)) {
        const rest = chunk.subarray(Math.min(skip, chunk.length))
        skip -= chunk.length - rest.length
        if (rest.length === 0) continue
        position += rest.length
        failures = 0
        yield rest
      }
    } catch (error) {
      throwIfAborted(context.signal)
      cause = error
    }
    if (position >= size) return // a blob that is too long is the verifier's business
    if (++failures > ATTEMPTS_WITHOUT_PROGRESS) {
      throw new C2mError('C2M_REGISTRY_TRANSFER', `the transfer of ${what} breaks off at byte ${position} of ${size}`, {
        hint: 'check the network and try again; what was transferred of other layers is kept',
        cause,
      })
    }
    await pause(failures, context)
  }
}

function startOf(response: Response, position: number, what: string): number {
  if (response.status !== 206) return 0
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (start !== undefined && Number(start) <= position) return Number(start)
  throw new C2mError(
    'C2M_REGISTRY_PROTOCOL',
    `${what} was asked for from byte ${position}, and the registry answers with another part`,
    {
      hint: 'this is a fault of the registry; tell its operator',
    },
  )
}

/** The body's chunks; an error when nothing comes for `stall` milliseconds. */
async function* chunks(response: Response, stall: number): AsyncGenerator<Uint8Array> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader()
  if (reader === undefined) return
  let timer: NodeJS.Timeout | undefined
  try {
    for (;;) {
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`nothing came for ${stall} ms`)), stall)
      })
      const next = await Promise.race([reader.read(), silence])
      clearTimeout(timer)
      if (next.done) return
      yield next.value
    }
  } finally {
    clearTimeout(timer)
    await reader.cancel().catch(() => undefined)
  }
}
