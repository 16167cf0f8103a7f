/**
 * Walks MessagePack bytes before the decoder sees them, and allows only what this project writes: nil, booleans,
 * integers, doubles, text in valid UTF-8, and arrays. What is refused here: maps and extensions (the decoder would
 * make classes of them), 64-bit integers, truncated or trailing bytes, deep nesting, and text that decoders repair
 * each in its own way, so that replicas on different machines would differ.
 */

/** Deepest nesting of arrays that any format here uses, with room to grow. */
const depthMax = 16;

/** Whether `bytes` holds exactly one well-formed value. Never throws; time and memory are linear in the bytes. */
export function isWellFormed(bytes: Uint8Array): boolean {
  return endOfValue(bytes, 0, 0) === bytes.length;
}

const REFUSED = -1;

/** Where the value that starts at `start` ends, or REFUSED. */
function endOfValue(bytes: Uint8Array, start: number, depth: number): number {
  const token = bytes[start];
  if (token === undefined) return REFUSED;
  const next = start + 1;
  if (token < 0x80 || token >= 0xe0) return next; // small integers
  if (token < 0x90) return REFUSED; // maps
  if (token < 0xa0) return endOfArray(bytes, next, token - 0x90, depth);
  if (token < 0xc0) return endOfText(bytes, next, token - 0xa0);
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return next;
    case 0xcc: // uint8
    case 0xd0: // int8
      return within(bytes, next + 1);
    case 0xcd: // uint16
    case 0xd1: // int16
      return within(bytes, next + 2);
    case 0xce: // uint32
    case 0xd2: // int32
      return within(bytes, next + 4);
    case 0xcb: // double
      return within(bytes, next + 8);
    case 0xd9: // text, 8-bit length
      return endOfText(bytes, next + 1, unsigned(bytes, next, 1));
    case 0xda: // text, 16-bit length
      return endOfText(bytes, next + 2, unsigned(bytes, next, 2));
    case 0xdb: // text, 32-bit length
      return endOfText(bytes, next + 4, unsigned(bytes, next, 4));
    case 0xdc: // array, 16-bit length
      return endOfArray(bytes, next + 2, unsigned(bytes, next, 2), depth);
    case 0xdd: // array, 32-bit length
      return endOfArray(bytes, next + 4, unsigned(bytes, next, 4), depth);
    default:
      return REFUSED;
  }
}

function within(bytes: Uint8Array, end: number): number {
  return end <= bytes.length ? end : REFUSED;
}

/** Big-endian; bytes beyond the end count as 255, so that what is cut off asks for too much and is refused. */
function unsigned(bytes: Uint8Array, start: number, size: number): number {
  let value = 0;
  for (let i = start; i < start + size; i++) value = value * 256 + (bytes[i] ?? 0xff);
  return value;
}

function endOfArray(bytes: Uint8Array, start: number, length: number, depth: number): number {
  // Every item takes a byte at least: no count makes the decoder allocate more than the bytes that came.
  if (depth >= depthMax || length > bytes.length - start) return REFUSED;
  let end = start;
  for (let i = 0; i < length; i++) {
    end = endOfValue(bytes, end, depth + 1);
    if (end === REFUSED) return REFUSED;
  }
  return end;
}

function endOfText(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length;
  if (end > bytes.length) return REFUSED;
  const beginsWithByteOrderMark =
    length >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
  if (beginsWithByteOrderMark) return REFUSED;
  let at = start;
  while (at < end) {
    const lead = bytes[at] ?? 0;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const size = sizeOfCharacter(lead, bytes[at + 1] ?? 0);
    if (size === 0 || at + size > end) return REFUSED;
    for (let i = at + 1; i < at + size; i++) if (((bytes[i] ?? 0) & 0xc0) !== 0x80) return REFUSED;
    at += size;
  }
  return end;
}

/**
 * Bytes of a multi-byte character by its first two, or 0: overlong forms, surrogates and what lies beyond U+10FFFF
 * (RFC 3629, section 4).
 */
function sizeOfCharacter(lead: number, second: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead === 0xe0) return second >= 0xa0 ? 3 : 0;
  if (lead === 0xed) return second <= 0x9f ? 3 : 0;
  if (lead >= 0xe1 && lead <= 0xef) return 3;
  if (lead === 0xf0) return second >= 0x90 ? 4 : 0;
  if (lead === 0xf4) return second <= 0x8f ? 4 : 0;
  if (lead >= 0xf1 && lead <= 0xf3) return 4;
  return 0;
}
