/** What comes in: the streams that others open to this node, one method a protocol. */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { decodeMessage, InvalidFrame, LIMITS, type PeerId } from "../../core/index.ts";
import { FrameReader, FrameTooLong } from "../frames/index.ts";
import { Channel } from "./channel.ts";
import type { Complaints } from "./complaints.ts";
import type { Greeter } from "./greeter.ts";
import { encodeAnswer } from "./handshake.ts";
import type { Link } from "./link.ts";
import { isKnown, type NetworkHandlers } from "./network-handlers.ts";
import {
  CALL_LIMIT_BYTES,
  CHANNEL_LIMIT_BYTES,
  HELLO_LIMIT_BYTES,
  IMAGE_LIMIT_BYTES,
  JOIN_LIMIT_BYTES,
  PROTOCOLS,
} from "./protocols.ts";
import { answerFrame, parseReport, REPORT_LIMIT_BYTES, routesFrame, serversFrame } from "./reports.ts";
import { say } from "./say.ts";

const CALL_TIMEOUT_MS = 30_000;
/**
 * Reports of one worker that wait for their answers. A correct worker sends a second one when it has given up the
 * first.
 */
const REPORTS_MAX = 4;
/** Streams of one kind that a peer may hold open. More than a correct peer needs in the worst case. */
const STREAMS_MAX = { long: 8, call: 128, join: 4, console: 64, image: 64 } as const;
const PING_BYTES_MAX = 64;

export interface InboundParts {
  readonly handlers: NetworkHandlers;
  readonly greeter: Greeter;
  readonly complaints: Complaints;
  /** This node's own connections, by peer. */
  readonly links: ReadonlyMap<PeerId, Link>;
}

export class Inbound {
  readonly #parts: InboundParts;
  readonly #calls = new Set<AbortController>();

  constructor(parts: InboundParts) {
    this.#parts = parts;
  }

  async listen(libp2p: Libp2p): Promise<void> {
    const long = { maxInboundStreams: STREAMS_MAX.long, maxOutboundStreams: STREAMS_MAX.long };
    await libp2p.handle(PROTOCOLS.hello, (stream, connection) => this.#hello(stream, connection), long);
    await libp2p.handle(PROTOCOLS.raft, (stream, connection) => this.#messages(stream, connection), long);
    await libp2p.handle(PROTOCOLS.snapshot, (stream, connection) => this.#messages(stream, connection), long);
    await libp2p.handle(PROTOCOLS.report, (stream, connection) => this.#reports(stream, connection), long);
    const calls = { maxInboundStreams: STREAMS_MAX.call, maxOutboundStreams: STREAMS_MAX.call };
    await libp2p.handle(PROTOCOLS.call, (stream, connection) => this.#call(stream, connection), calls);
    const consoles = { maxInboundStreams: STREAMS_MAX.console, maxOutboundStreams: STREAMS_MAX.console };
    await libp2p.handle(PROTOCOLS.console, (stream, connection) => this.#console(stream, connection), consoles);
    const images = { maxInboundStreams: STREAMS_MAX.image, maxOutboundStreams: STREAMS_MAX.image };
    await libp2p.handle(PROTOCOLS.image, (stream, connection) => this.#image(stream, connection), images);
    const joins = { maxInboundStreams: STREAMS_MAX.join, maxOutboundStreams: STREAMS_MAX.join };
    await libp2p.handle(PROTOCOLS.join, (stream, connection) => this.#join(stream, connection), joins);
  }

  /** Aborts the calls that are being answered. */
  stop(): void {
    for (const call of this.#calls) call.abort();
  }

  #hello(stream: Stream, connection: Connection): void {
    const { links, greeter } = this.#parts;
    const from = connection.remotePeer.toString();
    let isGreeted = false;
    this.#read(stream, HELLO_LIMIT_BYTES, (frame) => {
      if (isGreeted) {
        // A ping. A correct peer waits for the answer before it sends the next.
        if (frame.length > PING_BYTES_MAX || stream.writableNeedsDrain) return;
        const link = links.get(from);
        if (link !== undefined) link.lastHeardMs = performance.now();
        say(stream, frame);
        return;
      }
      isGreeted = true;
      const answer = greeter.answer(from, frame);
      say(stream, encodeAnswer(answer));
      if (answer.kind === "refused") stream.close().catch(() => stream.abort(new Error("refused")));
      else links.get(from)?.greeted();
    });
  }

  #messages(stream: Stream, connection: Connection): void {
    const { handlers, links } = this.#parts;
    const from = connection.remotePeer.toString();
    if (!handlers.isMember(from)) {
      stream.abort(new Error("no member"));
      return;
    }
    this.#read(stream, LIMITS.frameBytes, (frame) => {
      const link = links.get(from);
      if (link !== undefined) {
        link.lastHeardMs = performance.now();
        link.received++;
      }
      handlers.message(from, decodeMessage(frame));
    });
  }

  #reports(stream: Stream, connection: Connection): void {
    const { handlers } = this.#parts;
    const { workers } = handlers;
    const from = connection.remotePeer.toString();
    if (workers === null || !isKnown(handlers, from)) {
      stream.abort(new Error("no worker"));
      return;
    }
    let told: Uint8Array | null = null;
    let underWay = 0;
    const tellServers = (): void => {
      const servers = workers.servers();
      if (servers === told || stream.writableNeedsDrain) return;
      told = servers;
      say(stream, serversFrame(servers));
    };
    let routesVersion: number | null = null;
    let isTellingRoutes = false;
    const tellRoutes = async (): Promise<void> => {
      // Members know them by themselves.
      if (isTellingRoutes || !workers.isWorker(from)) return;
      isTellingRoutes = true;
      const { version, messages } = workers.routes(routesVersion);
      for (const message of messages) {
        if (stream.writableNeedsDrain) await stream.onDrain().catch(() => undefined);
        if (stream.status !== "open") return;
        say(stream, routesFrame(message));
      }
      routesVersion = version;
      isTellingRoutes = false;
    };
    const answer = async (number: number, report: Uint8Array): Promise<void> => {
      const directive = await workers.report(from, report);
      // A stream that was just opened may have to drain too. Its first report is answered all the same.
      if (stream.writableNeedsDrain) await stream.onDrain().catch(() => undefined);
      if (stream.status !== "open") return;
      tellServers();
      say(stream, answerFrame(number, directive));
      await tellRoutes();
    };
    this.#read(stream, REPORT_LIMIT_BYTES, (frame) => {
      const { number, report } = parseReport(frame);
      // A worker that does not read its answers has a few of them waiting here, and gets no more.
      if (underWay >= REPORTS_MAX) return;
      underWay++;
      void answer(number, report).finally(() => {
        underWay--;
      });
    });
  }

