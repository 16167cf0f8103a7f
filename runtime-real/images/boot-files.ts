/** Whether files look like a kernel that QEMU loads, and like what a kernel unpacks. */
import { open } from "node:fs/promises";
import { readAt } from "./chunks.ts";
import { ImageError } from "./image-error.ts";

/** Of the archive itself, and of what may be around it. */
const INITRD_STARTS: readonly (readonly number[])[] = [
  // cpio "newc", without and with checksums
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x31],
  [0x30, 0x37, 0x30, 0x37, 0x30, 0x32],
  // gzip, bzip2, lzma, xz, lzo, lz4, zstd
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0x5d, 0x00, 0x00],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x89, 0x4c, 0x5a, 0x4f],
  [0x02, 0x21, 0x4c, 0x18],
  [0x28, 0xb5, 0x2f, 0xfd],
];
const ELF = [0x7f, 0x45, 0x4c, 0x46];
/** "HdrS" of the boot protocol of x86. */
const BOOT_HEADER = { at: 0x202, bytes: [0x48, 0x64, 0x72, 0x53] } as const;

/** @throws ImageError */
export async function checkKernel(path: string): Promise<void> {
  const start = await startOf(path, 0x210);
  if (!has(start, 0, ELF) && !has(start, BOOT_HEADER.at, BOOT_HEADER.bytes))
    throw new ImageError("kernel: it is no Linux kernel for x86, neither a bzImage nor ELF", { field: "kernel" });
}

/** @throws ImageError */
export async function checkInitrd(path: string): Promise<void> {
  const start = await startOf(path, 8);
  if (!INITRD_STARTS.some((bytes) => has(start, 0, bytes)))
    throw new ImageError("initrd: it is no cpio archive, packed or not", { field: "initrd" });
}

async function startOf(path: string, length: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    return await readAt(file, 0, length);
  } finally {
    await file.close();
  }
}

function has(bytes: Uint8Array, at: number, wanted: readonly number[]): boolean {
  return wanted.every((byte, place) => bytes[at + place] === byte);
}
