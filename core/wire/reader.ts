/**
 * Reads MessagePack as its caller expects it, and nothing else: every call names the field, its type and its limit.
 *
 * There is no generic decoder here to attack. Maps, extensions, records, negative numbers, floats (but for whole
 * numbers beyond 32 bits) are refused by their first byte; nesting is as deep as the schema and no deeper; a length
 * is compared with its limit and with the bytes that are left before anything is allocated for it. Each value is
 * accepted in one form alone, the shortest, so that equal values have equal bytes.
 *
 * msgpackr's own `unpack` knows all of those and offers no way to switch them off.
 */
import { InvalidFrame } from "./invalid-frame.ts";

const UINT32_MAX = 0xffff_ffff;

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const FLOAT64 = 0xcb;
const UINT8 = 0xcc;
const UINT16 = 0xcd;
const UINT32 = 0xce;
const BIN8 = 0xc4;
const STR8 = 0xd9;
const ARRAY16 = 0xdc;

/** Scratch for eight bytes that form a float64: independent of the machine's byte order. */
const eight = new DataView(new ArrayBuffer(8));

/**
 * Scratch arrays of character codes, one a length, made when first needed. A single call on them is three times as
 * fast as adding characters up.
 */
const codesOfLength: number[][] = [];

export class Reader {
  readonly #bytes: Uint8Array;
  #position: number;

