/**
 * The way of a worker's reports to a member, and of the directives that answer them: over the same network as all
 * messages.
 */
import type { ClientAnswer, PeerId } from "../../core/index.ts";
import type { Caller, SimHost, World } from "../world/index.ts";

const REPORT_BYTES = 200;

/** A report as its sender knows it. */
export interface SentReport {
  /** Which of its processes sent it, and the report's number there. */
  readonly process: number;
  readonly sequence: number;
  /** By the sender's own clock, which begins anew each time that the host has been down. */
  readonly sentAtMs: number;
  readonly downs: number;
}

export interface ReportChannelParts {
  readonly world: World;
  /** The worker's. */
  readonly host: SimHost;
  readonly peerId: PeerId;
  /** A server gives an answer. It may never reach the worker. */
  readonly directed: (report: SentReport, directive: Uint8Array) => void;
  /** An answer has reached the worker. `directive` is null when the report was refused, or its connection broke. */
  readonly answered: (report: SentReport, directive: Uint8Array | null) => void;
}

export class ReportChannel implements Caller {
  readonly #parts: ReportChannelParts;
  readonly #arrivals = new Float64Array(2);
  readonly #asked = new Map<number, { readonly report: SentReport; readonly from: number }>();
  #nextAttempt = 1;

  constructor(parts: ReportChannelParts) {
    this.#parts = parts;
  }

  send(to: number, report: SentReport, data: Uint8Array): void {
    const { world, host, peerId } = this.#parts;
    const server = world.members.withId(to);
    if (server === null) return;
    const from = server.host.index;
    this.#route(host.index, from, REPORT_BYTES + data.length, () => {
      const attempt = this.#nextAttempt++;
      this.#asked.set(attempt, { report, from });
      world.gateway.request(server.host, { kind: "report", peerId, data }, this, attempt, 0);
    });
  }

  answered(attempt: number, answer: ClientAnswer | null): void {
    const asked = this.#asked.get(attempt);
    if (asked === undefined) return;
    this.#asked.delete(attempt);
    const directive = answer?.kind === "directive" ? answer.data : null;
    if (directive !== null) this.#parts.directed(asked.report, directive);
    this.#route(asked.from, this.#parts.host.index, REPORT_BYTES + (directive?.length ?? 0), () =>
      this.#parts.answered(asked.report, directive),
    );
  }

  #route(from: number, to: number, sizeBytes: number, arrive: () => void): void {
    const { network, loop } = this.#parts.world;
    const count = network.route(from, to, sizeBytes, loop.nowUs, this.#arrivals);
    for (let copy = 0; copy < count; copy += 1) {
      loop.after((this.#arrivals[copy] ?? 0) - loop.nowUs, () => {
        if (!network.isBlocked(from, to)) arrive();
      });
    }
  }
}
