/**
 * The keeper of a host's jobs: a process of its own that starts them, and ends them all when the host's lease has run out. It holds the time of that by itself, so it
 * does so also when the node hangs or is stopped; when the node is gone it ends them at once, and then itself.
 *
 * Whoever starts jobs must be the one who knows until when: a start that was on its way for too long is refused here.
 */
import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { execa } from "execa";
import { Deadline, monotonicMs } from "./clock.ts";
import type { Ended, Order } from "./keeper-protocol.ts";
import { JOB_MARK, killAll, markOf, processesOf, signal } from "./processes.ts";

/** Between being asked to end and being ended. */
const TERMINATE_MS = 5000;
/** What was printed last is on its way for this long at most, when somebody else still holds the pipe. */
const LAST_WORDS_MS = 1000;

type RunOrder = Extract<Order, { readonly kind: "run" }>;
/** Why it was ended; null: it was not. */
type Verdict = "timedOut" | "cancelled" | "fenced" | null;

/** The end of a text that may be long. */
class Tail {
  readonly #length: number;
  #text = "";

  constructor(length: number) {
    this.#length = length;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length > 4 * this.#length) this.#text = this.#text.slice(-this.#length);
  }

  get text(): string {
    return this.#text.slice(-this.#length);
  }
}

class Attempt {
  readonly #order: RunOrder;
  readonly #folder: string;
  readonly #mark: string;
  readonly #output: Tail;
  readonly #limit = new Deadline(() => this.end("timedOut"));
  readonly #patience = new Deadline(() => this.kill());
  #group: number | null = null;
  #verdict: Verdict = null;

  constructor(order: RunOrder, folder: string) {
    this.#order = order;
    this.#folder = folder;
    this.#mark = markOf(folder);
    this.#output = new Tail(order.outputLength);
  }

  /** Resolves when nothing of it runs any more. Never rejects. */
  async run(): Promise<Ended> {
    const { id, attempt } = this.#order;
    const how = await this.#execute().catch((error: unknown): Ended["how"] => ({
      kind: "notStarted",
      reason: error instanceof Error ? error.message : String(error),
    }));
    this.#limit.clear();
    this.#patience.clear();
    return { id, attempt, how, output: this.#output.text };
  }

  async #execute(): Promise<Ended["how"]> {
    const { command, args, id, attempt, timeoutMs } = this.#order;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const job = execa(command, args, {
      cwd: this.#folder,
      // A group of its own, which is ended as a whole.
      detached: true,
      cleanup: false,
      reject: false,
      buffer: false,
      stdin: "ignore",
      extendEnv: false,
      env: {
        PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
        HOME: this.#folder,
        TMPDIR: this.#folder,
        LANG: "C.UTF-8",
        BLIXARD_TASK: id,
        BLIXARD_ATTEMPT: `${attempt}`,
        [JOB_MARK]: this.#mark,
      },
    });
    if (job.pid === undefined) {
      const { originalMessage, shortMessage } = await job;
      return { kind: "notStarted", reason: originalMessage ?? shortMessage ?? "it cannot be run" };
    }
    this.#group = job.pid;
    this.#limit.set(monotonicMs() + timeoutMs);
    const drained = Promise.all([job.stdout, job.stderr].map((stream) => this.#read(stream)));
    const [exitCode, signalName] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      job.once("exit", (code, name) => resolve([code, name])),
    );
    // What comes from here on comes too late to have ended it.
    const verdict = this.#verdict;
    // What it has left behind, in its group or elsewhere, goes with it.
    await this.#killAll();
    this.#group = null;
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
    for (const stream of [job.stdout, job.stderr]) stream.destroy();
    if (verdict !== null) return { kind: verdict };
    return { kind: "exited", exitCode: exitCode ?? 128 + (signalName === null ? 0 : constants.signals[signalName]) };
  }

  #read(stream: NodeJS.ReadableStream): Promise<void> {
    const decoder = new StringDecoder("utf8");
    return new Promise((resolve) => {
      stream.on("data", (bytes: Buffer) => this.#output.add(decoder.write(bytes)));
      stream.once("close", resolve);
      stream.once("error", resolve);
    });
  }

  /** Asks it to end, and ends it when it has not after a while. The first verdict stays. */
  end(verdict: "timedOut" | "cancelled"): void {
    if (this.#verdict !== null) return;
    this.#verdict = verdict;
    for (const pid of this.#processes()) signal(pid, "SIGTERM");
    this.#patience.set(monotonicMs() + TERMINATE_MS);
  }

  /** At once. */
  kill(verdict: Verdict = null): void {
    this.#verdict ??= verdict;
    if (this.#group !== null) signal(-this.#group, "SIGKILL");
    void this.#killAll();
  }

  #processes(): readonly number[] {
    return processesOf({ group: this.#group, markedWith: this.#mark });
  }

  async #killAll(): Promise<void> {
    await killAll({ group: this.#group, markedWith: this.#mark });
  }
}

class Keeper {
  readonly #folder: string;
  readonly #attempts = new Map<string, Attempt>();
  readonly #fence = new Deadline(() => this.#fall());
  #fenceAtMs = Number.NEGATIVE_INFINITY;
  #isAlone = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  obey(order: Order): void {
    switch (order.kind) {
      case "fenceAt":
        this.#fenceAtMs = order.atMs;
        this.#fence.set(order.atMs);
        return;
      case "end":
        this.#attempts.get(keyOf(order))?.end("cancelled");
        return;
      case "run":
        this.#run(order);
        return;
    }
  }

  #run(order: RunOrder): void {
    const { id, attempt } = order;
    const key = keyOf(order);
    if (this.#isAlone || this.#attempts.has(key)) return;
    if (monotonicMs() >= this.#fenceAtMs) {
      this.#tell({ id, attempt, how: { kind: "fenced" }, output: "" });
      return;
    }
    const begun = new Attempt(order, join(this.#folder, key));
    this.#attempts.set(key, begun);
    void begun.run().then((ended) => {
      this.#attempts.delete(key);
      this.#tell(ended);
      this.#leaveIfDone();
    });
  }

  #fall(): void {
    for (const attempt of this.#attempts.values()) attempt.kill("fenced");
  }

  /** The node is gone, or this process was told to end. */
  alone(): void {
    this.#isAlone = true;
    this.#fall();
    this.#leaveIfDone();
  }

  #leaveIfDone(): void {
    if (this.#isAlone && this.#attempts.size === 0) process.exit(0);
  }

  #tell(ended: Ended): void {
    if (process.connected) process.send?.(ended);
  }
}

/** Also the name of its directory: ids are labels. */
function keyOf({ id, attempt }: { readonly id: string; readonly attempt: number }): string {
  return `${id}.${attempt}`;
}

const [folder] = process.argv.slice(2);
if (folder === undefined || process.send === undefined) throw new Error("this is a process of a node");
const keeper = new Keeper(folder);
process.on("message", (order: Order) => keeper.obey(order));
process.on("disconnect", () => keeper.alone());
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => keeper.alone());
