/** Records the inputs of a node and the effects: the latest in memory, or all of them in a file. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import type { Effect, Input, Runtime } from "../../core/index.ts";
import { digestOf, frameOf, headRecord, type Start, startRecord, stepRecord } from "./format.ts";

export interface Recorder {
  /** The same runtime for the core. What it returns is recorded. */
  wrap(runtime: Runtime): Runtime;
  /** To be called once, before the core is made. */
  begin(start: Start): void;
  /** To be called after each step. Values of the core never change, so they are kept without a copy. */
  step(input: Input, effects: readonly Effect[]): void;
  /** Writes what is still in memory, and the reason. A ring writes it to `path`, a file recorder to its own file. */
  dump(path: string, reason: string): void;
  close(): void;
}

interface Kept {
  readonly input: Input;
  readonly effects: readonly Effect[];
  readonly randoms: readonly number[];
  readonly signatures: readonly string[];
  readonly bytes: number;
}

const NONE: readonly never[] = [];

/** Remembers what the runtime has returned since the last `take`. */
class Witness {
  #randoms: number[] = [];
  #signatures: string[] = [];

  wrap(runtime: Runtime): Runtime {
    return {
      peerId: runtime.peerId,
      randomUint32: () => {
        const value = runtime.randomUint32();
        this.#randoms.push(value);
        return value;
      },
      sign: (statement) => {
        const signature = runtime.sign(statement);
        this.#signatures.push(signature);
        return signature;
      },
      verify: (signer, statement, signature) => runtime.verify(signer, statement, signature),
      digest: (bytes) => runtime.digest(bytes),
    };
  }

  take(): { randoms: readonly number[]; signatures: readonly string[] } {
    const randoms = this.#randoms.length === 0 ? NONE : this.#randoms;
    const signatures = this.#signatures.length === 0 ? NONE : this.#signatures;
    if (randoms !== NONE) this.#randoms = [];
    if (signatures !== NONE) this.#signatures = [];
    return { randoms, signatures };
  }
}

/**
 * Keeps the latest steps in memory, about `bytesMax` bytes of them. Cheap: a step costs one push, and nothing is
 * encoded before it is dumped.
 */
export function ringRecorder(blixard: string, { bytesMax }: { readonly bytesMax: number }): Recorder {
  const witness = new Witness();
  let start: Start | null = null;
  let kept: (Kept | null)[] = [];
  let oldest = 0;
  let bytes = 0;
  let skipped = 0;
  return {
    wrap: (runtime) => witness.wrap(runtime),
    begin(started) {
      start = started;
    },
    step(input, effects) {
      const drawn = witness.take();
      const size = sizeOf(input);
      kept.push({ input, effects, ...drawn, bytes: size });
      bytes += size;
      while (bytes > bytesMax && oldest < kept.length) {
        bytes -= kept[oldest]?.bytes ?? 0;
        kept[oldest++] = null;
        skipped++;
      }
      if (oldest > 10_000 && oldest > kept.length / 2) {
        kept = kept.slice(oldest);
        oldest = 0;
      }
    },
    dump(path, reason) {
      if (start === null) return;
      const file = openSync(path, "w", 0o600);
      try {
        const put = (record: readonly unknown[]): void => void writeSync(file, frameOf(record));
        put(headRecord(blixard));
        put(startRecord(start, skipped));
        for (const step of kept) if (step !== null) put(stepRecord({ ...step, digest: digestOf(step.effects) }));
        put(["end", reason]);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    },
    close() {
      kept = [];
    },
  };
}

/** A rough estimate of its size in memory. */
function sizeOf(input: Input): number {
  if (input.kind === "request") return 1000 + (input.request.kind === "report" ? input.request.data.length : 0);
  if (input.kind !== "message") return 300;
  const { message } = input;
  switch (message.type) {
    case "append":
      return 800 + message.entries.reduce((sum, { data }) => sum + data.length + 300, 0);
    case "snapshotChunk":
      return 2000 + message.bytes.length;
    case "forward":
    case "report":
      return 800 + message.data.length;
    case "directive":
      return 800 + (message.data?.length ?? 0);
    default:
      return 800;
  }
}

const FLUSH_MS = 50;
const PENDING_MAX = 200_000;

/**
 * Writes every step to a file. If the disk is too slow or fails, recording ends and says so; the node is not slowed
 * down.
 */
export function fileRecorder(blixard: string, path: string, gaveUp: (reason: string) => void): Recorder {
  const witness = new Witness();
  const file = openSync(path, "w", 0o600);
  let pending: Kept[] = [];
  let timer: NodeJS.Timeout | null = null;
  let isOpen = true;

  const put = (records: readonly (readonly unknown[])[]): void => {
    const bytes = Buffer.concat(records.map(frameOf));
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  };
  const flush = (): void => {
    const steps = pending;
    pending = [];
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (!isOpen || steps.length === 0) return;
    try {
      put(steps.map((step) => stepRecord({ ...step, digest: digestOf(step.effects) })));
    } catch (error) {
      end();
      gaveUp(`recording to ${path} has ended: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    if (timer !== null) clearTimeout(timer);
    closeSync(file);
  };

  return {
    wrap: (runtime) => witness.wrap(runtime),
    begin: (start) => put([headRecord(blixard), startRecord(start, 0)]),
    step(input, effects) {
      const drawn = witness.take();
      if (!isOpen) return;
      pending.push({ input, effects, ...drawn, bytes: 0 });
      if (pending.length > PENDING_MAX) flush();
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    dump(_, reason) {
      flush();
      if (isOpen) put([["end", reason]]);
    },
    close() {
      flush();
      end();
    },
  };
}
