/**
 * An image that is being fetched, in a directory of its own. There is no record of which chunks are there: whoever
 * goes on after an interruption reads what there is, and keeps the chunks that are as described. So what was damaged
 * meanwhile is fetched again, and nothing else.
 */
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDurable } from "../files/index.ts";
import { isZeroChunk, readAt, writeAt } from "./chunks.ts";
import { CHUNK_BYTES, chunkLength, type DescribedFile, parseDescription, sha256, sizeOf } from "./description.ts";
import { ImageError } from "./image-error.ts";

/** What a copy of an image leaves free of the disk. */
export const ROOM_LEFT_BYTES = 256 * 1024 * 1024;

export class PartialImage {
  readonly #folder: string;
  readonly #files: readonly DescribedFile[];
  readonly sizeBytes: number;
  #doneBytes = 0;

  private constructor(folder: string, files: readonly DescribedFile[]) {
    this.#folder = folder;
    this.#files = files;
    this.sizeBytes = sizeOf(files);
  }

  /**
   * Makes the directory, unless it is there already.
   *
   * @param described the description of the image, from whoever.
   * @throws ImageError when it is not what the digest says, or when the disk has no room for the image.
   */
  static async open(folder: string, digest: string, described: Uint8Array): Promise<PartialImage> {
    const partial = new PartialImage(folder, parseDescription(described, digest).files);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await partial.#demandRoom();
    await writeFile(join(folder, "image.json"), described, { mode: 0o600 });
    return partial;
  }

  /** Of all its files, what is there and as described. */
  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** What is there already takes its room already. */
  async #demandRoom(): Promise<void> {
    let leftBytes = this.sizeBytes;
    for (const { name } of this.#files) {
      const path = join(this.#folder, name);
      if (existsSync(path)) leftBytes -= (await stat(path)).size;
    }
    const { bavail, bsize } = await statfs(this.#folder);
    const roomBytes = bavail * bsize - ROOM_LEFT_BYTES;
    if (leftBytes > roomBytes)
      throw new ImageError(
        `files: ${this.sizeBytes} bytes, and the disk of this host has room for ${Math.max(0, roomBytes)}`,
        { field: "files", limit: Math.max(0, roomBytes) },
      );
  }

  /** Each chunk that is not there yet, in order. */
  async *missing(): AsyncGenerator<{ readonly file: number; readonly index: number }> {
    this.#doneBytes = 0;
    for (const [file, described] of this.#files.entries()) {
      const handle = await this.#open(described);
      try {
        for (let index = 0; index < described.chunks.length; index++) {
          if (await isThere(handle, described, index)) this.#doneBytes += chunkLength(described, index);
          else yield { file, index };
        }
      } finally {
        await handle.close();
      }
    }
  }

  /** False: the bytes are not what the image has there, and nothing is written. */
  async write(file: number, index: number, bytes: Uint8Array): Promise<boolean> {
    const described = this.#files[file];
    if (described === undefined || bytes.length !== chunkLength(described, index)) return false;
    if (sha256(bytes) !== described.chunks[index]) return false;
    const handle = await this.#open(described);
    try {
      await writeAt(handle, index * CHUNK_BYTES, bytes);
    } finally {
      await handle.close();
    }
    this.#doneBytes += bytes.length;
    return true;
  }

  /** All chunks are there: gives the files their length, where they end in zeros, and makes everything durable. */
  async finish(): Promise<void> {
    for (const described of this.#files) {
      const handle = await this.#open(described);
      try {
        await handle.truncate(described.sizeBytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    for (const part of ["image.json", "."]) makeDurable(join(this.#folder, part));
  }

  async #open({ name }: DescribedFile): Promise<FileHandle> {
    const path = join(this.#folder, name);
    return await open(path, existsSync(path) ? "r+" : "wx+", 0o600);
  }
}

async function isThere(handle: FileHandle, described: DescribedFile, index: number): Promise<boolean> {
  const length = chunkLength(described, index);
  const bytes = await readAt(handle, index * CHUNK_BYTES, length);
  // A file that is not as long yet is a hole from there on.
  if (bytes.length < length) return isZeroChunk(described, index) && bytes.every((byte) => byte === 0);
  return sha256(bytes) === described.chunks[index];
}
