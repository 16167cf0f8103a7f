/**
 * Reports of a worker and their answers, on one long-lived stream. A worker reports every second, and each stream
 * that is opened costs memory that is not freed, so they share one.
 *
 * A frame of a worker is a number and a report. A frame of a server is the answer to the report of that number, or
 * the list of servers, or news of the routes to guests. Both are sent when they change.
 */
import type { Stream } from "@libp2p/interface";
import { InvalidFrame } from "../../core/index.ts";
import { FrameReader } from "../frames/index.ts";
import { say } from "./say.ts";

/** A report or a directive fits into a message of 4 MiB. */
export const REPORT_LIMIT_BYTES = 4 * 1024 * 1024;
/** Longer than an agent waits. */
const GIVE_UP_MS = 2000;
/** An agent waits for one report at a time, and gives up on it before it sends the next. */
const PENDING_MAX = 8;

const KIND = { answer: 1, servers: 2, routes: 3 } as const;
/** The kind of the frame, the number of the report, and whether there is an answer to it. */
const ANSWER_HEAD_BYTES = 6;

export function answerFrame(number: number, directive: Uint8Array | null): Uint8Array {
  const frame = new Uint8Array(ANSWER_HEAD_BYTES + (directive?.length ?? 0));
  frame[0] = KIND.answer;
  new DataView(frame.buffer).setUint32(1, number);
  frame[5] = directive === null ? 0 : 1;
  if (directive !== null) frame.set(directive, ANSWER_HEAD_BYTES);
  return frame;
}

export function serversFrame(servers: Uint8Array): Uint8Array {
  return frameOf(KIND.servers, servers);
}

export function routesFrame(news: Uint8Array): Uint8Array {
  return frameOf(KIND.routes, news);
}

function frameOf(kind: number, told: Uint8Array): Uint8Array {
  const frame = new Uint8Array(1 + told.length);
  frame[0] = kind;
  frame.set(told, 1);
  return frame;
}

/** Decodes the frame of a worker. @throws InvalidFrame */
export function parseReport(frame: Uint8Array): { readonly number: number; readonly report: Uint8Array } {
  if (frame.length < 4) throw new InvalidFrame("report", "is shorter than its number");
  return { number: viewOf(frame).getUint32(0), report: frame.subarray(4) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Pending {
  readonly frame: Uint8Array;
  readonly limit: NodeJS.Timeout;
  readonly resolve: (directive: Uint8Array | null) => void;
  isSent: boolean;
}

/** What a server tells a worker beside answers. */
export interface ReportListener {
  servers(servers: Uint8Array): void;
  routes(news: Uint8Array): void;
}

/** The worker's end. A report that cannot be sent yet waits for the connection, as long as for an answer. */
export class ReportLine {
  /** Null: there is no connection. */
  readonly #open: () => Promise<Stream | null>;
  readonly #listener: ReportListener;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #stream: Stream | null = null;
  #isOpening = false;

  constructor(open: () => Promise<Stream | null>, listener: ReportListener) {
    this.#open = open;
    this.#listener = listener;
  }

  /** Null: no answer came. Never rejects. */
  ask(report: Uint8Array): Promise<Uint8Array | null> {
    const number = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    const frame = new Uint8Array(4 + report.length);
    viewOf(frame).setUint32(0, number);
    frame.set(report, 4);
    return new Promise((resolve) => {
      const limit = setTimeout(() => this.#settle(number, null), GIVE_UP_MS);
      this.#pending.set(number, { frame, limit, resolve, isSent: false });
      for (const [oldest] of this.#pending) {
        if (this.#pending.size <= PENDING_MAX) break;
        this.#settle(oldest, null);
      }
      this.flush();
    });
  }

  /** Sends what waits, if there is a connection. */
  flush(): void {
    const stream = this.#stream;
    if (stream === null || stream.status !== "open") {
      if (this.#pending.size > 0) void this.#reopen();
      return;
    }
    for (const pending of this.#pending.values()) {
      if (pending.isSent) continue;
      pending.isSent = true;
      say(stream, pending.frame);
    }
  }

  /** The connection is gone. Reports that were sent over it get no answer. */
  reset(): void {
    const stream = this.#stream;
    this.#stream = null;
    stream?.abort(new Error("the connection is gone"));
    for (const [number, { isSent }] of [...this.#pending]) if (isSent) this.#settle(number, null);
  }

  close(): void {
    this.reset();
    for (const number of [...this.#pending.keys()]) this.#settle(number, null);
  }

  async #reopen(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    const stream = await this.#open().catch(() => null);
    this.#isOpening = false;
    if (stream === null) return;
    this.#stream = stream;
    const reader = new FrameReader(REPORT_LIMIT_BYTES, (frame) => this.#take(frame));
    stream.addEventListener("message", ({ data }) => {
      try {
        reader.push(data.subarray());
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error(String(error)));
      }
    });
    const ended = (): void => {
      if (stream === this.#stream) this.reset();
    };
    stream.addEventListener("close", ended);
    // A stream that the peer resets ends on this side without a close event.
    stream.addEventListener("remoteCloseWrite", ended);
    this.flush();
  }

  #take(frame: Uint8Array): void {
    if (frame[0] === KIND.servers) this.#listener.servers(frame.subarray(1));
    else if (frame[0] === KIND.routes) this.#listener.routes(frame.subarray(1));
    else if (frame[0] === KIND.answer && frame.length >= ANSWER_HEAD_BYTES) {
      const directive = frame[5] === 0 ? null : frame.slice(ANSWER_HEAD_BYTES);
      this.#settle(viewOf(frame).getUint32(1), directive);
    }
  }

  #settle(number: number, directive: Uint8Array | null): void {
    const pending = this.#pending.get(number);
    if (pending === undefined) return;
    this.#pending.delete(number);
    clearTimeout(pending.limit);
    pending.resolve(directive);
  }
}
