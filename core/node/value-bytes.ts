/**
 * Any plain value as bytes, and back: null, undefined, booleans, numbers, strings, arrays, plain objects, maps, sets,
 * `Uint8Array` and `Float64Array`. The whole graph is kept: what was one object is one object again wherever it stood,
 * so that comparing by identity goes on as before. Numbers and strings come back exactly.
 *
 * For a process of the same version to read: fields and their order are those of the value. What lasts longer than a
 * version, or comes from elsewhere, has a format of its own.
 */

const NULL = 0;
const UNDEFINED = 1;
const FALSE = 2;
const TRUE = 3;
/** Then the bits as a float of 64. */
const FLOAT = 4;
/** Then the integer. */
const INTEGER = 5;
const NEGATIVE = 6;
/** Then its length and its code units, of one byte each or of two. */
const NARROW_TEXT = 7;
const WIDE_TEXT = 8;
/** Then which of those seen before it is. */
const SAME_TEXT = 9;
const SAME_OBJECT = 10;
const CONSTANT = 11;
/** Then its length and what is in it. */
const ARRAY = 12;
const MAP = 13;
const SET = 14;
const BYTES = 15;
const FLOATS = 16;
/** Then its keys, and its values. */
const NEW_SHAPE = 17;
/** Then which shape, and its values. */
const OBJECT = 18;
/** This and all above are small integers themselves. */
const SMALL = 32;
const SMALL_COUNT = 256 - SMALL;

const FLOAT_BYTES = 8;
/** To set it would be no field. */
const PROTOTYPE = "__proto__";
const FIRST_CAPACITY = 1 << 16;

/** `constants`: objects that both sides have. They are named and not written. */
export function encodeValue(value: unknown, constants: readonly object[] = []): Uint8Array {
  const writer = new ValueWriter(constants);
  writer.write(value);
  return writer.bytes();
}

/** @throws RangeError or TypeError when the bytes are not such a value. */
export function decodeValue(bytes: Uint8Array, constants: readonly object[] = []): unknown {
  const reader = new ValueReader(bytes, constants);
  const value = reader.read();
  reader.expectEnd();
  return value;
}

/** The keys of records, in their order: those from the root to here. */
interface Shape {
  /** Null: no record with just these keys has been written. */
  number: number | null;
  readonly next: Map<string, Shape>;
}

class ValueWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #constants = new Map<object, number>();
  readonly #objects = new Map<object, number>();
  readonly #texts = new Map<string, number>();
  readonly #shapes: Shape = { number: null, next: new Map() };
  #shapeCount = 0;

  constructor(constants: readonly object[]) {
    for (const [at, constant] of constants.entries()) this.#constants.set(constant, at);
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  write(value: unknown): void {
    switch (typeof value) {
      case "undefined":
        this.#byte(UNDEFINED);
        return;
      case "boolean":
        this.#byte(value ? TRUE : FALSE);
        return;
      case "number":
        this.#number(value);
        return;
      case "string":
        this.#text(value);
        return;
      case "object":
        if (value === null) this.#byte(NULL);
        else this.#object(value);
        return;
      default:
        throw new TypeError(`a ${typeof value} is no plain value`);
    }
  }

  #object(value: object): void {
    const constant = this.#constants.get(value);
    if (constant !== undefined) {
      this.#tagged(CONSTANT, constant);
      return;
    }
    const seen = this.#objects.get(value);
    if (seen !== undefined) {
      this.#tagged(SAME_OBJECT, seen);
      return;
    }
    this.#objects.set(value, this.#objects.size);
    if (Array.isArray(value)) {
      this.#tagged(ARRAY, value.length);
      for (let at = 0; at < value.length; at++) this.write(value[at]);
    } else if (value instanceof Map) {
      this.#tagged(MAP, value.size);
      for (const [key, item] of value) {
        this.write(key);
        this.write(item);
      }
    } else if (value instanceof Set) {
      this.#tagged(SET, value.size);
      for (const item of value) this.write(item);
    } else if (value instanceof Uint8Array) {
      this.#tagged(BYTES, value.length);
      this.#reserve(value.length);
      this.#bytes.set(value, this.#length);
      this.#length += value.length;
    } else if (value instanceof Float64Array) {
      this.#tagged(FLOATS, value.length);
      for (const item of value) this.#float(item);
    } else {
      this.#record(value);
    }
  }

  #record(value: object): void {
    if (Object.getPrototypeOf(value) !== Object.prototype)
      throw new TypeError(`a ${value.constructor.name} is no plain value`);
    const entries = Object.entries(value);
    const shape = this.#shapeOf(entries);
    if (shape.number === null) {
      shape.number = this.#shapeCount++;
      this.#tagged(NEW_SHAPE, entries.length);
      for (const [key] of entries) {
        if (key === PROTOTYPE) throw new TypeError(`a record with a key ${PROTOTYPE} is no plain value`);
        this.#text(key);
      }
    } else {
      this.#tagged(OBJECT, shape.number);
    }
    for (const [, item] of entries) this.write(item);
  }

  #shapeOf(entries: readonly (readonly [string, unknown])[]): Shape {
    let shape = this.#shapes;
    for (const [key] of entries) {
      let next = shape.next.get(key);
      if (next === undefined) {
        next = { number: null, next: new Map() };
        shape.next.set(key, next);
      }
      shape = next;
    }
    return shape;
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.#byte(FLOAT);
      this.#float(value);
    } else if (value < 0) {
      this.#tagged(NEGATIVE, -value);
    } else if (value < SMALL_COUNT) {
      this.#byte(SMALL + value);
    } else {
      this.#tagged(INTEGER, value);
    }
  }

  #text(value: string): void {
    const seen = this.#texts.get(value);
    if (seen !== undefined) {
      this.#tagged(SAME_TEXT, seen);
      return;
    }
    this.#texts.set(value, this.#texts.size);
    let isNarrow = true;
    for (let at = 0; at < value.length && isNarrow; at++) isNarrow = value.charCodeAt(at) < 256;
    this.#tagged(isNarrow ? NARROW_TEXT : WIDE_TEXT, value.length);
    this.#reserve(2 * value.length);
    for (let at = 0; at < value.length; at++) {
      const unit = value.charCodeAt(at);
      this.#bytes[this.#length++] = unit & 0xff;
      if (!isNarrow) this.#bytes[this.#length++] = unit >>> 8;
    }
  }

  #float(value: number): void {
    this.#reserve(FLOAT_BYTES);
    this.#view.setFloat64(this.#length, value);
    this.#length += FLOAT_BYTES;
  }

  #tagged(tag: number, count: number): void {
    this.#byte(tag);
    let rest = count;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#byte(0x80 | (rest % 0x80));
    this.#byte(rest);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

class ValueReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #constants: readonly object[];
  #at = 0;
  readonly #objects: object[] = [];
  readonly #texts: string[] = [];
  readonly #shapes: (readonly string[])[] = [];

  constructor(bytes: Uint8Array, constants: readonly object[]) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#constants = constants;
  }

  expectEnd(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("there are bytes after the value");
  }

  read(): unknown {
    const tag = this.#byte();
    if (tag >= SMALL) return tag - SMALL;
    switch (tag) {
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case FLOAT:
        return this.#float();
      case INTEGER:
        return this.#count();
      case NEGATIVE:
        return -this.#count();
      case NARROW_TEXT:
      case WIDE_TEXT:
      case SAME_TEXT:
        return this.#textAfter(tag);
      case SAME_OBJECT:
        return at(this.#objects, this.#count());
      case CONSTANT:
        return at(this.#constants, this.#count());
      case ARRAY:
        return this.#array();
      case MAP:
        return this.#map();
      case SET:
        return this.#set();
      case BYTES:
        return this.#byteArray();
      case FLOATS:
        return this.#floatArray();
      case NEW_SHAPE:
        return this.#record(this.#shape());
      case OBJECT:
        return this.#record(at(this.#shapes, this.#count()));
      default:
        throw new RangeError(`no value begins with ${tag}`);
    }
  }

  #array(): unknown[] {
    const count = this.#count();
    const array: unknown[] = [];
    this.#objects.push(array);
    for (let left = count; left > 0; left--) array.push(this.read());
    return array;
  }

  #map(): Map<unknown, unknown> {
    const count = this.#count();
    const map = new Map<unknown, unknown>();
    this.#objects.push(map);
    for (let left = count; left > 0; left--) {
      const key = this.read();
      map.set(key, this.read());
    }
    return map;
  }

  #set(): Set<unknown> {
    const count = this.#count();
    const set = new Set<unknown>();
    this.#objects.push(set);
    for (let left = count; left > 0; left--) set.add(this.read());
    return set;
  }

  #byteArray(): Uint8Array {
    const count = this.#count();
    if (this.#at + count > this.#bytes.length) throw new RangeError(`${count} bytes go beyond the end`);
    const bytes = this.#bytes.slice(this.#at, this.#at + count);
    this.#at += count;
    this.#objects.push(bytes);
    return bytes;
  }

  #floatArray(): Float64Array {
    const floats = new Float64Array(this.#count());
    this.#objects.push(floats);
    for (let index = 0; index < floats.length; index++) floats[index] = this.#float();
    return floats;
  }

  #shape(): readonly string[] {
    const shape: string[] = [];
    for (let left = this.#count(); left > 0; left--) {
      const key = this.#textAfter(this.#byte());
      if (key === PROTOTYPE) throw new RangeError(`a record has a key ${PROTOTYPE}`);
      shape.push(key);
    }
    this.#shapes.push(shape);
    return shape;
  }

  #record(shape: readonly string[]): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    this.#objects.push(record);
    for (const key of shape) record[key] = this.read();
    return record;
  }

  #textAfter(tag: number): string {
    const count = this.#count();
    if (tag === SAME_TEXT) return at(this.#texts, count);
    if (tag !== NARROW_TEXT && tag !== WIDE_TEXT) throw new RangeError(`no text begins with ${tag}`);
    let text = "";
    for (let left = count; left > 0; left--) {
      const low = this.#byte();
      text += String.fromCharCode(tag === NARROW_TEXT ? low : low | (this.#byte() << 8));
    }
    this.#texts.push(text);
    return text;
  }

  #float(): number {
    const value = this.#view.getFloat64(this.#at);
    this.#at += FLOAT_BYTES;
    return value;
  }

  #count(): number {
    let count = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#byte();
      count += (byte & 0x7f) * scale;
      if (byte < 0x80) return count;
      scale *= 0x80;
    }
  }

  #byte(): number {
    return at(this.#bytes, this.#at++);
  }
}

function at<T>(list: ArrayLike<T>, index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`there is no ${index} among ${list.length}`);
  return item;
}
