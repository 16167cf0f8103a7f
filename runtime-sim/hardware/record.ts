/**
 * A stored record as bytes, with its place and a CRC-32 over both: what a faulty disk damages, and how the damage is
 * found. Only records that a fault hits are ever encoded. All others stay values: nothing can have happened to them.
 */

/**
 * A plain value as it lies on the disk. `place` is where it belongs: a record that is whole but in another's place is
 * found as well.
 */
export function encodeRecord(place: number, value: unknown): Uint8Array {
  const bytes: number[] = [];
  putNumber(bytes, place);
  put(bytes, value);
  const encoded = new Uint8Array(bytes.length + 4);
  encoded.set(bytes);
  new DataView(encoded.buffer).setUint32(bytes.length, crc32(encoded, bytes.length));
  return encoded;
}

/** What is wrong with the bytes found at `place`; null when they are a record that was written there. */
export function recordFault(place: number, bytes: Uint8Array): string | null {
  if (bytes.length < 12) return "it is too short";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length - 4;
  if (view.getUint32(length) !== crc32(bytes, length)) return "its checksum does not match";
  const written = view.getFloat64(0);
  return written === place ? null : "it belongs elsewhere";
}

/** CRC-32 (IEEE 802.3) of the first `length` bytes: finds every single flipped bit. */
export function crc32(bytes: Uint8Array, length: number): number {
  let crc = -1;
  for (let at = 0; at < length; at += 1) {
    crc ^= bytes[at] ?? 0;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** One letter for the type, then the value; lists and texts with their length before them. */
function put(bytes: number[], value: unknown): void {
  if (value === null) {
    putTag(bytes, "z");
  } else if (typeof value === "boolean") {
    putTag(bytes, value ? "t" : "f");
  } else if (typeof value === "number") {
    putTag(bytes, "n");
    putNumber(bytes, value);
  } else if (typeof value === "string") {
    putTag(bytes, "s");
    putText(bytes, value);
  } else if (value instanceof Uint8Array) {
    putTag(bytes, "b");
    putNumber(bytes, value.length);
    for (const byte of value) bytes.push(byte);
  } else if (Array.isArray(value)) {
    putTag(bytes, "l");
    putNumber(bytes, value.length);
    for (const item of value) put(bytes, item);
  } else if (typeof value === "object") {
    const parts = Object.entries(value);
    putTag(bytes, "o");
    putNumber(bytes, parts.length);
    for (const [name, part] of parts) {
      putText(bytes, name);
      put(bytes, part);
    }
  } else {
    throw new TypeError(`a record cannot hold a ${typeof value}`);
  }
}

function putTag(bytes: number[], tag: string): void {
  bytes.push(tag.charCodeAt(0));
}

function putText(bytes: number[], text: string): void {
  putNumber(bytes, text.length);
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    bytes.push(unit >> 8, unit & 255);
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function putNumber(bytes: number[], value: number): void {
  scratch.setFloat64(0, value);
  for (let at = 0; at < 8; at += 1) bytes.push(scratch.getUint8(at));
}
