/** What consensus says and stores, as frames of core/wire. */
export { decodeConfigurationRecord, encodeConfiguration, encodeConfigurationRecord } from "./configuration.ts";
export { decodeEntry, encodeEntry } from "./entry.ts";
export { decodeHardState, encodeHardState } from "./hard-state.ts";
export { decodeMessage, encodeMessage } from "./message.ts";
export { decodeSnapshotMeta, encodeSnapshotMeta } from "./snapshot-meta.ts";
