/** The process of a machine as a child of the supervisor: the kernel ends it with the supervisor. */
import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { Tail } from "../processes/index.ts";
import { eachLine } from "./lines.ts";
import {
  detailOf,
  LAST_WORDS_LENGTH,
  type MachineListener,
  type MachineProcess,
  notStarted,
  TYPED_BACKLOG_BYTES,
} from "./machine-process.ts";

export interface ChildParts {
  readonly command: readonly string[];
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

export class MachineChild implements MachineProcess {
  readonly #child: ChildProcess;

  constructor({ command: [program = "", ...args], folder, env }: ChildParts, listener: MachineListener) {
    const child = spawn(program, args, {
      cwd: folder,
      // In a process group of its own: nothing that is typed at a terminal reaches it.
      detached: true,
      env,
      // 3 is the serial line, 4 the monitor.
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of child.stdio) stream?.on("error", () => undefined);
    const lastWords = new Tail(LAST_WORDS_LENGTH);
    child.stderr?.on("data", (bytes: Buffer) => lastWords.add(bytes.toString()));
    readable(child.stdio[3])?.on("data", (bytes: Buffer) => listener.output(bytes));
    const events = readable(child.stdio[4]);
    if (events !== null) eachLine(events, (line) => listener.event(line));
    child.once("error", (error) => listener.ended(notStarted(error)));
    // Not at its exit: what it said last is read by then.
    child.once("close", (code, signal) =>
      listener.ended({
        how: signal === null ? "exited" : "killed",
        detail: detailOf(lastWords.text, signal ?? `exit code ${code}`),
      }),
    );
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  type(bytes: Uint8Array): void {
    const serial = this.#child.stdio[3];
    if (serial instanceof Socket && serial.writableLength < TYPED_BACKLOG_BYTES) serial.write(bytes);
  }

  tell(command: string): void {
    const monitor = this.#child.stdio[4];
    if (monitor instanceof Socket) monitor.write(`${command}\n`);
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.#child.kill(signal);
  }
}

function readable(stream: ChildProcess["stdio"][number] | undefined): Readable | null {
  return stream instanceof Socket ? stream : null;
}
