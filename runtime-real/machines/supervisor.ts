/**
 * The supervisor of a host's machines: the process that starts them, keeps the end of their consoles, and ends them
 * all when the lease of the host has run out. It knows that time (the fence) by itself, so it does this also when the
 * node hangs or is gone. It outlives the node, so that a restart of the node disturbs no guest; the next node connects
 * to it. When nobody is connected and no machine lives, it ends itself.
 *
 * Should it die, the kernel ends its machines with it (PR_SET_PDEATHSIG). Only one at a time runs for a directory: it
 * is started under a lock that its machines hold too.
 *
 * Only the process that knows the fence may start machines. An order that was on its way for too long is refused here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { withdraw } from "../guest-network/index.ts";
import { Deadline, markOf, monotonicMs, PROCESS_MARK, Tail } from "../processes/index.ts";
import { confined } from "./confinement.ts";
import { ConsoleFile } from "./console-file.ts";
import { shutdownCause } from "./end-cause.ts";
import { MachineFiles, type RunEnd, type RunPath } from "./files.ts";
import { eachLine } from "./lines.ts";
import { HELLO } from "./qemu-command.ts";
import { type News, type Order, orderSchema, SUPERVISOR_SOCKET } from "./supervisor-protocol.ts";

/** How much of what QEMU writes on its standard error is kept, in UTF-16 code units. */
const LAST_WORDS_LENGTH = 1024;

/** Typed characters that wait for one guest. */
const TYPED_BACKLOG_BYTES = 64 * 1024;

interface Living {
  readonly run: RunPath;
  readonly child: ChildProcess;
  isFenced: boolean;
  /** Its process has ended; what it needs of the network is being removed. */
  isEnding: boolean;
}

class Supervisor {
  readonly #files: MachineFiles;
  readonly #living = new Map<string, Living>();
  readonly #fence = new Deadline(() => this.#endAll());
  #fenceAtMs = Number.NEGATIVE_INFINITY;
  readonly #nodes = new Set<Socket>();

  constructor(folder: string) {
    this.#files = new MachineFiles(folder);
  }

  listen(): void {
    // Whoever has left it there is gone: this process holds the lock.
    rmSync(SUPERVISOR_SOCKET, { force: true });
    createServer((node) => this.#connected(node)).listen(SUPERVISOR_SOCKET);
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
        this.#tell();
        return;
      case "signal": {
        const living = this.#living.get(order.name);
        if (living?.run.epoch === order.epoch) living.child.kill(order.signal);
        return;
      }
      case "type": {
        const living = this.#living.get(order.name);
        if (living?.run.epoch === order.epoch) typeInto(living.child, Buffer.from(order.base64, "base64"));
        return;
      }
    }
  }

  #start({ name, epoch }: RunPath): void {
    const run = { name, epoch };
    if (this.#living.has(name)) return;
    if (monotonicMs() >= this.#fenceAtMs) {
      this.#files.writeEnd(run, { how: "fenced", cause: null, detail: "" });
      return;
    }
    try {
      const { command, args, confinement, opened } = this.#files.read(run);
      const line = confined([command, ...args], confinement, opened, "parent");
      if (this.#files.markStarted(run)) this.#spawn(run, line);
    } catch (error) {
      this.#files.writeEnd(run, notStarted(error));
    }
  }

  #spawn(run: RunPath, [program = "", ...args]: readonly string[]): void {
    const child = spawn(program, args, {
      cwd: this.#files.workFolder(run),
      // In a process group of its own: nothing that is typed at a terminal reaches it.
      detached: true,
      env: { PATH: process.env["PATH"], [PROCESS_MARK]: markOf(this.#files.folder) },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    const living: Living = { run, child, isFenced: false, isEnding: false };
    this.#living.set(run.name, living);
    const output = new ConsoleFile(this.#files.path(run));
    const [input, events, errors, serial] = child.stdio;
    for (const stream of child.stdio) stream?.on("error", () => undefined);
    input?.write(`${HELLO}\n`);
    let cause: string | null = null;
    if (events !== null)
      eachLine(events, (line) => {
        cause = shutdownCause(line) ?? cause;
      });
    const lastWords = new Tail(LAST_WORDS_LENGTH);
    errors?.on("data", (bytes: Buffer) => lastWords.add(bytes.toString()));
    serial?.on("data", (bytes: Buffer) => output.add(bytes));
    child.once("error", (error) => void this.#ended(living, notStarted(error)));
    // Not at its exit: what it said last is read by then.
    child.once("close", (code, signal) => {
      const said = lastWords.text.trim().split("\n").at(-1) ?? "";
      const detail = said === "" ? (signal ?? `exit code ${code}`) : said;
      const how = living.isFenced ? "fenced" : signal === null ? "exited" : "killed";
      void this.#ended(living, { how, cause, detail });
    });
  }

  async #ended(living: Living, end: RunEnd): Promise<void> {
    if (living.isEnding) return;
    living.isEnding = true;
    // Before anybody is told: then it may run elsewhere, or here again with devices of the same name.
    await withdraw(this.#files.tapsOf(living.run));
    this.#living.delete(living.run.name);
    this.#files.writeEnd(living.run, end);
    this.#tell();
    this.#leaveIfDone();
  }

  #endAll(): void {
    for (const living of this.#living.values()) {
      living.isFenced = true;
      living.child.kill("SIGKILL");
    }
  }

  #tell(): void {
    const news = this.#news();
    for (const node of this.#nodes) node.write(news);
  }

  #news(): string {
    const living = [...this.#living.values()].flatMap(({ run, child }) =>
      child.pid === undefined ? [] : [{ ...run, pid: child.pid }],
    );
    const news: News = { living };
    return `${JSON.stringify(news)}\n`;
  }

  #leaveIfDone(): void {
    if (this.#nodes.size === 0 && this.#living.size === 0) process.exit(0);
  }
}

function notStarted(error: unknown): RunEnd {
  const detail = error instanceof Error ? error.message : String(error);
  return { how: "notStarted", cause: null, detail: `it could not be started: ${detail}` };
}

/** A guest that does not read loses what is typed, as on any serial line. */
function typeInto({ stdio: [, , , serial] }: ChildProcess, bytes: Uint8Array): void {
  if (serial instanceof Socket && serial.writableLength < TYPED_BACKLOG_BYTES) serial.write(bytes);
}

/** Null: an order that this version does not know. */
function parsed(line: string): Order | null {
  try {
    return orderSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("this is a process of a node");
// So that the path of the socket is short, however long that of the directory is.
process.chdir(folder);
new Supervisor(folder).listen();
for (const name of ["SIGINT", "SIGHUP"] as const) process.on(name, () => undefined);
