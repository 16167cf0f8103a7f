/**
 * The supervisor of a host's machines: the process that starts them, keeps the end of their consoles, and ends them
 * all when the lease of the host has run out. It knows that time (the fence) by itself, so it does this also when the
 * node hangs or is gone. It outlives the node, so that a restart of the node disturbs no guest; the next node connects
 * to it. When nobody is connected and no machine lives, it ends itself.
 *
 * When a machine has ended it removes what the host had set up for its network, before it tells so: what the machine's
 * address leads to then is somebody else's business.
 *
 * Where there is a systemd manager, each machine is a unit (units.ts), and this process too. Elsewhere machines are
 * children of this process. Should it die, its machines are ended with it, by systemd or by the kernel
 * (PR_SET_PDEATHSIG). Only one at a time runs for a directory: it is started under a lock that its children hold too.
 *
 * Only the process that knows the fence may start machines. An order that was on its way for too long is refused here.
 */
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { withdraw } from "../guest-network/index.ts";
import { Deadline, markOf, monotonicMs, PROCESS_MARK } from "../processes/index.ts";
import { MachineChild } from "./child-process.ts";
import { confined } from "./confinement.ts";
import { ConsoleFile } from "./console-file.ts";
import { shutdownCause } from "./end-cause.ts";
import { MachineFiles, type RunFile, type RunPath } from "./files.ts";
import { eachLine } from "./lines.ts";
import { type Asker, type MachineListener, type MachineProcess, notStarted } from "./machine-process.ts";
import { managerOf } from "./manager.ts";
import { HELLO, POWER_DOWN } from "./qemu-command.ts";
import { type News, type Order, orderSchema, SUPERVISOR_SOCKET, TERMINATE_MS } from "./supervisor-protocol.ts";
import { UnitFiles } from "./unit-files.ts";
import { Units } from "./units.ts";

/**
 * Somebody has started the unit of a VM by hand, which starts this process, and there is no node: see `#leaveIfDone`.
 */
const LONELY_MS = 10_000;

class Living {
  readonly run: RunPath;
  isFenced = false;
  /** Its process has ended; what it needs of the network is being removed. */
  isEnding = false;
  by: Asker | null = null;
  cause: string | null = null;
  process: MachineProcess | null = null;
  escalation: NodeJS.Timeout | null = null;

  constructor(run: RunPath) {
    this.run = run;
  }
}

class Supervisor {
  readonly #files: MachineFiles;
  /** Null: machines are children of this process. */
  readonly #units: Units | null;
  readonly #living = new Map<string, Living>();
  readonly #fence = new Deadline(() => this.#endAll());
  #fenceAtMs = Number.NEGATIVE_INFINITY;
  readonly #nodes = new Set<Socket>();
  #isLeaving = false;

  constructor(folder: string, units: UnitFiles | null) {
    this.#files = new MachineFiles(folder);
    this.#units = units === null ? null : new Units(units, (name) => this.#startedByHand(name));
  }

  listen(): void {
    // Whoever has left it there is gone: this process holds the lock.
    rmSync(SUPERVISOR_SOCKET, { force: true });
    this.#units?.listen();
    createServer((node) => this.#connected(node)).listen(SUPERVISOR_SOCKET);
    setTimeout(() => this.#leaveIfDone(), LONELY_MS);
  }

  #connected(node: Socket): void {
    this.#nodes.add(node);
    node.once("close", () => {
      this.#nodes.delete(node);
      this.#leaveIfDone();
    });
    eachLine(node, (line) => {
      const order = parsed(line);
      if (order !== null) this.#obey(order);
    });
    node.write(this.#news());
  }

  #obey(order: Order): void {
    switch (order.kind) {
      case "fenceAt":
        this.#fenceAtMs = order.atMs;
        this.#fence.set(order.atMs);
        return;
      case "start":
        this.#start(order);
        this.#tell(this.#news());
        return;
      case "signal":
        this.#processOf(order)?.kill(order.signal);
        return;
      case "type":
        this.#processOf(order)?.type(Buffer.from(order.base64, "base64"));
        return;
    }
  }

  #processOf({ name, epoch }: RunPath): MachineProcess | null {
    const living = this.#living.get(name);
    return living?.run.epoch === epoch ? living.process : null;
  }

