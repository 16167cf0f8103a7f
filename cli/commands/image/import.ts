import type { Command } from "commander";
import { loadImages } from "../../../runtime-real/index.ts";
import {
  type ClientOptions,
  progressTo,
  QUESTION_MS,
  untilSeen,
  withClientOptions,
  withNode,
} from "../../client/index.ts";
import { FailureError, type Session, UsageError, withExamples } from "../../frame/index.ts";
import { plural } from "../../output/index.ts";

interface ImportFlags extends ClientOptions {
  readonly name: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly cmdline?: string;
  readonly disk?: string;
  readonly sha256?: string;
  readonly wait: boolean;
}

const SAY_WHICH = "give --kernel FILE and --initrd FILE, or --disk FILE";

export function registerImport(image: Command, session: Session): void {
  const { terminal } = session;
  withClientOptions(
    withExamples(image.command("import"), [
      "blixard image import --name small --kernel vmlinuz --initrd initrd.img --cmdline quiet",
      "blixard image import --name debian --disk debian-12-genericcloud-amd64.qcow2",
    ]).description(
      "Make an image of files: of a kernel and its initrd, or of a disk, raw or qcow2. Returns when another worker has a copy too, if there is one.",
    ),
    { ms: 1_800_000, text: "30m" },
  )
    .requiredOption("--name <name>", "what to call it on this host")
    .option("--kernel <file>", "a Linux kernel")
    .option("--initrd <file>", "what the kernel unpacks and starts")
    .option("--cmdline <words>", "more words for the kernel")
    .option("--disk <file>", "a disk that boots by itself")
    .option("--sha256 <hex>", "what the file of the disk is to have")
    .option("--no-wait", "return when this host has it")
    .action(async (flags: ImportFlags) => {
      const digest = await imported(flags);
      const { name, json } = flags;
      terminal.out(json === true ? JSON.stringify({ name, digest }) : `${name} ${digest}`);
      if (flags.wait) await untilCopied(digest, flags, session);
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

/** Until two workers have it, or the only one. */
async function untilCopied(digest: string, flags: ImportFlags, session: Session): Promise<void> {
  const { name, timeout, json } = flags;
  const { terminal } = session;
  const progress = progressTo(session);
  const interrupt = session.watchInterrupt();
  try {
    const ended = await withNode(flags, (api) =>
      untilSeen(
        async () => {
          const report = await api.call("image.copy", { digest }, { timeoutMs: Math.min(timeout, QUESTION_MS) });
          if (report.progress === "") return report;
          progress(`another worker: ${report.progress} ...`);
          return null;
        },
        performance.now() + timeout,
        interrupt.signal,
      ),
    );
    terminal.progress("");
    if (ended.kind === "timedOut") throw new FailureError("no other worker has it yet", "--timeout waits longer");
    if (ended.kind === "interrupted") {
      terminal.err(`${name} is on this host; another worker goes on to fetch it`);
      session.end(interrupt.exitCode);
    } else if (json !== true) terminal.out(`${name} is on ${plural(ended.result.copies, "worker")}`);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw new FailureError(`${name} is on this host, and maybe on no other: ${error.message}`, error.hint);
  }
}