  /**
   * Reads `bytes` from `start` to their end. They must not change meanwhile; nothing that is read keeps them alive.
   */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#position = start;
  }

  /** A list's length, 0 to `limit`. Never more than bytes are left: an element takes at least one. */
  list(field: string, limit: number): number {
    const token = this.#byte(field);
    let length: number;
    if ((token & 0xf0) === 0x90) length = token & 0x0f;
    else if (token === ARRAY16) length = this.#sized(field, 2, 0x10);
    else if (token === ARRAY16 + 1) length = this.#sized(field, 4, 0x1_0000);
    else throw unexpected(field, "a list", token);
    if (length > limit) throw new InvalidFrame(field, `${length} elements, at most ${limit} are allowed`, limit);
    this.#demand(field, length);
    return length;
  }

  /** A list of exactly `size` elements: a value's fields in their order. */
  tuple(field: string, size: number): void {
    const length = this.list(field, size);
    if (length !== size) throw new InvalidFrame(field, `${length} fields instead of ${size}`);
  }

  /** A whole number from 0 to `limit`, which is at most 2^53 - 1. */
  natural(field: string, limit: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#number(field);
    if (value > limit) throw new InvalidFrame(field, `${value} is above ${limit}`, limit);
    return value;
  }

  /** A whole number from 1 to `limit`. */
  positive(field: string, limit: number): number {
    const value = this.natural(field, limit);
    if (value === 0) throw new InvalidFrame(field, "0 stands for nobody and nothing");
    return value;
  }

  boolean(field: string): boolean {
    const token = this.#byte(field);
    if (token === TRUE) return true;
    if (token === FALSE) return false;
    throw unexpected(field, "true or false", token);
  }

  /** One of `choices`, written as its position. */
  choice<Choice>(field: string, choices: readonly Choice[]): Choice {
    const choice = choices[this.natural(field, choices.length - 1)];
    if (choice === undefined) throw new InvalidFrame(field, "an unknown choice");
    return choice;
  }

  /** Consumes a null and says true; false, and nothing consumed, when anything else comes next. */
  nil(): boolean {
    if (this.#bytes[this.#position] !== NIL) return false;
    this.#position++;
    return true;
  }

  /** Printable ASCII, at most `limit` characters, possibly none. */
  text(field: string, limit: number): string {
    const token = this.#byte(field);
    let length: number;
    if ((token & 0xe0) === 0xa0) length = token & 0x1f;
    else if (token === STR8) length = this.#sized(field, 1, 0x20);
    else if (token === STR8 + 1) length = this.#sized(field, 2, 0x100);
    else if (token === STR8 + 2) length = this.#sized(field, 4, 0x1_0000);
    else throw unexpected(field, "text", token);
    if (length > limit) throw new InvalidFrame(field, `${length} characters, at most ${limit} are allowed`, limit);
    this.#demand(field, length);
    const start = this.#position;
    const codes = scratchFor(length);
    for (let at = 0; at < length; at++) {
      const code = this.#bytes[start + at] ?? 0;
      if (code < 0x20 || code > 0x7e)
        throw new InvalidFrame(field, `character ${at} has code ${code}, only printable ASCII is allowed`);
      codes[at] = code;
    }
    this.#position = start + length;
    return String.fromCharCode.apply(undefined, codes);
  }

  /** As `text`, and at least one character. */
  name(field: string, limit: number): string {
    const text = this.text(field, limit);
    if (text === "") throw new InvalidFrame(field, "empty");
    return text;
  }

  /** Bytes, at most `limit`: a copy with memory of its own, so that an entry kept for long does not keep its frame. */
  binary(field: string, limit: number): Uint8Array {
    const token = this.#byte(field);
    let length: number;
    if (token === BIN8) length = this.#sized(field, 1, 0);
    else if (token === BIN8 + 1) length = this.#sized(field, 2, 0x100);
    else if (token === BIN8 + 2) length = this.#sized(field, 4, 0x1_0000);
    else throw unexpected(field, "bytes", token);
    if (length > limit) throw new InvalidFrame(field, `${length} bytes, at most ${limit} are allowed`, limit);
    this.#demand(field, length);
    const start = this.#position;
    this.#position = start + length;
    const copy = new Uint8Array(length);
    copy.set(this.#bytes.subarray(start, this.#position));
    return copy;
  }

  /** Nothing may follow. */
  finish(): void {
    const left = this.#bytes.length - this.#position;
    if (left > 0) throw new InvalidFrame("frame", `${left} bytes too many at its end`);
  }

  #number(field: string): number {
    const token = this.#byte(field);
    if (token < 0x80) return token;
    if (token === UINT8) return this.#sized(field, 1, 0x80);
    if (token === UINT16) return this.#sized(field, 2, 0x100);
    if (token === UINT32) return this.#sized(field, 4, 0x1_0000);
    if (token !== FLOAT64) throw unexpected(field, "a whole number from 0 up", token);
    this.#demand(field, 8);
    for (let at = 0; at < 8; at++) eight.setUint8(at, this.#bytes[this.#position + at] ?? 0);
    this.#position += 8;
    const value = eight.getFloat64(0);
    if (!Number.isSafeInteger(value) || value <= UINT32_MAX)
      throw new InvalidFrame(field, `${value} is no whole number from 2^32 to 2^53 - 1, which alone take this form`);
    return value;
  }

  /** A big-endian number of `width` bytes. Below `least` a shorter form exists, and that alone is allowed. */
  #sized(field: string, width: 1 | 2 | 4, least: number): number {
    this.#demand(field, width);
    let value = 0;
    for (let at = 0; at < width; at++) value = value * 0x100 + (this.#bytes[this.#position + at] ?? 0);
    this.#position += width;
    if (value < least) throw new InvalidFrame(field, `${value} is not in its shortest form`);
    return value;
  }

  #byte(field: string): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw new InvalidFrame(field, "missing: the frame ends before it");
    this.#position++;
    return byte;
  }

  #demand(field: string, count: number): void {
    const left = this.#bytes.length - this.#position;
    if (count > left) throw new InvalidFrame(field, `needs ${count} more bytes, the frame holds ${left}`);
  }
}

function scratchFor(length: number): number[] {
  let codes = codesOfLength[length];
  if (codes === undefined) {
    // The table itself is filled without holes: up to the longest text that any field allows.
    for (let next = codesOfLength.length; next <= length; next++) codesOfLength.push(new Array<number>(next).fill(0));
    codes = codesOfLength[length] ?? [];
  }
  return codes;
}

function unexpected(field: string, wanted: string, token: number): InvalidFrame {
  return new InvalidFrame(
    field,
    `${wanted} expected, found MessagePack type byte 0x${token.toString(16).padStart(2, "0")}`,
  );
}
