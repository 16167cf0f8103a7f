/** All clients of a run, and the report on them together. */

import { drawRange } from "../random/index.ts";
import type { World } from "../world/index.ts";
import { Client, type ClientHub } from "./client.ts";
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
}

export interface WorkloadListener {
  invoked(operation: ClientOperation): void;
  completed(operation: ClientOperation): void;
}

/** The key that the quiet phase writes and reads back. */
const PROBE_KEY = "probe";

export class Workload implements ClientHub {
  readonly world: World;
  readonly keys: readonly string[];
  readonly staleReads: number;
  readonly leaseReads: number;
  readonly #listener: WorkloadListener;
  readonly #clients: readonly Client[];
  readonly #writes = new Histogram();
  readonly #reads = new Histogram();
  readonly #outcomes = { ok: 0, refused: 0, unknown: 0 };
  #processes = 0;
  #operations = 0;
  #values = 0;
  #probe: "not yet" | "calling" | "answered" = "not yet";

  constructor(world: World, shape: WorkloadShape, listener: WorkloadListener) {
    this.world = world;
    this.keys = Array.from({ length: shape.keys }, (_, at) => `vm-${at + 1}`);
    this.staleReads = shape.staleReads;
    this.leaseReads = shape.leaseReads;
    this.#listener = listener;
    const thinkMeanMs = drawRange(shape.thinkMeanMs, world.streams.stream("workload"), false);
    this.#clients = Array.from(
      { length: shape.clients },
      (_, at) => new Client(this, world.streams.stream(`workload/client/${at + 1}`), thinkMeanMs * 1000),
    );
    for (const client of this.#clients) client.start();
  }

  /** No new calls, except one fresh write and one fresh read that show whether the cluster serves clients. */
  quiet(): void {
    for (const client of this.#clients) client.stop();
    this.#probe = "calling";
    const rng = this.world.streams.stream("workload/probe");
    const write = new Client(this, rng, 0);
    const read = new Client(this, rng, 0);
    write.callOnce("create", PROBE_KEY, () => {
      read.callOnce("get", PROBE_KEY, () => {
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
    return { ...this.#outcomes, writes: this.#writes.summary(), reads: this.#reads.summary() };
  }

  nextProcess(): number {
    this.#processes += 1;
    return this.#processes;
  }

  nextOperation(): number {
    this.#operations += 1;
    return this.#operations;
  }

  nextValue(): number {
    this.#values += 1;
    return this.#values;
  }

  invoked(operation: ClientOperation): void {
    this.#listener.invoked(operation);
  }

  completed(operation: ClientOperation): void {
    const { outcome, asked, invokedAtMs, completedAtMs } = operation;
    if (outcome !== "pending") this.#outcomes[outcome] += 1;
    if (outcome === "ok" && completedAtMs !== null) {
      const histogram = asked.kind === "read" ? this.#reads : this.#writes;
      histogram.add(Math.round((completedAtMs - invokedAtMs) * 1000));
    }
    this.#listener.completed(operation);
  }
}
