/** What kind of disk a file holds: qcow2, or the bytes of the disk themselves (raw). */
import { open } from "node:fs/promises";
import { readAt } from "./chunks.ts";
import type { DiskFormat } from "./description.ts";
import { ImageError } from "./image-error.ts";
import { checkQcow2, QCOW2_MAGIC } from "./qcow2.ts";

const SECTOR_BYTES = 512;

export interface CheckedDisk {
  readonly format: DiskFormat;
  /** Of the disk that the guest sees. */
  readonly virtualBytes: number;
}

/** @throws ImageError when it is no disk that a machine could boot from. */
export async function checkDisk(path: string): Promise<CheckedDisk> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const start = await readAt(file, 0, SECTOR_BYTES);
    if (new DataView(start.buffer, start.byteOffset).getUint32(0) === QCOW2_MAGIC)
      return { format: "qcow2", virtualBytes: await checkQcow2(file, size) };
    checkRaw(start, size);
    return { format: "raw", virtualBytes: size };
  } finally {
    await file.close();
  }
}

/** The first sector of what a firmware boots ends with this, also where the partitions are those of UEFI. */
function checkRaw(start: Uint8Array, sizeBytes: number): void {
  if (sizeBytes % SECTOR_BYTES !== 0)
    throw new ImageError(`disk: ${sizeBytes} bytes are no whole sectors of ${SECTOR_BYTES}: is it truncated?`, {
      field: "disk",
    });
  if (start[510] !== 0x55 || start[511] !== 0xaa)
    throw new ImageError("disk: neither qcow2 nor a raw disk that boots: its first sector has no boot signature", {
      field: "disk",
    });
}
