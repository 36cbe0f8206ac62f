import type { Duplex } from 'node:stream'
import { C2mError } from '@c2m/process'

export interface QmpEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

const LINE_LIMIT = 1024 * 1024

/**
 * Client of the QEMU Machine Protocol (QEMU's docs/interop/qmp-spec: greeting, capabilities negotiation, one JSON object
 * a line, replies in order).
 */
export class QmpClient {
  readonly #stream: Duplex
  readonly #waiting: Waiting[] = []
  readonly #listen: (event: QmpEvent) => void
  #partial = ''
  #closed: C2mError | undefined

  private constructor(stream: Duplex, listen: (event: QmpEvent) => void) {
    this.#stream = stream
    this.#listen = listen
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => this.#take(chunk))
    stream.on('close', () => this.#close('QEMU closed its control connection'))
  }

  /** @throws C2M_QMP when the connection ends, or something else than QEMU answers */
  static async connect(stream: Duplex, listen: (event: QmpEvent) => void): Promise<QmpClient> {
    const client = new QmpClient(stream, listen)
    await client.execute('qmp_capabilities')
    return client
  }

  /** @throws C2M_QMP when QEMU refuses the command, or the connection ends */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed)
      this.#waiting.push({ resolve, reject })
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    })
  }

  #take(chunk: string): void {
    this.#partial += chunk
    const lines = this.#partial.split('\n')
    this.#partial = lines.pop() ?? ''
    if (this.#partial.length > LINE_LIMIT) return this.#close('QEMU sent a line without end')
    for (const line of lines) {
      if (line.trim() !== '') this.#message(line)
    }
  }

  #message(line: string): void {
    const message = parseObject(line)
    if (message === undefined) return this.#close(`QEMU sent no JSON object: ${line.slice(0, 80)}`)
    if (typeof message.event === 'string') {
      this.#listen({ event: message.event, data: isObject(message.data) ? message.data : {} })
    } else if ('error' in message) {
      const text = isObject(message.error) ? String(message.error.desc) : 'unknown error'
      this.#waiting.shift()?.reject(new C2mError('C2M_QMP', `QEMU refused: ${text}`))
    } else if ('return' in message) {
      this.#waiting.shift()?.resolve(message.return)
    }
  }

  #close(because: string): void {
    this.#closed ??= new C2mError('C2M_QMP', because)
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#closed)
    this.#stream.destroy()
  }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
