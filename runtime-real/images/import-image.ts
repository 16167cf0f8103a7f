/**
 * Makes images of files that people have. What is checked is the copy in the store, so nobody can change it afterwards.
 */
import { join } from "node:path";
import { checkInitrd, checkKernel } from "./boot-files.ts";
import { copyInChunks } from "./chunks.ts";
import { checkDisk } from "./disk-format.ts";
import { ImageError } from "./image-error.ts";
import type { ImageStore } from "./image-store.ts";

const NAME = /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/;

export interface KernelFiles {
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
}

/** Resolves to the digest. @throws ImageError */
export async function importKernel(store: ImageStore, name: string, files: KernelFiles): Promise<string> {
  checkName(name);
  const { commandLine } = files;
  return await store.make(name, async (folder) => {
    const [kernelPath, initrdPath] = [join(folder, "kernel"), join(folder, "initrd")];
    const { described: kernel } = await copyInChunks(files.kernel, kernelPath, "kernel");
    const { described: initrd } = await copyInChunks(files.initrd, initrdPath, "initrd");
    await checkKernel(kernelPath);
    await checkInitrd(initrdPath);
    return { version: 2, kind: "kernel", commandLine, files: [kernel, initrd] };
  });
}

export interface DiskFile {
  readonly disk: string;
  /** Hexadecimal: what the whole file is to have; null: whatever it has. */
  readonly sha256: string | null;
}

/** As `importKernel`. */
export async function importDisk(store: ImageStore, name: string, { disk, sha256 }: DiskFile): Promise<string> {
  checkName(name);
  return await store.make(name, async (folder) => {
    const path = join(folder, "disk");
    const { described, fileSha256 } = await copyInChunks(disk, path, "disk");
    if (sha256 !== null && fileSha256 !== sha256.toLowerCase())
      throw new ImageError(`sha256: ${disk} has ${fileSha256}, not ${sha256}`, { field: "sha256" });
    const { format, virtualBytes } = await checkDisk(path);
    return { version: 2, kind: "disk", format, virtualBytes, files: [described] };
  });
}

function checkName(name: string): void {
  if (!NAME.test(name))
    throw new ImageError(
      `name: ${name} is none: lower-case letters, digits, and inner dots, underscores and hyphens, 64 at most`,
      { field: "name", limit: 64 },
    );
}
