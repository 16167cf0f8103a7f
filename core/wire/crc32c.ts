/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720 appendix B.4), four bytes a step. Finds bytes
 * damaged by accident: any burst up to 32 bits, all but one in 2^32 of the rest. Proves nothing against an attacker,
 * who can compute it too.
 */
const POLYNOMIAL_REFLECTED = 0x82f63b78;

/** Four tables of 256, one after the other: the remainder of a byte followed by no, one, two, three zero bytes. */
const remainders = makeRemainders();

/**
 * The checksum of `bytes` from `start` up to `end`, 0 to 2^32 - 1. `before` is the checksum of what came before them,
 * so that parts can be summed one after the other.
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, before = 0): number {
  let sum = ~before;
  let at = start;
  for (const whole = end - 3; at < whole; at += 4) {
    sum ^=
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    sum =
      remainderAt(768 + (sum & 0xff)) ^
      remainderAt(512 + ((sum >>> 8) & 0xff)) ^
      remainderAt(256 + ((sum >>> 16) & 0xff)) ^
      remainderAt(sum >>> 24);
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ remainderAt((sum ^ byteAt(bytes, at)) & 0xff);
  return ~sum >>> 0;
}

function makeRemainders(): Int32Array {
  const table = new Int32Array(1024);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++)
      remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ POLYNOMIAL_REFLECTED : remainder >>> 1;
    table[byte] = remainder;
  }
  for (let at = 256; at < 1024; at++) {
    const shorter = table[at - 256] ?? 0;
    table[at] = (shorter >>> 8) ^ (table[shorter & 0xff] ?? 0);
  }
  return table;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function remainderAt(at: number): number {
  return remainders[at] ?? 0;
}
