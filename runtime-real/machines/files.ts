/**
 * The directory of all machines of a host, which is what is known of them: processes come and go.
 *
 *     NAME/                     mode 0700, like everything here
 *       run-EPOCH/              one run; made whole or not at all
 *         run.json              what to start
 *         qemu/                 its process works here: the only directory that its user may write to
 *         started               empty: the run has begun; there is no second time
 *         stopping              empty: somebody asked it to stop
 *         console.log           the last of the guest's console, console.1.log what came before
 *         end.json              how its process has ended, or why it was not started
 *       root-HEX.qcow2          its disk: what differs from the image with that digest; stays from run to run
 *       previous-EPOCH/         of the last run that had begun before: its console, and how it ended
 *
 * Each file is written once, except the console.
 */
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { DEFAULT_VM_SPEC } from "../../core/index.ts";
import { makeDurable } from "../files/index.ts";
import { CONSOLE_FILES } from "./console-file.ts";
import { ASKERS } from "./machine-process.ts";

export const runSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  epoch: z.int().positive(),
  command: z.string(),
  args: z.array(z.string()),
  opened: z.array(z.object({ fd: z.int(), kind: z.enum(["tap", "file"]), what: z.string() })),
  confinement: z.object({ uid: z.int().nullable(), groups: z.array(z.int()), memoryMaxMiB: z.int() }),
  /** As in the specification. */
  stopTimeoutMs: z.int().default(DEFAULT_VM_SPEC.stopTimeoutMs),
  interfaces: z.array(
    z.object({
      address: z.string(),
      prefixLength: z.int(),
      gateway: z.string().nullable(),
      dns: z.array(z.string()),
      vlan: z.int().nullable(),
      mac: z.string(),
      tap: z.string(),
    }),
  ),
});
/** What the supervisor starts, in the directory of the run. */
export type RunFile = z.infer<typeof runSchema>;

const endSchema = z.object({
  how: z.enum(["exited", "killed", "notStarted", "fenced"]),
  /** What QEMU said caused it (QMP's `ShutdownCause`); null: it said nothing. */
  cause: z.string().nullable(),
  /** Its last words, or else its exit code or signal, or the error; for people. */
  detail: z.string(),
  /** Who had it end, if that was not the cluster; null: nobody. */
  by: z.enum(ASKERS).nullable().default(null),
});
/** How the process of a run has ended. `fenced`: by the fence, or not started because of it. */
export type RunEnd = z.infer<typeof endSchema>;

export interface RunPath {
  readonly name: string;
  readonly epoch: number;
}

/** What is kept of a run when there is another one. */
export interface EarlierRun {
  readonly epoch: number;
  readonly folder: string;
  readonly end: RunEnd | null;
  readonly isAskedToStop: boolean;
}

const RUN_FOLDER = /^run-(\d{1,15})$/;
const ROOT_DISK = /^root-[0-9a-f]{64}\.qcow2$/;
const PREVIOUS_FOLDER = /^previous-(\d{1,15})$/;
/** What is kept of a run when there is another. */
const KEPT_FILES: ReadonlySet<string> = new Set([...Object.values(CONSOLE_FILES), "stopping", "end.json"]);

export class MachineFiles {
  /** Absolute. */
  readonly folder: string;

