/**
 * Machines as systemd units, for the supervisor. To start one it makes the unit's file, and asks systemd for a start.
 * What the unit runs (unit.pl) asks back for the order, which is good for one start. So a unit that somebody starts by
 * hand finds none, and starts nothing.
 *
 * The process of a unit is no child of this one. It is known by its connections: while they are open it lives, and
 * has the pid that it said.
 */
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { Tail } from "../processes/index.ts";
import { eachLine } from "./lines.ts";
import {
  ASKERS,
  detailOf,
  LAST_WORDS_LENGTH,
  type MachineListener,
  type MachineProcess,
  notStarted,
  type ProcessEnd,
  TYPED_BACKLOG_BYTES,
} from "./machine-process.ts";
import { systemctl } from "./manager.ts";
import type { UnitFiles, VmUnit } from "./unit-files.ts";

const LAUNCH_SOCKET = "launch.sock";

/** From the start of a unit until it asks for its order. */
const ASK_LIMIT_MS = 20_000;
/** From the end of a process until its unit says how it was. */
const OVER_LIMIT_MS = 5000;
/** What the journal has not taken yet; beyond that, what a guest writes is not in it. */
const JOURNAL_BACKLOG_BYTES = 256 * 1024;
/** The longest line by which a connection says what it is. */
const GREETING_LENGTH = 512;

export interface UnitOrder extends VmUnit {
  readonly command: readonly string[];
  readonly folder: string;
}

export class Units {
  readonly #files: UnitFiles;
  readonly #startedByHand: (name: string) => void;
  readonly #machines = new Map<string, UnitMachine>();
  /** Whose start has been asked of systemd, and has not come. */
  readonly #due = new Set<string>();

  /** In the working directory. @param startedByHand somebody has started the unit of that VM. */
  constructor(files: UnitFiles, startedByHand: (name: string) => void) {
    this.#files = files;
    this.#startedByHand = startedByHand;
  }

  listen(): void {
    rmSync(LAUNCH_SOCKET, { force: true });
    createServer((socket) => this.#greeted(socket)).listen(LAUNCH_SOCKET);
  }

  start(order: UnitOrder, listener: MachineListener): MachineProcess {
    const machine = new UnitMachine(order, {
      ...listener,
      ended: (end) => {
        if (this.#machines.get(order.name) === machine) this.#machines.delete(order.name);
        listener.ended(end);
      },
    });
    this.#machines.set(order.name, machine);
    this.#due.add(order.name);
    void this.#begin(order).then(
      (problem) => {
        if (problem === null) return;
        this.#due.delete(order.name);
        machine.fail(new Error(problem));
      },
      (error: unknown) => machine.fail(error),
    );
    return machine;
  }

  /** Resolves to why systemd has not started it; null: it has. */
  async #begin(order: UnitOrder): Promise<string | null> {
    const { manager } = this.#files;
    if (this.#files.make(order)) await systemctl(manager.name, ["daemon-reload"]);
    const { ok, said } = await systemctl(manager.name, ["start", this.#files.unitOf(order.name)]);
    return ok ? null : said;
  }

  #greeted(socket: Socket): void {
    socket.on("error", () => undefined);
    let text = "";
    const read = (): void => {
      // A byte at a time: what follows the line is for somebody else.
      for (let byte: unknown = socket.read(1); byte instanceof Buffer; byte = socket.read(1)) {
        if (byte[0] === 0x0a) {
          socket.off("readable", read);
          this.#take(text.split(" "), socket);
          return;
        }
        text += byte.toString("latin1");
        if (text.length > GREETING_LENGTH) socket.destroy();
      }
    };
    socket.on("readable", read);
  }

  #take([what = "", name = "", ...more]: readonly string[], socket: Socket): void {
    const machine = this.#machines.get(name);
    switch (what) {
      case "start": {
        const isDue = this.#due.delete(name);
        if (isDue && machine?.give(socket, Number(more[0])) === true) return;
        socket.end("0\n");
        if (!isDue) this.#startedByHand(name);
        return;
      }
      case "console":
      case "journal":
      case "errors":
        if (machine === undefined) socket.destroy();
        else machine.connected(what, socket);
        return;
      case "stop": {
        const by = ASKERS.find((one) => one === more[0]);
        // It is open until the machine has ended: if it ends before, this process is gone.
        if (by === undefined || machine === undefined) socket.destroy();
        else machine.asked(by, socket);
        return;
      }
      case "over":
        machine?.over(more);
        socket.destroy();
        return;
      default:
        socket.destroy();
    }
  }
}

class UnitMachine implements MachineProcess {
  readonly #order: UnitOrder;
  readonly #listener: MachineListener;
  #pid: number | null = null;
  #monitor: Socket | null = null;
  #serial: Socket | null = null;
  #journal: Socket | null = null;
  readonly #waiting = new Set<Socket>();
  /** Connections of its process that are open. */
  #open = 0;
  readonly #lastWords = new Tail(LAST_WORDS_LENGTH);
  #timer: NodeJS.Timeout;
  #how: ProcessEnd | null = null;
  #isOver = false;

