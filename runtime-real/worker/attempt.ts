/** One attempt of a task: its processes, its time limit, and the end of its output. Part of the keeper (keeper.ts). */
import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { StringDecoder } from "node:string_decoder";
import { execa } from "execa";
import { Deadline, killAll, markOf, monotonicMs, PROCESS_MARK, processesOf, signal, Tail } from "../processes/index.ts";
import type { Ended, Order } from "./keeper-protocol.ts";

/** How long a job may take to end by itself after it was asked to. */
const TERMINATE_MS = 5000;
/** How long to wait for the last output when another process still holds the pipe. */
const LAST_OUTPUT_MS = 1000;

export type RunOrder = Extract<Order, { readonly kind: "run" }>;
/** Why it was ended; null: it was not ended. */
type Verdict = "timedOut" | "cancelled" | "fenced" | null;

export class Attempt {
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
      // In a process group of its own, which is ended as a whole.
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
        [PROCESS_MARK]: this.#mark,
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
    // A verdict from here on comes too late: it has ended already.
    const verdict = this.#verdict;
    // Processes that it has left behind, in its group or elsewhere, end with it.
    await this.#killAll();
    this.#group = null;
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, LAST_OUTPUT_MS))]);
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

  /** Asks it to end, and kills it if it has not after a while. The first verdict stays. */
  end(verdict: "timedOut" | "cancelled"): void {
    if (this.#verdict !== null) return;
    this.#verdict = verdict;
    for (const pid of this.#processes()) signal(pid, "SIGTERM");
    this.#patience.set(monotonicMs() + TERMINATE_MS);
  }

  /** Ends it at once. */
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
