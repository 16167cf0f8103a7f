/**
 * Until when this leader counts on each worker that is online. A worker that has sent no report for that long is
 * declared lost: by then its lease is over for certain, and everything on it has ended.
 */
import { FENCE_GRACE_MS, LEASE_TTL_MS, waitForLeaseMs } from "../agent/index.ts";
import { type ClusterState, workerOf } from "../cluster/index.ts";
import { assert, type WorkerRecord } from "../domain/index.ts";
import { mark } from "../marks.ts";
import { Deadlines } from "./deadlines.ts";
import type { Proposals } from "./proposals.ts";

export class WorkerLeases {
  readonly #proposals: Proposals;
  readonly #waitMs: number;
  /** When each worker's lease is over for certain. */
  readonly #ends = new Deadlines<number>();

  /** `driftBound`: largest relative rate error between any two monotonic clocks. */
  constructor(driftBound: number, proposals: Proposals) {
    this.#waitMs = waitForLeaseMs(driftBound);
    const hostMs = LEASE_TTL_MS + FENCE_GRACE_MS;
    assert(this.#waitMs > hostMs, "a leader waits for longer than a host may take, in ms", this.#waitMs, hostMs);
    this.#proposals = proposals;
  }

  workerChanged({ id, isOnline }: WorkerRecord, nowMs: number): void {
    if (!isOnline) this.#ends.delete(id);
    // An earlier leader may have heard of it a moment ago.
    else if (!this.#ends.has(id)) this.#ends.set(id, nowMs + this.#waitMs);
  }

  workerGone(workerId: number): void {
    this.#ends.delete(workerId);
  }

  /** A report of this worker has come, or is about to be answered. */
  renew(workerId: number, nowMs: number): void {
    this.#ends.set(workerId, nowMs + this.#waitMs);
  }

  /** Its loss is proposed: nothing may be promised to it any more. */
  isBeingLost(workerId: number): boolean {
    return this.#proposals.has({ kind: "lost", workerId });
  }

  step(state: ClusterState, nowMs: number): void {
    for (let id = this.#ends.take(nowMs); id !== undefined; id = this.#ends.take(nowMs)) {
      const worker = workerOf(state, id);
      if (worker?.isOnline !== true) continue;
      mark("lease/waited-out");
      const command = { kind: "workerLost", workerId: id, bootId: worker.bootId } as const;
      this.#proposals.propose({ kind: "lost", workerId: id }, command);
    }
  }

  /** Infinity: there is none. */
  get nextMs(): number {
    return this.#ends.nextMs;
  }

  capture() {
    return this.#ends.capture();
  }

  restore(captured: ReturnType<WorkerLeases["capture"]>): void {
    this.#ends.restore(captured);
  }
}
