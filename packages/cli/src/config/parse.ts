import { CORE_SCHEMA, load, YAMLException } from 'js-yaml'

/** Bytes of a configuration, at most. */
export const MAX_BYTES = 1024 * 1024

/**
 * The value in a configuration file. Plain data: no tags, no merge keys, nothing is imported.
 * @returns undefined of a file without content
 * @throws Error with what is wrong, in one line
 */
export function parseData(bytes: Uint8Array, extension: string): unknown {
  if (bytes.length > MAX_BYTES) throw new Error('it is larger than 1 MiB')
  let text
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('it is not UTF-8')
  }
  if (text.trim() === '') return undefined
  if (extension === '.json') parseJson(text)
  try {
    // YAML 1.2 contains JSON, and unlike JSON.parse this refuses a key that comes twice
    return load(text, { schema: CORE_SCHEMA }) ?? undefined
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const { line, column } = error.mark
    throw new Error(`${error.reason.slice(0, 200)} (line ${line + 1}, column ${column + 1})`)
  }
}

function parseJson(text: string): void {
  try {
    JSON.parse(text)
  } catch (error) {
    throw new Error((error as Error).message.slice(0, 200))
  }
}
