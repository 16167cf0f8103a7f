/**
 * An agent's state is a value: captured between any two steps and restored elsewhere, it goes on as the first would.
 */
import fc from "fast-check";
import { pack, unpack } from "msgpackr/pack";
import { expect, test } from "vitest";
import { INTENTS, vmSpec } from "../domain/index.ts";
import { AgentHarness, type WantedTask, type WantedVm, wantedTask, wantedVm } from "../testing/index.ts";
import { Agent } from "./agent.ts";
import { running } from "./testing/index.ts";
import { MACHINE_PHASES } from "./types.ts";

/** As it would come from another process. */
function copied<T>(value: T): T {
  return unpack(pack(value));
}

const CHECKED = vmSpec({
  healthChecks: ["ping", "page"].map((name) => ({
    name,
    probe: { kind: "tcp", port: 80 } as const,
    intervalMs: 1000,
    timeoutMs: 500,
    initialDelayMs: 0,
    failures: 2,
    successes: 1,
    weight: 1,
    critical: false,
  })),
});

const name = fc.constantFrom("a", "b", "c");
const epoch = fc.integer({ min: 1, max: 4 });
const vm = fc
  .record({ name, epoch, intent: fc.constantFrom(...INTENTS), isBegun: fc.boolean(), isChecked: fc.boolean() })
  .map((one): WantedVm => wantedVm(one.name, one.epoch, one.intent, one.isBegun, one.isChecked ? CHECKED : undefined));
const task = fc
  .record({ id: fc.constantFrom("t", "u"), attempt: epoch, isCancelled: fc.boolean(), isBegun: fc.boolean() })
  .map((one): WantedTask => wantedTask(one.id, one.attempt, one.isCancelled, one.isBegun));
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(0, 60, 900, 9700, 60_000, 1_800_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("look" as const, "finish" as const, "endJobs" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("shows" as const), name, epoch, phase: fc.constantFrom(...MACHINE_PHASES) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("vanishes" as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wants" as const),
      vms: fc.uniqueArray(vm, { selector: (one) => one.name }),
      tasks: fc.uniqueArray(task, { selector: (one) => one.id }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      how: fc.constantFrom(
        "grant" as const,
        "grant" as const,
        "explain" as const,
        "register" as const,
        "left" as const,
        "nothing" as const,
      ),
      hears: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("probed" as const), name, epoch, isHealthy: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("obeys" as const), obeys: fc.boolean() }) },
);
type Action = typeof action extends fc.Arbitrary<infer One> ? One : never;

function carryOut(harness: AgentHarness, one: Action): void {
  switch (one.do) {
    case "pass":
      harness.nowMs += one.ms;
      harness.step({ kind: "wake" });
      return;
    case "look":
      harness.look();
      return;
    case "finish":
      harness.finish();
      harness.look();
      return;
    case "endJobs":
      for (const { id, attempt } of harness.jobs) harness.endJob(id, attempt, "exited", "done");
      harness.look();
      return;
    case "shows":
      harness.put(one.name, one.epoch, one.phase, one.phase === "failed" ? "crashed" : "");
      harness.look();
      return;
    case "vanishes":
      harness.machines.delete(one.name);
      harness.look();
      return;
    case "wants":
      harness.wants(one.vms, one.tasks);
      return;
    case "answer":
      answer(harness, one.how, one.hears);
      return;
    case "probed":
      harness.step({ kind: "probed", name: one.name, epoch: one.epoch, check: "ping", isHealthy: one.isHealthy });
      return;
    case "obeys":
      harness.obeys = one.obeys;
      return;
  }
}

function answer(
  harness: AgentHarness,
  how: "grant" | "explain" | "register" | "left" | "nothing",
  hears: boolean,
): void {
  const { report } = harness.lastSent;
  const { workerId, bootId, sequence } = report;
  switch (how) {
    case "grant":
    case "explain":
      harness.grant({
        inventoryVersion: hears ? report.inventoryVersion : 0,
        details: how === "explain" ? harness.details : { vms: [], tasks: [] },
        servers: hears ? [1, 2, 3] : [4, 5],
      });
      return;
    case "register":
      harness.deliver(harness.lastSent, { kind: "register", workerId, bootId, sequence });
      return;
    case "left":
      harness.deliver(harness.lastSent, { kind: "left", workerId, bootId, sequence, voters: hears ? [3, 6] : [7] });
      return;
    case "nothing":
      harness.step({ kind: "answered", sequence, directive: null });
      return;
  }
}

test("whenever it is captured, what is restored in another process does the same from then on", () => {
  let compared = 0;
  let acts = 0;
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 20, maxLength: 120, size: "max" }),
      fc.array(fc.nat(119), { minLength: 1, maxLength: 8 }),
      fc.option(fc.nat(119)),
      (actions, captures, removedAt) => {
        const harness = new AgentHarness();
        const { settings } = harness;
        let copies: Agent[] = [];
        harness.witness = (input, effects) => {
          for (const copy of copies) {
            // Nor does a copy see the same objects twice, as a process that shares its memory with the host would.
            expect(copy.step(copied(input))).toEqual(effects);
            compared += effects.length;
          }
          acts += effects.filter(({ kind }) => kind === "act").length;
        };
        harness.look();
        for (const [at, one] of actions.entries()) {
          if (captures.includes(at)) {
            const state = harness.agent.capture();
            const copy = Agent.restore(settings, copied(state));
            expect(copied(copy.capture())).toEqual(copied(state));
            copies = [...copies.slice(-2), copy];
          }
          if (at === removedAt) harness.step({ kind: "removed" });
          carryOut(harness, one);
        }
        for (const copy of copies) expect(copy.capture()).toEqual(harness.agent.capture());
      },
    ),
    { numRuns: 300, seed: 1 },
  );
  expect(compared).toBeGreaterThan(10_000);
  expect(acts).toBeGreaterThan(1000);
});

test("an agent that has halted stays so in another process", () => {
  const { agent, settings, nowMs } = running();
  const state = agent.capture();
  // It finds itself wrong: it has acted by a newer assignment than it has.
  const wrong = Agent.restore(settings, { ...state, actedIndex: state.actedIndex + 10 });
  const input = { kind: "inventory", machines: [], jobs: [], nowMs: nowMs + 1000 } as const;
  expect(wrong.step(input)).toMatchObject([{ kind: "halt" }]);
  const copy = Agent.restore(settings, copied(wrong.capture()));
  for (const forMs of [1000, 60_000]) expect(copy.step({ ...input, nowMs: nowMs + forMs })).toEqual([]);
});
