/**
 * What an orchestrator knows is a value: captured at any moment and restored elsewhere, it goes on as the first would.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Directive, Report } from "../agent/index.ts";
import {
  applyEntries,
  type ClusterState,
  type CommandEntry,
  TABLE_CONSTANTS,
  type Touched,
  vmOf,
} from "../cluster/index.ts";
import { STRATEGIES } from "../domain/index.ts";
import { decodeValue, encodeValue } from "../node/index.ts";
import { FACTS, machine, OrchestratorHarness } from "../testing/index.ts";
import { Orchestrator } from "./orchestrator.ts";
import type { Proposal } from "./proposals.ts";

const DRIFT_BOUND = 0.05;
const WORKERS = [1, 2, 3, 4];

/** As it would come from another process. */
function copied<T>(value: T): T {
  const copy = decodeValue(encodeValue(value, TABLE_CONSTANTS), TABLE_CONSTANTS);
  if (!isLike(copy, value)) throw new TypeError("the bytes hold something else");
  return copy;
}

function isLike<T>(copy: unknown, value: T): copy is T {
  return typeof copy === typeof value;
}

interface Copy {
  readonly orchestrator: Orchestrator;
  state: ClusterState;
  touched: Touched | null;
}

/** Does everything once more in copies of itself, and compares. */
class Watched extends Orchestrator {
  compared = 0;
  inFlight = 0;
  #copies: Copy[] = [];
  #calls = 0;
  readonly #captureAt: ReadonlySet<number>;

  /** @param captureAt after which of its calls it is captured. */
  constructor(state: ClusterState, nowMs: number, captureAt: readonly number[]) {
    super(DRIFT_BOUND, state, nowMs);
    this.#captureAt = new Set(captureAt);
  }

  #called(): void {
    if (!this.#captureAt.has(this.#calls++)) return;
    const captured = copied(this.capture());
    const orchestrator = Orchestrator.restored(DRIFT_BOUND, captured);
    this.inFlight += captured.proposals.inFlight.size;
    this.#copies = [...this.#copies.slice(-2), { orchestrator, state: captured.state, touched: null }];
  }

