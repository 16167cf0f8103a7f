/** What a snapshot stands for: on every chunk that travels, and on its own for storage. */

import { InvalidFrame, openKind, type Packed, type Reader, seal } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import type { SnapshotMeta } from "../types.ts";
import { packConfiguration, packLinks, readConfiguration, readLinks } from "./configuration.ts";
import { KINDS } from "./kinds.ts";

/** @throws InvalidFrame naming "frame" when the lineage is so long that the result exceeds `LIMITS.frameBytes`. */
export function encodeSnapshotMeta(meta: SnapshotMeta): Uint8Array {
  return seal([KINDS.snapshotMeta, packSnapshotMeta(meta)]);
}

/** @throws InvalidFrame */
export function decodeSnapshotMeta(bytes: Uint8Array): SnapshotMeta {
  const reader = openKind(bytes, KINDS.snapshotMeta, "snapshotMeta", 1);
  const meta = readSnapshotMeta(reader);
  reader.finish();
  return meta;
}

export function packSnapshotMeta(meta: SnapshotMeta): Packed {
  return [
    meta.index,
    meta.term,
    meta.chain,
    packConfiguration(meta.configuration),
    meta.configurationIndex,
    packLinks(meta.lineage),
    meta.digest,
    meta.chunkCount,
    meta.sizeBytes,
  ];
}

export function readSnapshotMeta(reader: Reader): SnapshotMeta {
  reader.tuple("meta", 9);
  const meta: SnapshotMeta = {
    index: reader.natural("meta.index"),
    term: reader.natural("meta.term"),
    chain: reader.text("meta.chain", LIMITS.digestLength),
    configuration: readConfiguration(reader),
    configurationIndex: reader.natural("meta.configurationIndex"),
    lineage: readLinks(reader, "meta.lineage"),
    digest: reader.text("meta.digest", LIMITS.digestLength),
    chunkCount: reader.natural("meta.chunkCount", LIMITS.snapshotChunks),
    sizeBytes: reader.natural("meta.sizeBytes"),
  };
  const sizeMax = meta.chunkCount * LIMITS.snapshotChunkBytes;
  if (meta.sizeBytes > sizeMax)
    throw new InvalidFrame("meta.sizeBytes", `${meta.sizeBytes} do not fit ${meta.chunkCount} chunks`, sizeMax);
  return meta;
}
