/** Files as rows of chunks, read and written one at a time, so that no file has to fit into memory. */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import {
  CHUNK_BYTES,
  chunkLength,
  type DescribedFile,
  IMAGE_BYTES_MAX,
  type ImageFileName,
  sha256,
} from "./description.ts";
import { ImageError } from "./image-error.ts";

/** What is at that place of a file: fewer bytes where the file ends before. */
export async function readAt(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

const ZEROS = new Uint8Array(CHUNK_BYTES);
const ZERO_CHUNK = sha256(ZEROS);

/** Whether there is nothing but zeros in a chunk: then it need not be copied, and takes no room on the disk. */
export function isZeroChunk(file: DescribedFile, index: number): boolean {
  const hash = file.chunks[index];
  const length = chunkLength(file, index);
  return hash === (length === CHUNK_BYTES ? ZERO_CHUNK : sha256(ZEROS.subarray(0, length)));
}

/**
 * Copies a file, and describes the copy. Where it is nothing but zeros the copy has a hole.
 *
 * @throws ImageError when it is empty or too long.
 */
export async function copyInChunks(
  from: string,
  to: string,
  name: ImageFileName,
): Promise<{ readonly described: DescribedFile; readonly fileSha256: string }> {
  const source = await openFile(from, name);
  const target = await open(to, "wx", 0o600);
  try {
    const chunks: string[] = [];
    const whole = createHash("sha256");
    let sizeBytes = 0;
    let bytes = await readAt(source, sizeBytes, CHUNK_BYTES);
    while (bytes.length > 0) {
      if (sizeBytes + bytes.length > IMAGE_BYTES_MAX) throw tooLong(name, from, "more");
      const hash = sha256(bytes);
      chunks.push(hash);
      whole.update(bytes);
      if (hash !== ZERO_CHUNK) await writeAt(target, sizeBytes, bytes);
      sizeBytes += bytes.length;
      bytes = await readAt(source, sizeBytes, CHUNK_BYTES);
    }
    if (sizeBytes === 0) throw new ImageError(`${name}: ${from} is empty`, { field: name });
    await target.truncate(sizeBytes);
    await target.sync();
    return { described: { name, sizeBytes, chunks }, fileSha256: whole.digest("hex") };
  } finally {
    await source.close();
    await target.close();
  }
}

export async function writeAt(file: FileHandle, at: number, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
    written += bytesWritten;
  }
}

/** @throws ImageError */
async function openFile(path: string, field: string): Promise<FileHandle> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw new ImageError(`${field}: ${error instanceof Error ? error.message : error}`, { field });
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new ImageError(`${field}: ${path} is no file`, { field });
    if (status.size > IMAGE_BYTES_MAX) throw tooLong(field, path, `${status.size}`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function tooLong(field: string, path: string, size: string): ImageError {
  return new ImageError(`${field}: ${path} has ${size} bytes, the limit is ${IMAGE_BYTES_MAX}`, {
    field,
    limit: IMAGE_BYTES_MAX,
  });
}
