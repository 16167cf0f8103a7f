/**
 * Whether a file is a whole qcow2 disk that stands for itself. QEMU would open files that its header names, so one that
 * names any is refused, and so is one that claims more than the limits or points beyond its own end.
 *
 * Checked: the header and its extensions, and all tables that say where the guest's data is. Not checked: the
 * refcounts, which only writing needs (an image is never written to), and what the guest has in it.
 */
import type { FileHandle } from "node:fs/promises";
import { readAt } from "./chunks.ts";
import { VIRTUAL_BYTES_MAX } from "./description.ts";
import { ImageError } from "./image-error.ts";

export const QCOW2_MAGIC = 0x514649fb;

const HEADER_BYTES = 104;
const HEADER_BYTES_V2 = 72;
const CLUSTER_BITS = { min: 12, max: 21 } as const;
/** As in QEMU: of the table that all others are found by. */
const L1_BYTES_MAX = 32 * 1024 * 1024;
/** Of those that a reader has to know: all but the kind of compression means another file, or a damaged one. */
const COMPRESSION_BIT = 0b1000n;
const EXTENSION = { end: 0, externalData: 0x44415441 } as const;
const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n;
const COMPRESSED = 1n << 62n;

/** Resolves to the size of the disk that the guest sees. @throws ImageError */
export async function checkQcow2(file: FileHandle, fileBytes: number): Promise<number> {
  const header = await readView(file, 0, HEADER_BYTES);
  if (header.byteLength < HEADER_BYTES_V2) throw truncated("header");
  const version = header.getUint32(4);
  if (version !== 2 && version !== 3) throw wrong("version", `${version}, not 2 or 3`);
  if (version === 3 && header.byteLength < HEADER_BYTES) throw truncated("header");
  if (header.getBigUint64(8) !== 0n || header.getUint32(16) !== 0)
    throw wrong(
      "backingFile",
      "it is only what differs from another file: flatten it with `qemu-img convert -O qcow2`",
    );
  const clusterBits = header.getUint32(20);
  if (clusterBits < CLUSTER_BITS.min || clusterBits > CLUSTER_BITS.max)
    throw wrong("clusterBits", `${clusterBits}, not ${CLUSTER_BITS.min} to ${CLUSTER_BITS.max}`, CLUSTER_BITS.max);
  const virtualBytes = header.getBigUint64(24);
  if (virtualBytes > BigInt(VIRTUAL_BYTES_MAX))
    throw wrong("virtualBytes", `${virtualBytes} bytes, the limit is ${VIRTUAL_BYTES_MAX}`, VIRTUAL_BYTES_MAX);
  if (virtualBytes === 0n || virtualBytes % 512n !== 0n) throw wrong("virtualBytes", `${virtualBytes} bytes`);
  if (header.getUint32(32) !== 0) throw wrong("encryption", "it is encrypted");
  if (header.getUint32(60) !== 0) throw wrong("snapshots", "it has snapshots inside");
  if (version === 3) await checkVersion3(file, header);
  await checkTables(file, BigInt(fileBytes), header, BigInt(clusterBits), virtualBytes);
  return Number(virtualBytes);
}

async function checkVersion3(file: FileHandle, header: DataView): Promise<void> {
  const incompatible = header.getBigUint64(72);
  if ((incompatible & ~COMPRESSION_BIT) !== 0n)
    throw wrong("incompatibleFeatures", `0x${incompatible.toString(16)}: damaged, or with its data in another file`);
  let at = header.getUint32(100);
  if (at < HEADER_BYTES || at > 4096) throw wrong("headerLength", `${at}`);
  // As many as fit into the first cluster, which has 4 KiB at least.
  while (at + 8 <= 4096) {
    const extension = await readView(file, at, 8);
    if (extension.byteLength < 8) throw truncated("header");
    const kind = extension.getUint32(0);
    if (kind === EXTENSION.end) return;
    if (kind === EXTENSION.externalData) throw wrong("externalData", "its data is in another file");
    at += 8 + Math.ceil(extension.getUint32(4) / 8) * 8;
  }
}

/** Two levels of tables: each entry of the first (L1) has the place of a table of the second, of one cluster. */
async function checkTables(
  file: FileHandle,
  fileBytes: bigint,
  header: DataView,
  clusterBits: bigint,
  virtualBytes: bigint,
): Promise<void> {
  const clusterBytes = 1n << clusterBits;
  const entryCovers = clusterBytes * (clusterBytes / 8n);
  const l1Entries = BigInt(header.getUint32(36));
  const l1At = header.getBigUint64(40);
  if (l1Entries * 8n > BigInt(L1_BYTES_MAX))
    throw wrong("l1Size", `${l1Entries} entries, the limit is ${L1_BYTES_MAX / 8}`, L1_BYTES_MAX / 8);
  if (l1Entries * entryCovers < virtualBytes) throw wrong("l1Size", `${l1Entries} entries do not cover the disk`);
  if (l1At % clusterBytes !== 0n) throw wrong("l1Table", "it is not at a cluster");
  if (l1At === 0n || l1At + l1Entries * 8n > fileBytes) throw truncated("l1Table");
  const l1 = await readView(file, Number(l1At), Number(l1Entries) * 8);
  const tables = new Set<bigint>();
  for (let entry = 0; entry < l1.byteLength; entry += 8) {
    const tableAt = l1.getBigUint64(entry) & OFFSET_MASK;
    if (tableAt === 0n) continue;
    if (tableAt % clusterBytes !== 0n) throw wrong("l2Table", "it is not at a cluster");
    if (tableAt + clusterBytes > fileBytes) throw truncated("l2Table");
    // Otherwise a small file could be made to take for ever.
    if (tables.has(tableAt)) throw wrong("l2Table", "two entries have the same");
    tables.add(tableAt);
    const l2 = await readView(file, Number(tableAt), Number(clusterBytes));
    for (let place = 0; place < l2.byteLength; place += 8) checkEntry(l2.getBigUint64(place), fileBytes, clusterBits);
  }
}

function checkEntry(entry: bigint, fileBytes: bigint, clusterBits: bigint): void {
  const isCompressed = (entry & COMPRESSED) !== 0n;
  const offset = isCompressed ? entry & ((1n << (62n - (clusterBits - 8n))) - 1n) : entry & OFFSET_MASK;
  if (offset === 0n) return;
  if (!isCompressed && offset % (1n << clusterBits) !== 0n) throw wrong("cluster", "it is not at a cluster");
  if (offset >= fileBytes) throw truncated("cluster");
}

async function readView(file: FileHandle, at: number, length: number): Promise<DataView> {
  const bytes = await readAt(file, at, length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function wrong(field: string, found: string, limit?: number): ImageError {
  return new ImageError(`disk.${field}: ${found}`, {
    field: `disk.${field}`,
    ...(limit === undefined ? {} : { limit }),
  });
}

function truncated(field: string): ImageError {
  return wrong(field, "beyond the end of the file, which is truncated");
}
