/**
 * The systemd units of a worker: one for each VM, and one for the supervisor, which ends them all with it. They are
 * made in the directory of the running system, which is empty when the host boots. Each says in its first line whose
 * it is. A unit of somebody else is never touched.
 *
 * The first worker of a manager has plain names. Others have their cluster and their number in theirs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { markOf, PROCESS_MARK } from "../processes/index.ts";
import type { Manager } from "./manager.ts";

const SUPERVISOR = fileURLToPath(new URL("./supervisor.ts", import.meta.url));
const SCRIPT = fileURLToPath(new URL("./unit.pl", import.meta.url));

const SUPERVISOR_UNIT = /^blixard-machines(|-.+)\.service$/;
const MARK = "# blixard ";

/** How long a supervisor waits for the machines of one that has died. */
const LOCK_WAIT_S = 20;
/** From the last signal to a machine to the one that systemd sends. */
const STOP_MARGIN_MS = 10_000;

export interface UnitOwner {
  readonly clusterId: string;
  readonly workerId: number;
}

export interface VmUnit {
  readonly name: string;
  readonly memoryMaxMiB: number;
  readonly stopTimeoutMs: number;
}

export class UnitFiles {
  readonly manager: Manager;
  /** What its names end with: nothing, or the cluster and the worker. */
  readonly #suffix: string;
  readonly #folder: string;

  private constructor(manager: Manager, folder: string, suffix: string) {
    this.manager = manager;
    this.#folder = folder;
    this.#suffix = suffix;
  }

  /** Those of the worker with this directory of machines; null: it has none. */
  static find(manager: Manager, folder: string): UnitFiles | null {
    const names = existsSync(manager.unitFolder) ? readdirSync(manager.unitFolder) : [];
    for (const name of names) {
      const suffix = SUPERVISOR_UNIT.exec(name)?.[1];
      if (suffix !== undefined && ownerIn(join(manager.unitFolder, name)) === folder)
        return new UnitFiles(manager, folder, suffix);
    }
    return null;
  }

  /** Finds names for a worker that has none, and makes the unit of its supervisor. */
  static claim(manager: Manager, folder: string, { clusterId, workerId }: UnitOwner): UnitFiles {
    mkdirSync(manager.unitFolder, { recursive: true });
    const plain = new UnitFiles(manager, folder, "");
    const path = join(manager.unitFolder, plain.supervisor);
    const other = ownerIn(path);
    if (other !== null && !existsSync(other)) rmSync(path);
    if (plain.#makeSupervisor("wx")) return plain;
    const qualified = new UnitFiles(manager, folder, `-${clusterId.slice(0, 8)}-w${workerId}`);
    qualified.#makeSupervisor("w");
    return qualified;
  }

  get suffix(): string {
    return this.#suffix;
  }

  static of(manager: Manager, folder: string, suffix: string): UnitFiles {
    return new UnitFiles(manager, folder, suffix);
  }

  get supervisor(): string {
    return `blixard-machines${this.#suffix}.service`;
  }

  unitOf(vm: string): string {
    return `blixard-vm-${vm}${this.#suffix}.service`;
  }

  #makeSupervisor(flag: "wx" | "w"): boolean {
    const { name, unitFolder } = this.manager;
    const command = [
      ...[programPath("flock"), "--no-fork", "--wait", `${LOCK_WAIT_S}`, "supervisor.lock"],
      ...[process.execPath, SUPERVISOR, this.#folder, name, this.#suffix],
    ];
    const lines = [
      `${MARK}${this.#folder}`,
      "[Unit]",
      "Description=Supervisor of the VMs of blixard",
      "[Service]",
      "Type=exec",
      ...this.#common(),
      `ExecStart=${command.map(quoted).join(" ")}`,
    ];
    try {
      writeFileSync(join(unitFolder, this.supervisor), `${lines.join("\n")}\n`, { flag, mode: 0o644 });
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
      throw error;
    }
  }

  /** True: systemd may know another version of it. @throws Error when the unit is somebody else's. */
  make({ name, memoryMaxMiB, stopTimeoutMs }: VmUnit): boolean {
    const path = join(this.manager.unitFolder, this.unitOf(name));
    const script = (action: string): string => [programPath("perl"), SCRIPT, action, name].map(quoted).join(" ");
    const text = `${[
      `${MARK}${this.#folder}`,
      "[Unit]",
      `Description=VM ${name} of blixard`,
      `BindsTo=${this.supervisor}`,
      `After=${this.supervisor}`,
      // Who starts it how often is the cluster's decision.
      "StartLimitIntervalSec=0",
      "CollectMode=inactive-or-failed",
      "[Service]",
      "Type=exec",
      ...this.#common(),
      environment(`${PROCESS_MARK}=${markOf(this.#folder)}`),
      environment(`BLIXARD_MANAGER=--${this.manager.name}`),
      environment(`BLIXARD_SUPERVISOR=${this.supervisor}`),
      `ExecStart=${script("start")}`,
      `ExecStop=${script("stop")}`,
      `ExecStopPost=${script("over")}`,
      `TimeoutStopSec=${Math.ceil((stopTimeoutMs + STOP_MARGIN_MS) / 1000)}`,
      `MemoryMax=${memoryMaxMiB}M`,
      `SyslogIdentifier=${name}`,
      "NoNewPrivileges=yes",
    ].join("\n")}\n`;
    const before = textIn(path);
    if (before === text) return false;
    if (before !== null && ownerIn(path) !== this.#folder)
      throw new Error(`the unit ${this.unitOf(name)} is somebody else's`);
    writeFileSync(path, text, { mode: 0o644 });
    return before !== null;
  }

  #common(): readonly string[] {
    return [
      "Restart=no",
      `WorkingDirectory=${this.#folder.replaceAll("%", "%%")}`,
      "UMask=0077",
      "LimitCORE=0",
      environment(`PATH=${process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"}`),
    ];
  }

  remove(vm: string): void {
    this.#remove(this.unitOf(vm));
  }

  /** Its names may be another worker's from now on. */
  removeSupervisor(): void {
    this.#remove(this.supervisor);
  }

  #remove(unit: string): void {
    const path = join(this.manager.unitFolder, unit);
    if (ownerIn(path) === this.#folder) rmSync(path, { force: true });
  }
}

function textIn(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** The directory of machines that it is for; null: there is no such unit of a worker. */
function ownerIn(path: string): string | null {
  const [first = ""] = textIn(path)?.split("\n", 1) ?? [];
  return first.startsWith(MARK) ? first.slice(MARK.length) : null;
}

/** Systemd looks in directories of its own, and not in those of `PATH`. */
function programPath(program: string): string {
  const folders = process.env["PATH"]?.split(":") ?? [];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? program;
}

/** One word of a command line: systemd.service(5), "Command lines". */
function quoted(word: string): string {
  return inQuotes(word.replaceAll("$", "$$$$"));
}

function environment(assignment: string): string {
  return `Environment=${inQuotes(assignment)}`;
}

function inQuotes(word: string): string {
  return `"${word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%")}"`;
}
