/** Records as frames: for storage, for signing, and for entries that change the configuration. */
import { fieldReader, openKind, type RowReader, rowOf, rowReader, seal } from "../../wire/index.ts";
import {
  type Configuration,
  type ConfigurationRecord,
  configurationRecordSchema,
  configurationSchema,
  type Entry,
  entrySchema,
  type HardState,
  hardStateSchema,
  type SnapshotMeta,
  snapshotMetaSchema,
} from "../records.ts";

/** The numbers that stand first in the frames of records. Messages take 1 to 63 (see messages.ts). */
const KINDS = {
  configuration: 64,
  configurationRecord: 65,
  hardState: 66,
  entry: 67,
  snapshotMeta: 68,
} as const;

const configurationRecordRow = rowReader({}, configurationRecordSchema);
const hardStateRow = rowReader({}, hardStateSchema);
const entryRow = rowReader({}, entrySchema);
const readSnapshotMeta = fieldReader(snapshotMetaSchema);

/** Canonical bytes of a configuration: what members sign. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return seal([KINDS.configuration, configurationSchema.write(configuration)]);
}

/** Canonical bytes of what a configuration entry holds. */
export function encodeConfigurationRecord(record: ConfigurationRecord): Uint8Array {
  return seal([KINDS.configurationRecord, ...rowOf(configurationRecordSchema, record)]);
}

/**
 * Records by the very bytes they were read from. Bytes of entries are immutable, and the nodes of one simulation
 * share them by reference.
 */
const recordsRead = new WeakMap<Uint8Array, ConfigurationRecord>();

/**
 * What a configuration entry holds. Asked again for the same `Uint8Array` object it returns the same record without
 * reading: the bytes must never change after the first time.
 *
 * @throws InvalidFrame on anything that `encodeConfigurationRecord` does not make of a valid record.
 */
export function decodeConfigurationRecord(bytes: Uint8Array): ConfigurationRecord {
  const known = recordsRead.get(bytes);
  if (known !== undefined) return known;
  const record = decode(bytes, KINDS.configurationRecord, "configurationRecord", configurationRecordRow);
  recordsRead.set(bytes, record);
  return record;
}

/** One entry for storage. @throws InvalidFrame naming "frame" when its data alone is longer than a frame may be. */
export function encodeEntry(entry: Entry): Uint8Array {
  return seal([KINDS.entry, ...rowOf(entrySchema, entry)]);
}

/** One entry from storage. `data` has memory of its own. @throws InvalidFrame */
export function decodeEntry(bytes: Uint8Array): Entry {
  return decode(bytes, KINDS.entry, "entry", entryRow);
}

export function encodeHardState(hardState: HardState): Uint8Array {
  return seal([KINDS.hardState, ...rowOf(hardStateSchema, hardState)]);
}

/** @throws InvalidFrame */
export function decodeHardState(bytes: Uint8Array): HardState {
  return decode(bytes, KINDS.hardState, "hardState", hardStateRow);
}

/** @throws InvalidFrame naming "frame" when the lineage is so long that the result exceeds `LIMITS.frameBytes`. */
export function encodeSnapshotMeta(meta: SnapshotMeta): Uint8Array {
  return seal([KINDS.snapshotMeta, snapshotMetaSchema.write(meta)]);
}

/** @throws InvalidFrame */
export function decodeSnapshotMeta(bytes: Uint8Array): SnapshotMeta {
  return decode(bytes, KINDS.snapshotMeta, "snapshotMeta", { count: 1, read: readSnapshotMeta });
}

function decode<Out>(bytes: Uint8Array, kind: number, concept: string, row: RowReader<Out>): Out {
  const reader = openKind(bytes, kind, concept, row.count);
  const value = row.read(reader);
  reader.finish();
  return value;
}
