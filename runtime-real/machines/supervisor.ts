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
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Deadline, markOf, monotonicMs, PROCESS_MARK } from "../processes/index.ts";
import { ConsoleFile } from "./console-file.ts";
import { MachineFiles, type RunEnd, type RunPath } from "./files.ts";
import { eachLine } from "./lines.ts";
import { type News, type Order, orderSchema, SUPERVISOR_SOCKET } from "./supervisor-protocol.ts";

/** What QEMU reads on its standard input: with this its events come on the standard output. */
const HELLO = "hello.json";

interface Living {
  readonly run: RunPath;
  readonly child: ChildProcess;
  isFenced: boolean;
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
    writeFileSync(join(this.#files.folder, HELLO), '{"execute":"qmp_capabilities"}', { mode: 0o600 });
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
    }
  }

  #start({ name, epoch }: RunPath): void {
    const run = { name, epoch };
    if (this.#living.has(name)) return;
    if (monotonicMs() >= this.#fenceAtMs) {
      this.#files.writeEnd(run, { how: "fenced", detail: "the lease of this host has run out" });
      return;
    }
    try {
      const { command, args } = this.#files.read(run);
      if (this.#files.markStarted(run)) this.#spawn(run, command, args);
    } catch (error) {
      this.#files.writeEnd(run, { how: "notStarted", detail: error instanceof Error ? error.message : String(error) });
    }
  }

  #spawn(run: RunPath, command: string, args: readonly string[]): void {
    const events = openSync(this.#files.path(run, "events.log"), "a", 0o600);
    const errors = openSync(this.#files.path(run, "errors.log"), "a", 0o600);
    const hello = openSync(join(this.#files.folder, HELLO), "r");
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...args], {
      cwd: this.#files.path(run),
      // In a process group of its own: nothing that is typed at a terminal reaches it.
      detached: true,
      env: { PATH: process.env["PATH"], [PROCESS_MARK]: markOf(this.#files.folder) },
      stdio: [hello, events, errors, "pipe"],
    });
    for (const file of [events, errors, hello]) closeSync(file);
    const console = new ConsoleFile(this.#files.path(run));
    const [, , , serial] = child.stdio;
    if (serial !== null && serial !== undefined && "on" in serial) {
      serial.on("data", (bytes: Buffer) => console.add(bytes));
      serial.on("error", () => undefined);
    }
    const living: Living = { run, child, isFenced: false };
    this.#living.set(run.name, living);
    child.once("error", (error) => this.#ended(living, { how: "notStarted", detail: error.message }));
    child.once("exit", (code, signal) => {
      if (living.isFenced) this.#ended(living, { how: "fenced", detail: "the lease of this host has run out" });
      else if (signal !== null) this.#ended(living, { how: "killed", detail: signal });
      else this.#ended(living, { how: "exited", detail: `exit code ${code}` });
    });
  }

  #ended(living: Living, end: RunEnd): void {
    if (this.#living.get(living.run.name) !== living) return;
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
