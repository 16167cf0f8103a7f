/**
 * msgpackr behind a door: plain Uint8Array in and out, arrays and scalars only, nothing kept of its pooled buffer. Its "pack" entry brings neither
 * native code nor Node's streams along.
 */

import { Packr, RESET_BUFFER_MODE } from "msgpackr/pack";
import { InvalidField } from "../schema/index.ts";
import { isWellFormed } from "./well-formed.ts";

// Plain MessagePack: no record extension, so that any implementation can read it and equal values have equal bytes.
const packr = new Packr({ useRecords: false });

/** Own bytes, backed by a buffer of exactly their size. */
export function pack(value: readonly unknown[]): Uint8Array<ArrayBuffer> {
  const pooled: Uint8Array = packr.pack(value, RESET_BUFFER_MODE);
  return new Uint8Array(pooled);
}

/** @throws InvalidField when the bytes are not one well-formed value of the allowed kinds. */
export function unpack(bytes: Uint8Array, field: string): unknown {
  if (!isWellFormed(bytes)) throw new InvalidField(field, null, "is not well formed");
  return packr.unpack(bytes);
}