  /** Makes the directory if it is not there. */
  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** The last run of each machine, sorted by name. What was being made when a process ended is removed. */
  list(): readonly RunPath[] {
    const found: RunPath[] = [];
    for (const entry of readdirSync(this.folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const { name } = entry;
      let epoch = 0;
      for (const part of readdirSync(join(this.folder, name))) {
        if (part.endsWith(".new")) rmSync(join(this.folder, name, part), { recursive: true });
        else epoch = Math.max(epoch, Number(RUN_FOLDER.exec(part)?.[1] ?? 0));
      }
      if (epoch > 0) found.push({ name, epoch });
      else rmSync(join(this.folder, name), { recursive: true });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The directory of a run. Names are labels, so that is safe. */
  path({ name, epoch }: RunPath, ...parts: readonly string[]): string {
    return join(this.folder, name, `run-${epoch}`, ...parts);
  }

  /** Where the process of a run works. */
  workFolder(run: RunPath): string {
    return this.path(run, "qemu");
  }

  /** The last run that had begun before this one; null: there was none on this host. */
  previous(name: string): EarlierRun | null {
    const parent = join(this.folder, name);
    // A machine that could not be built has no directory.
    const parts = existsSync(parent) ? readdirSync(parent) : [];
    const epoch = Math.max(0, ...parts.map((part) => Number(PREVIOUS_FOLDER.exec(part)?.[1] ?? 0)));
    if (epoch === 0) return null;
    const folder = join(parent, `previous-${epoch}`);
    return { epoch, folder, end: endIn(folder), isAskedToStop: existsSync(join(folder, "stopping")) };
  }

  /** Makes the directory of a run, and then removes those of earlier runs, but for the console of the last one. */
  make(run: RunFile): void {
    const made = `${this.path(run)}.new`;
    rmSync(made, { recursive: true, force: true });
    mkdirSync(join(made, "qemu"), { recursive: true, mode: 0o700 });
    const { uid } = run.confinement;
    if (uid !== null) chownSync(join(made, "qemu"), uid, uid);
    writeFileSync(join(made, "run.json"), JSON.stringify(run), { mode: 0o600 });
    renameSync(made, this.path(run));
    const parent = join(this.folder, run.name);
    for (const part of readdirSync(parent)) {
      const epoch = Number(RUN_FOLDER.exec(part)?.[1] ?? run.epoch);
      if (epoch >= run.epoch) continue;
      const earlier = { name: run.name, epoch };
      if (this.isStarted(earlier)) this.#retire(earlier);
      else rmSync(this.path(earlier), { recursive: true });
    }
  }

  /** Keeps its console, in place of that of an earlier one. */
  #retire(run: RunPath): void {
    const kept = this.previous(run.name);
    if (kept !== null && kept.epoch > run.epoch) {
      rmSync(this.path(run), { recursive: true });
      return;
    }
    if (kept !== null) rmSync(kept.folder, { recursive: true });
    const folder = join(this.folder, run.name, `previous-${run.epoch}`);
    renameSync(this.path(run), folder);
    for (const part of readdirSync(folder)) if (!KEPT_FILES.has(part)) rmSync(join(folder, part), { recursive: true });
  }

  /** The path of the disk of a machine that boots that image. */
  rootDisk(name: string, digest: string): string {
    return join(this.folder, name, `root-${digest.replace("sha256:", "")}.qcow2`);
  }

  /**
   * Makes the disk of a machine, unless it has one already, and removes those for other images.
   *
   * @param uid of the user whose it is to be; null: that of this process
   */
  makeRootDisk(name: string, digest: string, bytes: () => Uint8Array, uid: number | null): string {
    const path = this.rootDisk(name, digest);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    for (const part of readdirSync(dirname(path)))
      if (ROOT_DISK.test(part) && part !== basename(path)) rmSync(join(dirname(path), part));
    if (existsSync(path)) return path;
    writeFileSync(`${path}.new`, bytes(), { mode: 0o600 });
    if (uid !== null) chownSync(`${path}.new`, uid, uid);
    makeDurable(`${path}.new`);
    renameSync(`${path}.new`, path);
    return path;
  }

  /** @throws Error when there is no such run. */
  read(run: RunPath): RunFile {
    return runSchema.parse(JSON.parse(readFileSync(this.path(run, "run.json"), "utf8")));
  }

  /** The names of its tap devices; none where somebody has removed its directory. */
  tapsOf(run: RunPath): readonly string[] {
    try {
      return this.read(run).interfaces.map(({ tap }) => tap);
    } catch {
      return [];
    }
  }

  isStarted(run: RunPath): boolean {
    return existsSync(this.path(run, "started"));
  }

  /** False: it was started before. */
  markStarted(run: RunPath): boolean {
    return createdOnce(this.path(run, "started"));
  }

  isAskedToStop(run: RunPath): boolean {
    return existsSync(this.path(run, "stopping"));
  }

  /** Where that cannot be written, because somebody has removed the directory or the disk is full, it is not known. */
  markAskedToStop(run: RunPath): void {
    unlessImpossible(() => createdOnce(this.path(run, "stopping")));
  }

  /** Null: it has not ended, as far as anybody has seen. */
  end(run: RunPath): RunEnd | null {
    return endIn(this.path(run));
  }

  /** Only the first end counts. Where it cannot be written, nobody has seen how the run ended. */
  writeEnd(run: RunPath, end: z.input<typeof endSchema>): void {
    const path = this.path(run, "end.json");
    unlessImpossible(() => {
      if (existsSync(path)) return;
      writeFileSync(`${path}.new`, JSON.stringify(end), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    });
  }

  /** Everything of that name. */
  remove(name: string): void {
    rmSync(join(this.folder, name), { recursive: true, force: true });
  }
}

function endIn(folder: string): RunEnd | null {
  const text = textOf(join(folder, "end.json"));
  return text === null ? null : endSchema.parse(JSON.parse(text));
}

/** Null: there is no such file. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** What is about one machine must not end what all of them depend on. */
function unlessImpossible(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
  }
}

function createdOnce(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
