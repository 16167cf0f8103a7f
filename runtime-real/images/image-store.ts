/**
 * The images of a host, each in a directory that is named by its digest: see description.ts. An image is made whole or
 * not at all, also if the power fails, and never changed.
 *
 *     sha256-HEX/image.json     its description
 *     sha256-HEX/kernel, initrd; or disk
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
  type DiskFormat,
  digestOf,
  encodeDescription,
  type ImageFileName,
  parseDescription,
} from "./description.ts";
import { ImageError } from "./image-error.ts";
import { PartialImage } from "./partial-image.ts";

const namesSchema = z.record(z.string(), z.string().regex(DIGEST));

/** An image that boots from a kernel. */
export interface KernelImage {
  readonly kind: "kernel";
  readonly digest: string;
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** More words for the kernel. */
  readonly commandLine: string;
}

/** An image that boots as a disk does. */
export interface DiskImage {
  readonly kind: "disk";
  readonly digest: string;
  readonly diskPath: string;
  readonly format: DiskFormat;
  /** Of the disk that the guest sees. */
  readonly virtualBytes: number;
}

export type BootImage = KernelImage | DiskImage;

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
  find(nameOrDigest: string): BootImage {
    const digest = this.digestOf(nameOrDigest);
    if (digest === null || !this.has(digest)) throw new ImageError(`there is no image ${nameOrDigest} on this host`);
    const described = this.describe(digest);
    const path = (file: ImageFileName): string => this.#path(digest, file);
    switch (described.kind) {
      case "kernel": {
        const { kind, commandLine } = described;
        return { kind, digest, kernelPath: path("kernel"), initrdPath: path("initrd"), commandLine };
      }
      case "disk": {
        const { kind, format, virtualBytes } = described;
        return { kind, digest, diskPath: path("disk"), format, virtualBytes };
      }
    }
  }

  /** @throws Error when the image is not here. */
  describe(digest: string): Description {
    return parseDescription(this.description(digest), digest);
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
    const described = this.describe(digest).files[file];
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
    return await this.make(name, async (folder) => {
      const { described: kernel } = await copyInChunks(kernelPath, join(folder, "kernel"), "kernel");
      const { described: initrd } = await copyInChunks(initrdPath, join(folder, "initrd"), "initrd");
      return { version: 2, kind: "kernel", commandLine, files: [kernel, initrd] };
    });
  }

  /**
   * Makes an image of what `fill` puts into a directory, and gives it that name. Resolves to the digest.
   *
   * @throws ImageError, and what `fill` throws; then there is nothing of it
   */
  async make(name: string, fill: (folder: string) => Promise<Description>): Promise<string> {
    this.#makeFolder();
    const made = join(this.#folder, `new-${randomUUID()}`);
    mkdirSync(made, { mode: 0o700 });
    try {
      const bytes = encodeDescription(await fill(made));
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

  /** Takes an image, and its names, from this host. False: it is not here. */
  remove(digest: string): boolean {
    if (!this.has(digest)) return false;
    const names = Object.entries(this.#names()).filter(([, of]) => of !== digest);
    this.#replaceNames(Object.fromEntries(names));
    // At once: nobody is to find half of it.
    const gone = join(this.#folder, `new-${randomUUID()}`);
    renameSync(this.#path(digest), gone);
    makeDurable(this.#folder);
    rmSync(gone, { recursive: true, force: true });
    return true;
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

  /** Drops what has been left half fetched, or half made, since `beforeMs` of the wall clock. */
  dropPartials(beforeMs: number, isWanted: (digest: string) => boolean): void {
    if (!existsSync(this.#folder)) return;
    for (const entry of readdirSync(this.#folder)) {
      const [, hex] = /^(?:fetch-([0-9a-f]{64})|new-.*)$/.exec(entry) ?? [null];
      if (hex === null || (hex !== undefined && isWanted(`sha256:${hex}`))) continue;
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
    return join(this.#folder, folderName(digest), ...parts);
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

/** Of the directory of an image. */
export function folderName(digest: string): string {
  if (!DIGEST.test(digest)) throw new Error(`${digest} is no digest`);
  return digest.replace(":", "-");
}
