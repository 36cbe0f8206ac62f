/**
 * CRC-32 of joined data from the CRCs of its parts. A CRC is a polynomial over GF(2) modulo that of RFC 1952 (8.), bits
 * reversed; data that follows multiplies it by x to the power of the count of its bits.
 */

const POLYNOMIAL = 0xedb88320
/** The polynomial 1: bits are reversed, so the highest bit is x^0. */
const ONE = 0x80000000

/** @param length of the second part, in bytes */
export function joinCrc32(first: number, second: number, length: number): number {
  return (multiply(powerOfX(8 * length), first) ^ second) >>> 0
}

/** x^exponent by repeated squaring; the exponent may exceed 32 bits. */
function powerOfX(exponent: number): number {
  let result = ONE
  let square = ONE >>> 1 // x
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square)
    square = multiply(square, square)
  }
  return result
}

function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b // b · x^n
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL
  }
  return product >>> 0
}