  committed(entries: readonly CommandEntry[]): void {
    for (const copy of this.#copies) Object.assign(copy, applyEntries(copy.state, entries));
  }

  override applied(state: ClusterState, touched: Touched, nowMs: number): void {
    super.applied(state, touched, nowMs);
    for (const copy of this.#copies)
      if (copy.touched !== null) copy.orchestrator.applied(copy.state, copy.touched, nowMs);
    this.#called();
  }

  override settled(key: string): void {
    super.settled(key);
    for (const { orchestrator } of this.#copies) orchestrator.settled(key);
    this.#called();
  }

  override hear(report: Report, nowMs: number): void {
    super.hear(report, nowMs);
    for (const { orchestrator } of this.#copies) orchestrator.hear(copied(report), nowMs);
    this.#called();
  }

  override directive(report: Report, servers: readonly number[], nowMs: number): Directive {
    const directive = super.directive(report, servers, nowMs);
    for (const { orchestrator } of this.#copies)
      expect(orchestrator.directive(report, servers, nowMs)).toEqual(directive);
    return directive;
  }

  override step(nowMs: number): readonly Proposal[] {
    const proposals = super.step(nowMs);
    for (const { orchestrator } of this.#copies) {
      expect(orchestrator.step(nowMs)).toEqual(proposals);
      this.compared += proposals.length;
    }
    this.#called();
    return proposals;
  }

  override get deadlineMs(): number {
    const deadlineMs = super.deadlineMs;
    for (const { orchestrator } of this.#copies) expect(orchestrator.deadlineMs).toBe(deadlineMs);
    return deadlineMs;
  }
}

const name = fc.nat({ max: 40 }).map((nth) => `vm-${nth}`);
const workerId = fc.constantFrom(...WORKERS);
const spec = fc.record({
  vcpus: fc.constantFrom(1, 2, 4, 7),
  priority: fc.constantFrom(100, 500, 500, 900),
  preemptible: fc.boolean(),
  antiAffinity: fc.array(
    fc.record({
      group: fc.constantFrom("a", "b"),
      softWeight: fc.constantFrom(null, null, 5),
      maxPerDomain: fc.integer({ min: 1, max: 2 }),
      scope: fc.constantFrom("node" as const, "rack" as const, "zone" as const),
    }),
    { maxLength: 1 },
  ),
});
const deed = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("create" as const), name, spec }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("delete" as const, "stop", "start", "restart", "fail"), name }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("submit" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("report" as const, "reboot"), workerId }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("run" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("availability" as const),
      workerId,
      availability: fc.constantFrom("online" as const, "cordoned" as const, "draining" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), forMs: fc.constantFrom(100, 1000, 6000, 13_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("configure" as const), strategy: fc.constantFrom(...STRATEGIES) }),
  },
);
type Deed = typeof deed extends fc.Arbitrary<infer One> ? One : never;

function carryOut(harness: OrchestratorHarness, one: Deed): void {
  switch (one.do) {
    case "create":
      harness.create(one.name, one.spec);
      return;
    case "delete":
      harness.commit({ kind: "deleteVm", name: one.name, expectedGeneration: null });
      return;
    case "stop":
    case "start":
      harness.commit({ kind: "setVmDesired", name: one.name, desired: one.do === "stop" ? "stopped" : "running" });
      return;
    case "restart":
      harness.commit({ kind: "restartVm", name: one.name });
      return;
    case "fail": {
      const vm = vmOf(harness.state, one.name);
      if (vm?.workerId === null || vm?.workerId === undefined) return;
      const others = harness.host(vm.workerId).machines.filter((other) => other.name !== one.name);
      const machines = [...others, machine(one.name, vm.epoch, "failed")].sort((a, b) => (a.name < b.name ? -1 : 1));
      harness.shows(vm.workerId, { machines });
      harness.report(vm.workerId);
      return;
    }
    case "submit":
      harness.submit(one.name, 2);
      return;
    case "report":
      harness.report(one.workerId);
      return;
    case "reboot":
      harness.reboot(one.workerId);
      return;
    case "run":
      harness.run(...WORKERS);
      return;
    case "availability":
      harness.commit({ kind: "setAvailability", workerId: one.workerId, availability: one.availability });
      return;
    case "pass":
      harness.pass(one.forMs);
      return;
    case "configure":
      harness.commit({
        kind: "configureScheduler",
        settings: { ...harness.state.scheduler, strategy: one.strategy, preemption: true },
        expectedGeneration: null,
      });
      return;
  }
}

test("whenever it is captured, what is restored elsewhere proposes and directs the same from then on", () => {
  let compared = 0;
  let inFlight = 0;
  fc.assert(
    fc.property(
      fc.array(deed, { minLength: 30, maxLength: 80, size: "max" }),
      fc.uniqueArray(fc.nat(600), { minLength: 4, maxLength: 12 }),
      fc.infiniteStream(fc.nat(19)),
      (deeds, captureAt, luck) => {
        const harness = new OrchestratorHarness();
        const watched = new Watched(harness.state, harness.nowMs, captureAt);
        harness.orchestrator = watched;
        harness.witness = (entries) => watched.committed(entries);
        // Now and then a proposal is lost on its way.
        harness.loses = () => luck.next().value === 0;
        for (const id of WORKERS) {
          const topology = { datacenter: "dc", zone: `zone-${id % 2}`, rack: `rack-${id % 3}` };
          harness.join(id, { ...FACTS, topology, capacity: { vcpus: 8, memoryMiB: 100_000, diskGiB: 10_000 } });
        }
        for (const one of deeds) carryOut(harness, one);
        compared += watched.compared;
        inFlight += watched.inFlight;
      },
    ),
    { numRuns: 60, seed: 1 },
  );
  expect(compared).toBeGreaterThan(3000);
  expect(inFlight).toBeGreaterThan(50);
});
