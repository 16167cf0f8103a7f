/** The host's end: shows the consoles of its machines to whoever asks for them. */
import type { NodeId } from "../../core/index.ts";
import {
  bytesFrame,
  type ConsoleAsk,
  type ConsoleView,
  CREDITS,
  FRAME_KIND,
  jsonFrame,
  LOST,
  TYPED_BYTES_MAX,
} from "../console-protocol/index.ts";
import { ApiError } from "../errors/index.ts";
import type { ConsoleReader, Driver, MachineConsole } from "../worker/index.ts";
import type { Line } from "./line.ts";
import { machineNotFound, noEarlierRun, tooManyReaders, withoutDriver } from "./refusals.ts";

/** How often the host looks for more output. Somebody who types waits for the echo. */
const LOOK_MS = { console: 20, logs: 200 } as const;
export const READERS_MAX = 64;

export interface ConsoleHostParts {
  readonly workerId: NodeId;
  /** Null: this host runs no machines. */
  driver(): Driver | null;
}

export class ConsoleHost {
  readonly #parts: ConsoleHostParts;
  #readers = 0;

  constructor(parts: ConsoleHostParts) {
    this.#parts = parts;
  }

  serve(line: Line, asked: ConsoleAsk): void {
    const found = this.#find(asked);
    if (found instanceof ApiError) {
      refuse(line, found);
      return;
    }
    this.#readers++;
    line.send(jsonFrame(FRAME_KIND.opened, { workerId: this.#parts.workerId, epoch: found.epoch }));
    new Reading(line, found, asked.view, () => {
      this.#readers--;
    });
  }

  #find({ name, view }: ConsoleAsk): MachineConsole | ApiError {
    const { workerId } = this.#parts;
    const driver = this.#parts.driver();
    if (driver === null) return withoutDriver(workerId);
    if (this.#readers >= READERS_MAX) return tooManyReaders(workerId, READERS_MAX);
    const last = driver.console(name, "last");
    if (last === null) return machineNotFound(workerId, name);
    if (view.kind === "console" || !view.previous) return last;
    return driver.console(name, "previous") ?? noEarlierRun(workerId, name);
  }
}

export function refuse(line: Line, { code, message, hint, details }: ApiError): void {
  line.send(jsonFrame(FRAME_KIND.refused, { code, message, hint, details }));
  line.close();
}

/** One reader of one console. */
class Reading {
  readonly #line: Line;
  readonly #console: MachineConsole;
  readonly #view: ConsoleView;
  readonly #reader: ConsoleReader;
  readonly #done: () => void;
  /** The reader wants what there is, and not what follows. */
  readonly #isSnapshot: boolean;
  #toldBytes = 0;
  #credits = CREDITS;
  #timer: NodeJS.Timeout | null = null;
  #isDone = false;

  constructor(line: Line, console: MachineConsole, view: ConsoleView, done: () => void) {
    this.#line = line;
    this.#console = console;
    this.#view = view;
    this.#done = done;
    this.#isSnapshot = view.kind === "logs" && !view.follow;
    this.#reader = console.read(view.kind === "logs" ? view.linesMax : 0);
    line.listen({ frame: (frame) => this.#take(frame), closed: () => this.#finish() });
    this.#tell();
  }

  #take(frame: Uint8Array): void {
    if (this.#isDone) return;
    if (frame[0] === FRAME_KIND.more) {
      // More than it has taken would let it make this host send without a bound.
      this.#credits = Math.min(CREDITS, this.#credits + 1);
      if (this.#timer === null) this.#tell();
    } else if (frame[0] === FRAME_KIND.typed && this.#view.kind === "console" && frame.length <= 1 + TYPED_BYTES_MAX)
      this.#console.type(frame.subarray(1));
  }

  /** Sends what there is, as far as the reader has room for it. */
  #tell(): void {
    this.#timer = null;
    // In this order: if the run was over before the last look, that look has seen all of it.
    const reason = this.#console.end();
    while (this.#credits > 0) {
      const piece = this.#hasAll() ? null : this.#reader.next();
      if (piece === null) {
        this.#caughtUp(reason);
        return;
      }
      this.#credits--;
      if (piece.kind === "output") this.#toldBytes += piece.bytes.length;
      this.#line.send(piece.kind === "lost" ? LOST : bytesFrame(FRAME_KIND.output, piece.bytes));
    }
  }

  /** A guest that goes on writing does not make the logs go on that were asked for as they are. */
  #hasAll(): boolean {
    return this.#isSnapshot && this.#toldBytes >= this.#reader.keptBytes;
  }

  #caughtUp(reason: string | null): void {
    if (reason === null && !this.#isSnapshot) {
      this.#timer = setTimeout(() => this.#tell(), LOOK_MS[this.#view.kind]);
      return;
    }
    this.#line.send(jsonFrame(FRAME_KIND.ended, { reason }));
    this.#line.close();
    this.#finish();
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#reader.close();
    this.#done();
  }
}
