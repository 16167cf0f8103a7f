/**
 * The images of a host, each in a directory that is named by its digest: the SHA-256 of its description, which holds
 * the SHA-256 of each of its files. An image is made whole or not at all, also if the power fails, and never changed.
 *
 *     sha256-HEX/image.json     what it is
 *     sha256-HEX/kernel, initrd
 *     names.json                names that people gave to digests, on this host
 */
import { createHash, randomUUID } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { makeDurable } from "../files/index.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const descriptionSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal("kernel"),
  kernel: sha256,
  initrd: sha256,
  commandLine: z.string().max(1024),
});
type Description = z.infer<typeof descriptionSchema>;

/** As a specification names it. */
const DIGEST = /^sha256:([0-9a-f]{64})$/;

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

export class ImageError extends Error {
  override readonly name = "ImageError";
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

  /**
   * What a name or a digest stands for on this host.
   *
   * @throws ImageError when there is no such image here.
   */
  find(nameOrDigest: string): KernelImage {
    const digest = DIGEST.test(nameOrDigest) ? nameOrDigest : this.#names()[nameOrDigest];
    const folder = digest === undefined ? null : this.#folderOf(digest);
    if (digest === undefined || folder === null) throw new ImageError(`there is no image ${nameOrDigest} on this host`);
    let description: Description;
    try {
      description = descriptionSchema.parse(JSON.parse(readFileSync(join(folder, "image.json"), "utf8")));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT")
        throw new ImageError(`there is no image ${nameOrDigest} on this host`);
      throw new ImageError(`the image ${nameOrDigest} is damaged: ${error instanceof Error ? error.message : error}`);
    }
    const { commandLine } = description;
    return { digest, kernelPath: join(folder, "kernel"), initrdPath: join(folder, "initrd"), commandLine };
  }

  /** Copies both files into the store. Resolves to the digest, which follows from what they hold. */
  async add(kernelPath: string, initrdPath: string, commandLine: string, name: string): Promise<string> {
    if (!existsSync(this.#folder)) {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      makeDurable(dirname(this.#folder));
    }
    const made = join(this.#folder, `new-${randomUUID()}`);
    mkdirSync(made, { mode: 0o700 });
    try {
      await copyFile(kernelPath, join(made, "kernel"));
      await copyFile(initrdPath, join(made, "initrd"));
      const description: Description = {
        version: 1,
        kind: "kernel",
        kernel: await sha256Of(join(made, "kernel")),
        initrd: await sha256Of(join(made, "initrd")),
        commandLine,
      };
      const text = JSON.stringify(description);
      writeFileSync(join(made, "image.json"), text);
      for (const file of ["kernel", "initrd", "image.json", "."]) makeDurable(join(made, file));
      const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
      const folder = join(this.#folder, digest.replace(":", "-"));
      if (!existsSync(folder)) renameSync(made, folder);
      makeDurable(this.#folder);
      this.#replaceNames({ ...this.#names(), [name]: digest });
      return digest;
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  }

  #folderOf(digest: string): string | null {
    return DIGEST.test(digest) ? join(this.#folder, digest.replace(":", "-")) : null;
  }

  #names(): Readonly<Record<string, string>> {
    try {
      return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(join(this.#folder, "names.json"), "utf8")));
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

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