  #call(stream: Stream, connection: Connection): void {
    const { handlers } = this.#parts;
    const from = connection.remotePeer.toString();
    if (handlers.isMember(from))
      this.#answer(stream, CALL_LIMIT_BYTES, (request, signal) => handlers.call(from, request, signal));
    else stream.abort(new Error("no member"));
  }

  #console(stream: Stream, connection: Connection): void {
    const { handlers } = this.#parts;
    const from = connection.remotePeer.toString();
    if (handlers.isServer(from)) handlers.channel(new Channel(stream, CHANNEL_LIMIT_BYTES));
    else stream.abort(new Error("no member"));
  }

  #image(stream: Stream, connection: Connection): void {
    const { handlers } = this.#parts;
    const from = connection.remotePeer.toString();
    if (handlers.isServer(from) || handlers.workers?.isWorker(from) === true)
      this.#answer(stream, IMAGE_LIMIT_BYTES, (question, signal) => handlers.image(from, question, signal));
    else stream.abort(new Error("not known"));
  }

  #join(stream: Stream, connection: Connection): void {
    const from = connection.remotePeer.toString();
    this.#answer(stream, JOIN_LIMIT_BYTES, (request, signal) => this.#parts.handlers.join(from, request, signal));
  }

  /** One request, one answer. */
  #answer(
    stream: Stream,
    limitBytes: number,
    answer: (request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>,
  ): void {
    const controller = new AbortController();
    this.#calls.add(controller);
    const limit = setTimeout(() => stream.abort(new Error("takes too long")), CALL_TIMEOUT_MS);
    stream.addEventListener("close", () => {
      clearTimeout(limit);
      controller.abort();
      this.#calls.delete(controller);
    });
    let isAsked = false;
    this.#read(stream, limitBytes, (request) => {
      if (isAsked) return;
      isAsked = true;
      answer(request, controller.signal).then(
        (bytes) => {
          if (stream.status !== "open") return;
          say(stream, bytes);
          stream.close().catch(() => stream.abort(new Error("cannot be closed")));
        },
        (error: unknown) => {
          this.#parts.complaints.complain(`a call failed: ${error instanceof Error ? error.message : String(error)}`);
          stream.abort(new Error("failed"));
        },
      );
    });
  }

  #read(stream: Stream, limitBytes: number, take: (frame: Uint8Array) => void): void {
    const reader = new FrameReader(limitBytes, take);
    stream.addEventListener("message", ({ data }) => {
      if (stream.status !== "open" && stream.status !== "closing") return;
      try {
        reader.push(data.subarray());
      } catch (error) {
        if (!(error instanceof InvalidFrame) && !(error instanceof FrameTooLong)) throw error;
        this.#parts.complaints.undecodable(`bytes that are no message: ${error.message}`);
        stream.abort(error);
      }
    });
  }
}