  #start({ name, epoch }: RunPath): void {
    const run = { name, epoch };
    if (this.#isLeaving || this.#living.has(name)) return;
    if (monotonicMs() >= this.#fenceAtMs) {
      this.#files.writeEnd(run, { how: "fenced", cause: null, detail: "" });
      return;
    }
    try {
      const file = this.#files.read(run);
      if (this.#files.markStarted(run)) this.#begin(run, file);
    } catch (error) {
      this.#files.writeEnd(run, { ...notStarted(error), cause: null });
    }
  }

  #begin(run: RunPath, file: RunFile): void {
    const living = new Living(run);
    this.#living.set(run.name, living);
    const { command, args, confinement, opened, stopTimeoutMs } = file;
    const folder = this.#files.workFolder(run);
    const words = (diesWith: "parent" | "unit") => confined([command, ...args], confinement, opened, diesWith);
    const output = new ConsoleFile(this.#files.path(run));
    const listener: MachineListener = {
      started: () => {
        living.process?.tell(HELLO);
        this.#tell(this.#news());
      },
      event: (line) => {
        living.cause = shutdownCause(line) ?? living.cause;
      },
      output: (bytes) => output.add(bytes),
      ended: ({ how, detail }) => {
        const { isFenced, cause, by } = living;
        void this.#ended(living, { how: isFenced ? "fenced" : how, cause, detail, by });
      },
      asked: (by) => this.#askedToStop(living, by, stopTimeoutMs),
    };
    if (this.#units !== null) {
      const { memoryMaxMiB } = confinement;
      const order = { name: run.name, command: words("unit"), folder, memoryMaxMiB, stopTimeoutMs };
      living.process = this.#units.start(order, listener);
      return;
    }
    const env = { PATH: process.env["PATH"], [PROCESS_MARK]: markOf(this.#files.folder) };
    living.process = new MachineChild({ command: words("parent"), folder, env }, listener);
    listener.started();
  }

  /** By its unit, so no node may be there to see it through. */
  #askedToStop(living: Living, by: Asker, stopTimeoutMs: number): void {
    if (living.by !== null) return;
    living.by = by;
    living.process?.tell(POWER_DOWN);
    living.escalation = setTimeout(() => {
      living.process?.kill("SIGTERM");
      living.escalation = setTimeout(() => living.process?.kill("SIGKILL"), TERMINATE_MS);
    }, stopTimeoutMs);
  }

  async #ended(living: Living, end: Parameters<MachineFiles["writeEnd"]>[1]): Promise<void> {
    if (living.isEnding) return;
    living.isEnding = true;
    if (living.escalation !== null) clearTimeout(living.escalation);
    // Before anybody is told: then it may run elsewhere, or here again with devices of the same name.
    await withdraw(this.#files.tapsOf(living.run));
    this.#living.delete(living.run.name);
    this.#files.writeEnd(living.run, end);
    this.#tell(this.#news());
    this.#leaveIfDone();
  }

  #endAll(): void {
    for (const living of this.#living.values()) {
      living.isFenced = true;
      living.process?.kill("SIGKILL");
    }
  }

  #startedByHand(name: string): void {
    this.#tell(this.#news(name));
  }

  #tell(news: string): void {
    for (const node of this.#nodes) node.write(news);
  }

  #news(startedByHand?: string): string {
    const living = [...this.#living.values()].flatMap(({ run, process }) => {
      const pid = process?.pid ?? null;
      return pid === null ? [] : [{ ...run, pid }];
    });
    const news: News = { living, ...(startedByHand === undefined ? {} : { startedByHand }) };
    return `${JSON.stringify(news)}\n`;
  }

  /** Its unit is stopped, after those of its machines. Others that live go with it. */
  leave(): void {
    this.#isLeaving = true;
    for (const { isEnding, process } of this.#living.values()) if (!isEnding) process?.kill("SIGKILL");
    this.#leaveIfDone();
  }

  #leaveIfDone(): void {
    if (this.#living.size === 0 && (this.#nodes.size === 0 || this.#isLeaving)) process.exit(0);
  }
}

/** Null: an order that this version does not know. */
function parsed(line: string): Order | null {
  try {
    return orderSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

const [folder, manager, suffix] = process.argv.slice(2);
if (folder === undefined) throw new Error("this is a process of a node");
// So that the path of the socket is short, however long that of the directory is.
process.chdir(folder);
const units =
  manager === "system" || manager === "user" ? UnitFiles.of(managerOf(manager), folder, suffix ?? "") : null;
const supervisor = new Supervisor(folder, units);
supervisor.listen();
if (units !== null) process.on("SIGTERM", () => supervisor.leave());
for (const name of ["SIGINT", "SIGHUP"] as const) process.on(name, () => undefined);
