/** All clients of a run, and the report on them together. */

import type { ClientAnswer } from "../../core/index.ts";
import { drawByOctave, type Stream } from "../random/index.ts";
import type { World } from "../world/index.ts";
import { Client, type ClientHub, type Habits } from "./client.ts";
import { Generator } from "./generator.ts";
import { Histogram, type LatencySummary } from "./histogram.ts";
import type { ClientOperation } from "./operation.ts";
import type { WorkloadShape } from "./shape.ts";

/** What came of the calls of all clients. */
export interface OperationsReport {
  readonly ok: number;
  readonly refused: number;
  readonly unknown: number;
  readonly writes: LatencySummary;
  readonly reads: LatencySummary;
  /** How often each command and each question was asked. */
  readonly asked: Readonly<Record<string, number>>;
  /** Why what was refused was refused, by the state machine or by a node: kind to how often. */
  readonly refusals: Readonly<Record<string, number>>;
}

export interface WorkloadListener {
  invoked(operation: ClientOperation): void;
  completed(operation: ClientOperation): void;
  /** A client acts on an answer: it has waited for it. */
  took?(answer: ClientAnswer): void;
}

/** The key that the quiet phase writes and reads back. */
const PROBE_KEY = "probe";
/** Share of clients that wait for each answer before they ask on. */
const ONE_AT_A_TIME = 0.6;

const PROBE_HABITS: Habits = { thinkMeanUs: 0, width: 1, bursts: 0, sessionless: 0 };

export class Workload implements ClientHub {
  readonly world: World;
  readonly generator: Generator;
  readonly asksLiars: boolean;
  readonly #listener: WorkloadListener;
  readonly #clients: readonly Client[];
  readonly #writes = new Histogram();
  readonly #reads = new Histogram();
  readonly #outcomes = { ok: 0, refused: 0, unknown: 0 };
  readonly #asked = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  #processes = 0;
  #operations = 0;
  #probe: "not yet" | "calling" | "answered" = "not yet";

  constructor(world: World, shape: WorkloadShape, listener: WorkloadListener) {
    this.world = world;
    this.generator = new Generator(shape, world.raft);
    this.#listener = listener;
    this.asksLiars = shape.asksLiars;
    const rng = world.streams.stream("workload");
    const count = shape.clients[1] === 0 ? 0 : Math.floor(drawByOctave(shape.clients, rng));
    const thinkMeanUs = (count * 1_000_000) / drawByOctave(shape.arrivalsPerSecond, rng);
    this.#clients = Array.from({ length: count }, (_, at) => {
      const habits = drawHabits(shape, thinkMeanUs, rng);
      return new Client(this, world.streams.stream(`workload/client/${at + 1}`), habits);
    });
    for (const client of this.#clients) client.start();
  }

  /** No new calls, except one fresh write and one fresh read that show whether the cluster serves clients. */
  quiet(): void {
    for (const client of this.#clients) client.stop();
    this.#probe = "calling";
    const rng = this.world.streams.stream("workload/probe");
    const write = new Client(this, rng, PROBE_HABITS);
    const read = new Client(this, rng, PROBE_HABITS);
    write.callOnce(this.generator.probe(PROBE_KEY), () => {
      const query = { kind: "getVm", name: PROBE_KEY } as const;
      read.callOnce({ kind: "read", query, consistency: "linearizable" }, () => {
        this.#probe = "answered";
      });
    });
  }

  /** What clients still wait for; null when nothing. */
  get waitsFor(): string | null {
    if (this.#probe !== "answered") return "a fresh write and a read after it have not been answered";
    const waiting = this.#clients.filter((client) => !client.isIdle).length;
    return waiting === 0 ? null : `${waiting} clients still wait for an answer`;
  }

  report(): OperationsReport {
    return {
      ...this.#outcomes,
      writes: this.#writes.summary(),
      reads: this.#reads.summary(),
      asked: sortedCounts(this.#asked),
      refusals: sortedCounts(this.#refusals),
    };
  }

  nextProcess(): number {
    this.#processes += 1;
    return this.#processes;
  }

  nextOperation(): number {
    this.#operations += 1;
    return this.#operations;
  }

  invoked(operation: ClientOperation): void {
    this.#listener.invoked(operation);
  }

  took(answer: ClientAnswer): void {
    this.#listener.took?.(answer);
  }

  completed(operation: ClientOperation): void {
    const { outcome, asked, answer, invokedAtMs, completedAtMs } = operation;
    countOne(this.#asked, (asked.kind === "read" ? asked.query : asked.command).kind);
    if (answer?.kind === "refused") countOne(this.#refusals, answer.refusal.kind);
    if (answer?.kind === "applied" && !answer.result.ok) countOne(this.#refusals, answer.result.refusal.kind);
    if (outcome !== "pending") this.#outcomes[outcome] += 1;
    if (outcome === "ok" && completedAtMs !== null) {
      const histogram = asked.kind === "read" ? this.#reads : this.#writes;
      histogram.add(Math.round((completedAtMs - invokedAtMs) * 1000));
    }
    this.#listener.completed(operation);
  }
}

function countOne(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

function sortedCounts(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1)));
}

function drawHabits({ widthMax }: WorkloadShape, thinkMeanUs: number, rng: Stream): Habits {
  const isPatient = widthMax <= 1 || rng.chance(ONE_AT_A_TIME);
  return {
    thinkMeanUs,
    width: isPatient ? 1 : Math.floor(drawByOctave([2, widthMax + 1], rng)),
    bursts: rng.pick([0, 0.01, 0.03]),
    sessionless: rng.pick([0, 0, 0, 0.1, 0.1, 1]),
  };
}
