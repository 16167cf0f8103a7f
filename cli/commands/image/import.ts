import type { Command } from "commander";
import { loadImages } from "../../../runtime-real/index.ts";
import { FailureError, type Session, UsageError, withExamples } from "../../frame/index.ts";
import { type CopyFlags, madeHere, withCopyOptions } from "./copies.ts";

interface ImportFlags extends CopyFlags {
  readonly name: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly cmdline?: string;
  readonly disk?: string;
  readonly sha256?: string;
}

const SAY_WHICH = "give --kernel FILE and --initrd FILE, or --disk FILE";

export function registerImport(image: Command, session: Session): void {
  withCopyOptions(
    withExamples(image.command("import"), [
      "blixard image import --name small --kernel vmlinuz --initrd initrd.img --cmdline quiet",
      "blixard image import --name debian --disk debian-12-genericcloud-amd64.qcow2",
    ]).description(
      "Make an image of files: of a kernel and its initrd, or of a disk, raw or qcow2. Returns when another worker has a copy too, if there is one.",
    ),
  )
    .requiredOption("--name <name>", "what to call it on this host")
    .option("--kernel <file>", "a Linux kernel")
    .option("--initrd <file>", "what the kernel unpacks and starts")
    .option("--cmdline <words>", "more words for the kernel")
    .option("--disk <file>", "a disk that boots by itself")
    .option("--sha256 <hex>", "what the file of the disk is to have")
    .action(async (flags: ImportFlags) => {
      await madeHere(flags.name, await imported(flags), flags, session);
    });
}

async function imported({ name, kernel, initrd, cmdline, disk, sha256, dataDir }: ImportFlags): Promise<string> {
  const { ImageError, ImageStore, imagesFolder, importDisk, importKernel } = await loadImages();
  const store = new ImageStore(imagesFolder(dataDir));
  try {
    if (disk !== undefined) {
      if (kernel !== undefined || initrd !== undefined || cmdline !== undefined)
        throw new UsageError("a disk has its own kernel", SAY_WHICH);
      return await importDisk(store, name, { disk, sha256: sha256 ?? null });
    }
    if (kernel === undefined || initrd === undefined) throw new UsageError("it is not said of what", SAY_WHICH);
    if (sha256 !== undefined) throw new UsageError("--sha256 is that of a disk", SAY_WHICH);
    return await importKernel(store, name, { kernel, initrd, commandLine: cmdline ?? "" });
  } catch (error) {
    if (error instanceof ImageError) throw new FailureError(error.message, "nothing was imported");
    throw error;
  }
}
