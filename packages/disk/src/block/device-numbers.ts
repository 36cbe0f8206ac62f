/** makedev(3) of glibc, the other way round: major in bits 8–19 and 44–63, minor in bits 0–7 and 20–43. */
export function deviceNumbers(device: number): { major: number; minor: number } {
  const bits = BigInt(device)
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)),
  }
}
