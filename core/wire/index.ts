/**
 * Wire format, version 1: frames, and how to read what is in one. What a frame holds is defined by whoever sends it.
 *
 * Every encoded value is a frame (envelope.ts): version, CRC-32C, and one MessagePack array of fields by position.
 * msgpackr writes it; a reader that knows the schema reads it back (reader.ts), because bytes may come from anybody.
 * Each value has exactly one encoding: what decodes encodes to the same bytes again. Any MessagePack tool can show a
 * body (from byte 5 on).
 */
export { crc32c } from "./crc32c.ts";
export { FIELDS_MAX, open, openKind, type Packed, seal, WIRE_VERSION } from "./envelope.ts";
export { type FieldReader, fieldReader, named, type RowReader, rowOf, rowReader } from "./field-reader.ts";
export { InvalidFrame } from "./invalid-frame.ts";
export { FRAME_BYTES_MAX } from "./limits.ts";
export { Reader } from "./reader.ts";
