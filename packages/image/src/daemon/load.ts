import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fileError } from '@c2m/process'
import { daemonFailed, postStream, type Engine } from './engine.js'

/**
 * Gives an archive to a daemon (Engine API, "Import images"). It answers 200 before it is done, so its messages tell
 * whether it worked: JSON objects, one of them with an "error" when it did not.
 * @throws C2M_DAEMON_FAILED; C2M_INTERRUPTED
 */
export async function loadImage(engine: Engine, path: string, signal: AbortSignal | undefined): Promise<void> {
  const { size } = await stat(path)
  const body = { type: 'application/x-tar', size, source: readArchive(path) }
  const said = await postStream(engine, '/images/load?quiet=1', body, signal)
  for (const line of said.split('\n')) {
    const error = errorIn(line)
    if (error !== undefined) throw daemonFailed(engine, error)
  }
}

function errorIn(line: string): string | undefined {
  try {
    const { error } = JSON.parse(line) as { error?: unknown }
    return typeof error === 'string' ? error.slice(0, 500) : undefined
  } catch {
    return undefined // a line that says nothing
  }
}

async function* readArchive(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 512 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw fileError(error, path, 'read')
  }
}
