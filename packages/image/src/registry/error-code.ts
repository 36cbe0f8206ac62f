/** {"errors": [{"code": "MANIFEST_UNKNOWN", …}]}; only the codes, for the rest is free text of a stranger. */
export function errorCodes(bytes: Uint8Array): readonly string[] {
  try {
    const { errors } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { errors?: unknown }
    if (!Array.isArray(errors)) return []
    return errors
      .map((error) => String((error as { code?: unknown } | null)?.code))
      .filter((code) => /^[A-Z_]{1,60}$/.test(code))
  } catch {
    return []
  }
}
