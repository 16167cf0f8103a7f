/**
 * Draws what clients ask next: first the outcome, then one of the aims that have it, then a request that by all that
 * clients believe should bring it about.
 */
import type { RaftOptions, ReadConsistency } from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import { AIMS, type Aim, type Draft, freshSpec, type Outcome } from "./aims/index.ts";
import { Belief } from "./belief.ts";
import type { Asked } from "./operation.ts";
import type { WorkloadShape } from "./shape.ts";

/** Share of requests that are to succeed. */
const TO_SUCCEED = 0.75;
/** Outcomes that clients of one VM run into most, and that tell most of it. */
const COMMON: readonly Outcome[] = ["vmExists", "vmNotFound", "generationMismatch"];
/** How often each of those is drawn, beside every other refusal. */
const COMMON_WEIGHT = 5;
/** Draws before a client is content with a question about a VM. */
const ATTEMPTS_MAX = 5;

/** Share of reads that are asked for by lease where leases are off. */
const REFUSED_LEASE_READS = 0.01;

/** What clients may know of how the nodes are set up. */
type NodeOptions = Pick<RaftOptions, "maxRequestBytes" | "leaseReads">;

export class Generator {
  readonly belief = new Belief();
  readonly names: readonly string[];
  readonly #byOutcome: ReadonlyMap<Outcome, readonly Aim[]>;
  readonly #refusals: readonly { readonly outcome: Outcome; readonly weight: number }[];
  readonly #staleReads: number;
  readonly #leaseReads: number;
  readonly #requestBytesMax: number;
  #values = 0;

  constructor({ keys, staleReads, leaseReads }: WorkloadShape, { maxRequestBytes, leaseReads: isOn }: NodeOptions) {
    this.#requestBytesMax = maxRequestBytes;
    this.names = Array.from({ length: keys }, (_, at) => `vm-${at + 1}`);
    this.#staleReads = staleReads;
    // Where leases are off that is refused, and now and then somebody asks all the same.
    this.#leaseReads = isOn ? leaseReads : REFUSED_LEASE_READS;
    this.#byOutcome = Map.groupBy(AIMS, ({ outcome }) => outcome);
    this.#refusals = [...this.#byOutcome.keys()]
      .filter((outcome) => outcome !== "ok")
      .map((outcome) => ({ outcome, weight: COMMON.includes(outcome) ? COMMON_WEIGHT : 1 }));
  }

  /** Everything that is aimed at. */
  get outcomes(): readonly Outcome[] {
    return [...this.#byOutcome.keys()];
  }

  next(rng: Stream, nowMs: number): Asked {
    const draft = this.#draft(rng, nowMs);
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const outcome = rng.chance(TO_SUCCEED) ? "ok" : rng.pickWeighted(this.#refusals).outcome;
      const asked = rng.pickWeighted(this.#byOutcome.get(outcome) ?? []).make(draft);
      if (asked !== null) return this.#withConsistency(rng, asked);
    }
    const query = { kind: "getVm", name: rng.pick(this.names) } as const;
    return this.#withConsistency(rng, { kind: "read", query, consistency: "linearizable" });
  }

  /** Something that would change the cluster, were it not for the session in which it is asked. */
  change(rng: Stream, nowMs: number): Asked | null {
    const asked = rng.pickWeighted(this.#byOutcome.get("ok") ?? []).make(this.#draft(rng, nowMs));
    return asked?.kind === "write" ? asked : null;
  }

  /** A VM of this name, to show that clients are served. */
  probe(name: string): Asked {
    return { kind: "write", command: { kind: "createVm", name, spec: freshSpec({ next: () => this.#next() }) } };
  }

  #draft(rng: Stream, nowMs: number): Draft {
    const { belief, names } = this;
    return { rng, belief, names, nowMs, requestBytesMax: this.#requestBytesMax, next: () => this.#next() };
  }

  #next(): number {
    this.#values += 1;
    return this.#values;
  }

  #withConsistency(rng: Stream, asked: Asked): Asked {
    return asked.kind === "read" ? { ...asked, consistency: this.#consistency(rng) } : asked;
  }

  #consistency(rng: Stream): ReadConsistency {
    if (rng.chance(this.#staleReads)) return "stale";
    return rng.chance(this.#leaseReads) ? "lease" : "linearizable";
  }
}
