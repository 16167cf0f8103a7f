/** What consensus says and stores, as frames of core/wire. */
export { decodeMessage, encodeMessage } from "./message.ts";
export {
  decodeConfigurationRecord,
  decodeEntry,
  decodeHardState,
  decodeSnapshotMeta,
  encodeConfiguration,
  encodeConfigurationRecord,
  encodeEntry,
  encodeHardState,
  encodeSnapshotMeta,
} from "./records.ts";
