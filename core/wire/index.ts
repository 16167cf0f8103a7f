/**
 * Wire format, version 1: messages and stored values as bytes.
 *
 * Every encoded value is a frame (envelope.ts): version, CRC-32C, and one MessagePack array of fields by position. msgpackr writes it; a reader
 * that knows the schema reads it back (reader.ts), because bytes come from anybody. Each value has exactly one encoding: what decodes encodes to
 * the same bytes again. Any MessagePack tool can show a body (from byte 5 on).
 */
export {
  decodeConfigurationRecord,
  encodeConfiguration,
  encodeConfigurationRecord,
} from "./configuration.ts";
export { decodeEntry, encodeEntry } from "./entry.ts";
export { WIRE_VERSION } from "./envelope.ts";
export { decodeHardState, encodeHardState } from "./hard-state.ts";
export { InvalidFrame } from "./invalid-frame.ts";
export { decodeMessage, encodeMessage } from "./message.ts";
export { decodeSnapshotMeta, encodeSnapshotMeta } from "./snapshot-meta.ts";
