/**
 * The images of a host, each in a directory that is named by its digest: see description.ts. An image is made whole or
 * not at all, also if the power fails, and never changed.
 *
 *     sha256-HEX/image.json     its description
 *     sha256-HEX/kernel, initrd
 *     fetch-HEX/                the same, as far as it has been fetched: see partial-image.ts
 *     names.json                names that people gave to digests, on this host
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { makeDurable } from "../files/index.ts";
import { copyInChunks, readAt } from "./chunks.ts";
import {
  CHUNK_BYTES,
  chunkLength,
  type Description,
  DIGEST,
  digestOf,
  encodeDescription,
  parseDescription,
} from "./description.ts";
import { ImageError } from "./image-error.ts";
import { PartialImage } from "./partial-image.ts";

const namesSchema = z.record(z.string(), z.string().regex(DIGEST));

/** An image that boots from a kernel. */
export interface KernelImage {
  readonly digest: string;
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** More words for the kernel. */
  readonly commandLine: string;
}

export interface NamedImage {
  readonly digest: string;
  /** Sorted. */
  readonly names: readonly string[];
}

export class ImageStore {
  readonly #folder: string;

  /** @param folder is made when the first image is added. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Sorted by digest. */
  list(): readonly NamedImage[] {
    if (!existsSync(this.#folder)) return [];
    const names = Object.entries(this.#names());
    return readdirSync(this.#folder)
      .filter((entry) => /^sha256-[0-9a-f]{64}$/.test(entry))
      .sort()
      .map((entry) => {
        const digest = entry.replace("-", ":");
        return { digest, names: names.flatMap(([name, of]) => (of === digest ? [name] : [])).sort() };
      });
  }

  /** Of an image with that name, or of any with that digest, whether it is here or not; null: nobody gave that name. */
  digestOf(nameOrDigest: string): string | null {
    if (DIGEST.test(nameOrDigest)) return nameOrDigest;
    const names = this.#names();
    return Object.hasOwn(names, nameOrDigest) ? (names[nameOrDigest] ?? null) : null;
  }

  has(digest: string): boolean {
    return existsSync(this.#path(digest, "image.json"));
  }

  /**
   * What a name or a digest stands for on this host.
   *
   * @throws ImageError when there is no such image here.
   */
  find(nameOrDigest: string): KernelImage {
    const digest = this.digestOf(nameOrDigest);
    if (digest === null || !this.has(digest)) throw new ImageError(`there is no image ${nameOrDigest} on this host`);
    const { commandLine } = parseDescription(this.description(digest), digest);
    return {
      digest,
      kernelPath: this.#path(digest, "kernel"),
      initrdPath: this.#path(digest, "initrd"),
      commandLine,
    };
  }

  /** As bytes. @throws Error when the image is not here. */
  description(digest: string): Uint8Array {
    return readFileSync(this.#path(digest, "image.json"));
  }

  /**
   * A part of one of its files, by its place in the description; null: there is none.
   *
   * @throws Error when the image is not here.
   */
  async chunk(digest: string, file: number, index: number): Promise<Uint8Array | null> {
    const described = parseDescription(this.description(digest), digest).files[file];
    const length = described === undefined ? 0 : chunkLength(described, index);
    if (described === undefined || length === 0) return null;
    const handle = await open(this.#path(digest, described.name), "r");
    try {
      return await readAt(handle, index * CHUNK_BYTES, length);
    } finally {
      await handle.close();
    }
  }

  /** Copies both files into the store. Resolves to the digest, which follows from what they hold. @throws ImageError */
  async add(kernelPath: string, initrdPath: string, commandLine: string, name: string): Promise<string> {
    this.#makeFolder();
    const made = join(this.#folder, `new-${randomUUID()}`);
    mkdirSync(made, { mode: 0o700 });
    try {
      const kernel = await copyInChunks(kernelPath, join(made, "kernel"), "kernel");
      const initrd = await copyInChunks(initrdPath, join(made, "initrd"), "initrd");
      const described: Description = { version: 2, kind: "kernel", commandLine, files: [kernel, initrd] };
      const bytes = encodeDescription(described);
      const digest = digestOf(bytes);
      parseDescription(bytes, digest);
      writeFileSync(join(made, "image.json"), bytes, { mode: 0o600 });
      for (const part of ["image.json", "."]) makeDurable(join(made, part));
      this.#take(made, digest);
      this.#replaceNames({ ...this.#names(), [name]: digest });
      return digest;
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  }

  /** What there is of an image that is being fetched, which may be nothing. @throws ImageError */
  async partial(digest: string, described: Uint8Array): Promise<PartialImage> {
    this.#makeFolder();
    return await PartialImage.open(this.#partialPath(digest), digest, described);
  }

  /** It is all there: the image is one of this host from now on. */
  async finish(digest: string, partial: PartialImage): Promise<void> {
    await partial.finish();
    this.#take(this.#partialPath(digest), digest);
  }

  /** What was fetched and is not wanted any more. */
  dropPartial(digest: string): void {
    rmSync(this.#partialPath(digest), { recursive: true, force: true });
  }

  /** Drops what has been left half fetched since `beforeMs` of the wall clock. */
  dropPartials(beforeMs: number, isWanted: (digest: string) => boolean): void {
    if (!existsSync(this.#folder)) return;
    for (const entry of readdirSync(this.#folder)) {
      const [, hex] = /^fetch-([0-9a-f]{64})$/.exec(entry) ?? [];
      if (hex === undefined || isWanted(`sha256:${hex}`)) continue;
      if (statSync(join(this.#folder, entry)).mtimeMs < beforeMs)
        rmSync(join(this.#folder, entry), { recursive: true, force: true });
    }
  }

  /** Gives a directory that holds all of an image its name. */
  #take(made: string, digest: string): void {
    const path = this.#path(digest);
    if (existsSync(path)) rmSync(made, { recursive: true });
    else renameSync(made, path);
    makeDurable(this.#folder);
  }

  #makeFolder(): void {
    if (existsSync(this.#folder)) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    makeDurable(dirname(this.#folder));
  }

  #path(digest: string, ...parts: readonly string[]): string {
    if (!DIGEST.test(digest)) throw new Error(`${digest} is no digest`);
    return join(this.#folder, digest.replace(":", "-"), ...parts);
  }

  #partialPath(digest: string): string {
    if (!DIGEST.test(digest)) throw new Error(`${digest} is no digest`);
    return join(this.#folder, digest.replace("sha256:", "fetch-"));
  }

  #names(): Readonly<Record<string, string>> {
    try {
      return namesSchema.parse(JSON.parse(readFileSync(join(this.#folder, "names.json"), "utf8")));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
      throw error;
    }
  }

  #replaceNames(names: Readonly<Record<string, string>>): void {
    const path = join(this.#folder, "names.json");
    writeFileSync(`${path}.new`, JSON.stringify(names));
    makeDurable(`${path}.new`);
    renameSync(`${path}.new`, path);
    makeDurable(this.#folder);
  }
}
