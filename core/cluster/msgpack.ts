/**
 * A small interface to msgpackr: plain Uint8Array in and out, arrays and scalars only, and no view of its pooled
 * buffer. The "pack" entry point of msgpackr loads neither native code nor Node's streams.
 */

import { Packr, RESET_BUFFER_MODE } from "msgpackr/pack";
import { type Codec, decoded, InvalidField } from "../schema/index.ts";
import { InvalidCommand } from "./invalid.ts";
import { isWellFormed } from "./well-formed.ts";

// Plain MessagePack: no record extension, so that any implementation can read it and equal values have equal bytes.
const packr = new Packr({ useRecords: false });

/** Own bytes, backed by a buffer of exactly their size. */
export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  const pooled: Uint8Array = packr.pack(value, RESET_BUFFER_MODE);
  return new Uint8Array(pooled);
}

/** @throws InvalidField when the bytes are not one well-formed value of the allowed kinds. */
export function unpack(bytes: Uint8Array, field: string): unknown {
  if (!isWellFormed(bytes)) throw new InvalidField(field, null, "is not well formed");
  return packr.unpack(bytes);
}

export function packed<T>(schema: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  return pack([schema.write(value)]);
}

/** @throws InvalidCommand, and nothing else, whatever the bytes are. */
export function unpacked<T>(schema: Codec<T>, bytes: Uint8Array, name: string): T {
  try {
    const parts = unpack(bytes, name);
    if (!Array.isArray(parts) || parts.length !== 1) throw new InvalidField(name, 1, "must have 1 parts");
    return decoded(schema, parts[0], name);
  } catch (error) {
    if (error instanceof InvalidField) throw new InvalidCommand(error.field, error.limit, error.message);
    throw error;
  }
}
