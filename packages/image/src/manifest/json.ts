import { C2mError } from '@c2m/process'

/** Bytes that a manifest or index may have (distribution-spec: registries should take at least 4 MiB). */
export const MAX_MANIFEST = 4 * 1024 * 1024
/** Bytes that an image configuration may have; real ones have some kilobytes. */
export const MAX_CONFIG = 8 * 1024 * 1024

export type JsonObject = Readonly<Record<string, unknown>>

/** Every check below throws this error; `where` names the document and the field. */
export function badJson(where: string, what: string): C2mError {
  return new C2mError('C2M_IMAGE_MANIFEST', `${where} ${what}`, {
    hint: 'the image is damaged or was made by a faulty tool; get it again',
  })
}

/** @throws C2M_IMAGE_MANIFEST */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // the parser's message quotes the document, which may be anything
    throw badJson(where, 'is not valid JSON')
  }
}

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw badJson(where, 'is not a JSON object')
}

export function asArray(value: unknown, where: string, maximum: number): readonly unknown[] {
  if (!Array.isArray(value)) throw badJson(where, 'is not a JSON array')
  if (value.length > maximum)
    throw badJson(where, `has ${value.length} elements, more than the ${maximum} that c2m takes`)
  return value
}

export function asString(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw badJson(where, 'is not a string')
}

/** Undefined, null and '' (how Go writes an unset string) are all absent. */
export function optionalString(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  return asString(value, where)
}

export function asSize(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw badJson(where, 'is not a count of bytes')
}

/** Null and absent are the empty list, as Go writes them. */
export function stringList(value: unknown, where: string, maximum = 10_000): readonly string[] {
  if (value === undefined || value === null) return []
  return asArray(value, where, maximum).map((item, index) => asString(item, `${where}[${index}]`))
}

export function stringMap(value: unknown, where: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  const entries = Object.entries(asObject(value, where))
  return Object.fromEntries(entries.map(([key, item]) => [key, asString(item, `${where}['${key.slice(0, 100)}']`)]))
}
