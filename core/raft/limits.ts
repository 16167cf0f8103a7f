/**
 * Hard limits on what a node accepts from anybody, whatever it is configured to send. Decoding checks them before it
 * allocates.
 */
import { FRAME_BYTES_MAX } from "../wire/index.ts";

export const LIMITS = {
  clusterIdLength: 64,
  peerIdLength: 128,
  digestLength: 64,
  signatureLength: 128,
  members: 1024,
  voters: 7,
  /** With `lineageLinks` configurations of this size, an introduction still fits a frame. */
  retired: 1024,
  lineageLinks: 32,
  entriesPerAppend: 4096,
  entryBytes: 4 * 1024 * 1024,
  snapshotChunkBytes: 1024 * 1024,
  snapshotChunks: 1_048_576,
  frameBytes: FRAME_BYTES_MAX,
} as const;
