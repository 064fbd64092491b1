/** Decimal numbers as text and as the whole number of their smallest unit, which is what Avro writes. */

const decimalRule = /^(-?)(\d+)(?:\.(\d+))?$/

/** The number in units of `10^-scale`; `undefined` when the text is no decimal number or would lose digits. */
export function unscaledOf(text: string, precision: number, scale: number): bigint | undefined {
  // No valid one is longer, and reading digits takes more time than there are digits.
  if (text.length > 2 * precision + scale + 3) return undefined
  const parts = decimalRule.exec(text)
  if (parts === null) return undefined
  const [, sign = '', whole = '', fraction = ''] = parts
  const kept = fraction.slice(0, scale).padEnd(scale, '0')
  if (/[1-9]/.test(fraction.slice(scale))) return undefined
  const digits = BigInt(whole + kept)
  if (String(digits).length > precision) return undefined
  return sign === '-' ? -digits : digits
}

/** The one way to write a number as decimal text: with exactly `scale` digits behind the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** The number as two's complement, big end first, in the fewest bytes or in exactly `size` of them. */
export function twosComplement(value: bigint, size?: number): Buffer {
  let length = size ?? 1
  if (size === undefined) while (BigInt.asIntN(8 * length, value) !== value) length++
  return Buffer.from(
    BigInt.asUintN(8 * length, value)
      .toString(16)
      .padStart(2 * length, '0'),
    'hex',
  )
}

/** Reads two's complement, big end first; no bytes are 0. */
export function fromTwosComplement(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
}