  constructor(order: UnitOrder, listener: MachineListener) {
    this.#order = order;
    this.#listener = listener;
    this.#timer = setTimeout(() => this.fail(new Error("its unit does not ask for it")), ASK_LIMIT_MS);
  }

  get pid(): number | null {
    return this.#pid;
  }

  type(bytes: Uint8Array): void {
    if (this.#serial !== null && this.#serial.writableLength < TYPED_BACKLOG_BYTES) this.#serial.write(bytes);
  }

  tell(command: string): void {
    this.#monitor?.write(`${command}\n`);
  }

  /** Before it has a pid, nothing of it runs, and nothing will. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#pid === null) this.fail(new Error("it was ended before it was started"));
    else if (this.#open > 0) process.kill(this.#pid, signal);
  }

  /** Gives its unit the order. False: it has had it. */
  give(socket: Socket, pid: number): boolean {
    if (this.#pid !== null || this.#isOver || !Number.isInteger(pid) || pid <= 1) return false;
    this.#pid = pid;
    this.#monitor = socket;
    clearTimeout(this.#timer);
    const words = Buffer.from([this.#order.folder, ...this.#order.command].join("\0"));
    socket.write(`${words.length}\n`);
    socket.write(words);
    this.#watch(socket);
    eachLine(socket, (line) => this.#listener.event(line));
    this.#listener.started();
    return true;
  }

  connected(what: "console" | "journal" | "errors", socket: Socket): void {
    switch (what) {
      case "console":
        this.#serial = socket;
        this.#watch(socket);
        socket.on("data", (bytes: Buffer) => {
          this.#listener.output(bytes);
          this.#tellJournal(bytes);
        });
        return;
      case "errors":
        this.#watch(socket);
        socket.on("data", (bytes: Buffer) => {
          this.#lastWords.add(bytes.toString());
          this.#tellJournal(bytes);
        });
        return;
      case "journal":
        this.#journal = socket;
        socket.resume();
        return;
    }
  }

  #tellJournal(bytes: Uint8Array): void {
    const journal = this.#journal;
    if (journal !== null && journal.writableLength < JOURNAL_BACKLOG_BYTES) journal.write(bytes);
  }

  #watch(socket: Socket): void {
    this.#open += 1;
    socket.once("close", () => {
      this.#open -= 1;
      if (this.#open > 0) return;
      // What copies its console into the journal ends with this, and then its unit.
      this.#journal?.end();
      if (this.#how !== null) this.#finish(this.#how);
      else
        this.#timer = setTimeout(
          () => this.#finish({ how: "exited", detail: "its unit does not say how" }),
          OVER_LIMIT_MS,
        );
    });
  }

  asked(by: (typeof ASKERS)[number], socket: Socket): void {
    this.#waiting.add(socket);
    socket.resume();
    this.#listener.asked(by);
  }

  /** By its unit: what systemd knows of its end (systemd.exec(5), `$SERVICE_RESULT`). */
  over([result = "", code = "", status = ""]: readonly string[]): void {
    if (this.#pid === null) return;
    const words = result === "oom-kill" ? "it needed more memory than its unit may use" : `${code} ${status}`;
    this.#how = {
      how: code === "exited" ? "exited" : "killed",
      detail: result === "oom-kill" ? words : detailOf(this.#lastWords.text, words),
    };
    if (this.#open === 0) this.#finish(this.#how);
  }

  fail(error: unknown): void {
    if (this.#pid === null) this.#finish(notStarted(error));
  }

  #finish(end: ProcessEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const socket of this.#waiting) socket.destroy();
    this.#listener.ended(end);
  }
}
