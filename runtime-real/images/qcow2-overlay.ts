/**
 * The disk of a machine: a qcow2 file in which everything is still as in its image. It names no file: whoever starts
 * QEMU says what lies below it.
 *
 *     header │ refcount table │ refcount block │ L1 table       a cluster each, the last one more for large disks
 */
import { QCOW2_MAGIC } from "./qcow2.ts";

const CLUSTER_BITS = 16;
const CLUSTER_BYTES = 2 ** CLUSTER_BITS;
/** What an entry of the L1 table covers. */
const ENTRY_COVERS_BYTES = CLUSTER_BYTES * (CLUSTER_BYTES / 8);
const HEADER_LENGTH = 104;
/** Two bytes each. */
const REFCOUNT_ORDER = 4;

/** @param virtualBytes of the disk that the guest sees, whole sectors */
export function emptyQcow2(virtualBytes: number): Uint8Array {
  const l1Entries = Math.ceil(virtualBytes / ENTRY_COVERS_BYTES);
  const clusters = 3 + Math.ceil((l1Entries * 8) / CLUSTER_BYTES);
  const bytes = new Uint8Array(clusters * CLUSTER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, QCOW2_MAGIC);
  view.setUint32(4, 3);
  view.setUint32(20, CLUSTER_BITS);
  view.setBigUint64(24, BigInt(virtualBytes));
  view.setUint32(36, l1Entries);
  view.setBigUint64(40, BigInt(3 * CLUSTER_BYTES));
  view.setBigUint64(48, BigInt(CLUSTER_BYTES));
  view.setUint32(56, 1);
  view.setUint32(96, REFCOUNT_ORDER);
  view.setUint32(100, HEADER_LENGTH);
  view.setBigUint64(CLUSTER_BYTES, BigInt(2 * CLUSTER_BYTES));
  for (let cluster = 0; cluster < clusters; cluster++) view.setUint16(2 * CLUSTER_BYTES + 2 * cluster, 1);
  return bytes;
}
