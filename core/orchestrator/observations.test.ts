/** What is news: in every state that a VM can be in, whatever its host shows. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Inventory, type Job, MACHINE_PHASES, type ReportedMachine } from "../agent/index.ts";
import { type Command, vmOf } from "../cluster/index.ts";
import { intentOf, type VmRecord } from "../domain/index.ts";
import { machine, OrchestratorHarness } from "../testing/index.ts";
import { attemptNumber, type Heard, indexed, isBegun, newsIn } from "./observations.ts";

const KNOWS_ALL = Number.MAX_SAFE_INTEGER;

/** A VM on worker 1, and nobody who does anything about it by himself. */
function placed(): OrchestratorHarness {
  const harness = new OrchestratorHarness();
  harness.join(1);
  harness.stopLeading();
  harness.create("web", { onWorkerLost: "wait" });
  harness.commit({ kind: "placeVm", name: "web", epoch: 0, workerId: 1 });
  return harness;
}

function observed(
  harness: OrchestratorHarness,
  phase: "building" | "starting" | "running" | "stopped" | "failed" | "absent",
): Command {
  const { epoch } = harness.vm("web");
  const machines = [{ name: "web", epoch, phase, reason: "" }];
  return { kind: "observe", workerId: 1, bootId: 1, machines, jobs: [] };
}

type Way = (harness: OrchestratorHarness) => readonly Command[];

/** Ways by which a VM comes from state to state. Commands that are refused change nothing. */
const seenBuilding: Way = (harness) => [observed(harness, "building")];
const seenStarting: Way = (harness) => [observed(harness, "starting")];
const seenRunning: Way = (harness) => [observed(harness, "running")];
const seenStopped: Way = (harness) => [observed(harness, "stopped")];
const seenFailed: Way = (harness) => [observed(harness, "failed")];
const stop: Way = () => [{ kind: "setVmDesired", name: "web", desired: "stopped" }];
const start: Way = () => [{ kind: "setVmDesired", name: "web", desired: "running" }];
const restart: Way = () => [{ kind: "restartVm", name: "web" }];
const migrate: Way = () => [{ kind: "migrateVm", name: "web", to: null }];
const remove: Way = () => [{ kind: "deleteVm", name: "web", expectedGeneration: null }];
const recover: Way = (harness) => [{ kind: "recoverVm", name: "web", epoch: harness.vm("web").epoch }];
/** Its worker is lost, and comes back. */
const lose: Way = (harness) => [
  { kind: "workerLost", workerId: 1, bootId: 1 },
  { kind: "registerWorker", workerId: 1, bootId: 1, facts: harness.host(1).facts },
];
const way = fc.constantFrom(
  seenBuilding,
  seenStarting,
  seenRunning,
  seenStopped,
  seenFailed,
  stop,
  start,
  restart,
  migrate,
  remove,
  recover,
  lose,
);

/** Everything that a host may show of it. */
function shown({ epoch }: VmRecord): (ReportedMachine | null)[] {
  return [
    null,
    ...[epoch - 1, epoch, epoch + 1].flatMap((of) => MACHINE_PHASES.map((phase) => machine("web", of, phase))),
    machine("web", epoch, "running", true),
    { ...machine("web", epoch, "building"), reason: "half built" },
  ];
}

function heard(inventory: Inventory, assignedIndex: number): Heard {
  return { bootId: 1, inventoryVersion: 1, inventory: indexed(inventory), assignedIndex };
}

function news(harness: OrchestratorHarness, seen: ReportedMachine | null, assignedIndex: number) {
  const machines = seen === null ? [] : [seen];
  return newsIn(heard({ machines, jobs: [] }, assignedIndex), harness.state, harness.worker(1));
}

test("whatever is shown in any state is told once, makes no illegal change, and leaves what is well alone", () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(fc.array(way, { maxLength: 8, size: "max" }), (ways) => {
      const reached = placed();
      const run = (harness: OrchestratorHarness): boolean => {
        for (const go of ways) if (web(harness) !== null) harness.commit(...go(harness));
        return web(harness)?.workerId === 1 && harness.worker(1).isOnline;
      };
      if (!run(reached)) return;
      const vm = reached.vm("web");
      met.add(`${intentOf(vm)} ${vm.state}`);
      for (const seen of shown(vm)) {
        const told = news(reached, seen, KNOWS_ALL);
        const isWell =
          intentOf(vm) === "run" && seen?.epoch === vm.epoch && seen.phase === "running" && !seen.isUnhealthy;
        if (isWell && vm.state === "Running") expect(told).toBeNull();
        if (told === null) continue;
        expect(told.machines.map(({ epoch }) => epoch)).toEqual([vm.epoch]);
        const harness = placed();
        run(harness);
        harness.commit({ kind: "observe", workerId: 1, bootId: 1, ...told });
        const after = web(harness);
        // It said something that the state did not know; now it does.
        expect(after === null || after.updatedIndex > vm.updatedIndex || after.state !== vm.state).toBe(true);
        if (after?.workerId === 1 && after.epoch === vm.epoch) expect(news(harness, seen, KNOWS_ALL)).toBeNull();
      }
    }),
    { numRuns: 100, examples: Object.values(EVERY_STATE).map((ways) => [ways]) },
  );
  for (const state of Object.keys(EVERY_STATE)) expect(met).toContain(state);
});

const EVERY_STATE: Readonly<Record<string, Way[]>> = {
  "run Scheduled": [],
  "run Building": [seenBuilding],
  "run Starting": [seenStarting],
  "run Running": [seenRunning],
  "run Stopping": [stop, start],
  "run Failed": [seenFailed],
  "run Lost": [lose],
  "stop Stopping": [stop],
  "stop Stopped": [stop, seenStopped],
  "stop Lost": [lose, stop],
  "gone Stopping": [migrate],
  "gone Lost": [lose, remove],
};

function web(harness: OrchestratorHarness): VmRecord | null {
  return vmOf(harness.state, "web");
}

test("how far a worker is with what it makes is told as often as it changes, until the machine starts", () => {
  const harness = placed();
  const building = (reason: string): ReportedMachine => ({
    ...machine("web", harness.vm("web").epoch, "building"),
    reason,
  });
  for (const reason of ["1 of 3", "2 of 3"]) {
    const told = news(harness, building(reason), KNOWS_ALL);
    harness.commit({ kind: "observe", workerId: 1, bootId: 1, ...(told ?? { machines: [], jobs: [] }) });
    expect(harness.vm("web")).toMatchObject({ state: "Building", reason });
    expect(news(harness, building(reason), KNOWS_ALL)).toBeNull();
  }
  // A worker that says nothing more is as far as it was.
  expect(news(harness, building(""), KNOWS_ALL)).toBeNull();
  harness.commit(observed(harness, "starting"));
  expect(harness.vm("web")).toMatchObject({ state: "Starting", reason: "" });
  expect(news(harness, building("3 of 3"), KNOWS_ALL)).toBeNull();
});

describe("what is not there", () => {
  const begun = ["building", "starting", "running"] as const;

  test.each(begun)("is gone, once the agent has acted by an assignment that has it: %s", (phase) => {
    const harness = placed();
    harness.commit(observed(harness, phase));
    const { assignedIndex } = harness.worker(1);
    expect(news(harness, null, assignedIndex - 1)).toBeNull();
    expect(news(harness, null, assignedIndex)?.machines[0]?.phase).toBe("absent");
  });

  test.each(["built", "stopped", "failed"] as const)(
    "is gone also where an earlier run is %s in its place",
    (phase) => {
      const harness = placed();
      const earlier = { ...machine("web", 1, phase), isUnhealthy: false };
      expect(news(harness, earlier, KNOWS_ALL)).toBeNull();
      harness.commit(observed(harness, "running"));
      expect(news(harness, earlier, KNOWS_ALL)?.machines[0]?.phase).toBe("absent");
      expect(news(harness, { ...earlier, phase: "running" }, KNOWS_ALL)).toBeNull();
      expect(news(harness, earlier, harness.worker(1).assignedIndex - 1)).toBeNull();
    },
  );

  test("may still be made, if it was never seen", () => {
    const harness = placed();
    expect(isBegun(harness.vm("web"))).toBe(false);
    expect(news(harness, null, KNOWS_ALL)).toBeNull();
  });

  test("frees what was to leave only when the agent knew that it should", () => {
    const harness = placed();
    harness.commit(observed(harness, "running"));
    const before = harness.worker(1).assignedIndex;
    harness.commit({ kind: "deleteVm", name: "web", expectedGeneration: null });
    expect(news(harness, null, before)).toBeNull();
    const told = news(harness, null, harness.worker(1).assignedIndex);
    expect(told?.machines[0]?.phase).toBe("absent");
  });

  test("an assignment that is not the newest will do, if this VM has not changed since", () => {
    const harness = placed();
    harness.commit(observed(harness, "running"));
    harness.commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
    const index = harness.worker(1).assignedIndex;
    harness.create("other");
    harness.commit({ kind: "placeVm", name: "other", epoch: 0, workerId: 1 });
    expect(harness.worker(1).assignedIndex).toBeGreaterThan(index);
    expect(news(harness, null, index)?.machines[0]?.phase).toBe("absent");
    expect(news(harness, null, index - 1)).toBeNull();
  });
});

describe("jobs", () => {
  function submitted(): OrchestratorHarness {
    const harness = placed();
    harness.submit("job", 3);
    harness.commit({ kind: "placeTask", id: "job", attempt: 0, workerId: 1 });
    return harness;
  }
  const jobsSeen = (harness: OrchestratorHarness, jobs: readonly Job[], assignedIndex = KNOWS_ALL) =>
    newsIn(heard({ machines: [], jobs }, assignedIndex), harness.state, harness.worker(1))?.jobs.map(
      ({ phase }) => phase,
    ) ?? [];

  test("one that runs is no news; one that has ended is; one that is not there has vanished", () => {
    const harness = submitted();
    const job: Job = {
      id: "job",
      attempt: attemptNumber(harness.task("job")),
      phase: "running",
      exitCode: 0,
      output: "",
    };
    expect(jobsSeen(harness, [job])).toEqual([]);
    expect(jobsSeen(harness, [{ ...job, phase: "exited" }])).toEqual(["exited"]);
    expect(jobsSeen(harness, [{ ...job, phase: "failed" }])).toEqual(["failed"]);
    expect(jobsSeen(harness, [])).toEqual(["absent"]);
    expect(jobsSeen(harness, [], harness.worker(1).assignedIndex - 1)).toEqual([]);
  });

  test("what another attempt did is not taken for what this one did", () => {
    const harness = submitted();
    const job: Job = {
      id: "job",
      attempt: attemptNumber(harness.task("job")) - 1,
      phase: "exited",
      exitCode: 0,
      output: "",
    };
    expect(jobsSeen(harness, [job])).toEqual([]);
  });
});

test("what does not fit into one entry comes in several", () => {
  const harness = new OrchestratorHarness();
  harness.join(1, { capacity: { vcpus: 10_000, memoryMiB: 10_000_000, diskGiB: 100_000 } });
  for (let n = 0; n < 300; n++) harness.create(`vm-${n}`);
  harness.report(1);
  harness.shows(1, {
    machines: harness.worker(1).vms.map((name) => {
      return { ...machine(name, harness.vm(name).epoch, "failed"), reason: "\u4e16".repeat(256) };
    }),
  });
  harness.takeProposed();
  harness.report(1);
  const entries = harness.takeProposed().filter(({ kind }) => kind === "observe");
  expect(entries.length).toBeGreaterThan(3);
  expect(harness.worker(1).vms.every((name) => harness.vm(name).state === "Failed")).toBe(true);
});

const NAMES = ["a", "b", "c"];
const WORKERS = [1, 2];
const name = fc.constantFrom(...NAMES);
const workerId = fc.constantFrom(...WORKERS);
const deed = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("create" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("stop" as const, "start", "restart", "migrate"), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("submit" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), name }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("report" as const), workerId }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("obey" as const), workerId }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("show" as const),
      workerId,
      name,
      phase: fc.constantFrom(...MACHINE_PHASES, null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("endJobs" as const), workerId }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reboot" as const), workerId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), forMs: fc.constantFrom(1000, 6000, 13_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("handOver" as const) }) },
);

test("nothing that a worker has told stays unsaid, whatever happens after it", () => {
  let told = 0;
  fc.assert(
    fc.property(fc.array(deed, { minLength: 20, maxLength: 60 }), fc.infiniteStream(fc.nat(9)), (deeds, luck) => {
      const harness = new OrchestratorHarness();
      for (const id of WORKERS) harness.join(id);
      // Now and then a proposal is lost on its way.
      harness.loses = () => luck.next().value === 0;
      /** What each process has told last, and this leader has heard. */
      let last = new Map<number, Heard>();
      const report = (id: number): void => {
        const { bootId, inventoryVersion, machines, jobs, assignment } = harness.host(id);
        const { isOnline, bootId: known } = harness.worker(id);
        harness.report(id);
        // A process that is not registered yet tells all of it again.
        if (!isOnline || known !== bootId) return;
        const inventory = indexed({ machines, jobs });
        last.set(id, { bootId, inventoryVersion, inventory, assignedIndex: assignment?.index ?? 0 });
      };
      for (const one of deeds) {
        switch (one.do) {
          case "create":
            harness.create(one.name);
            break;
          case "delete":
            harness.commit({ kind: "deleteVm", name: one.name, expectedGeneration: null });
            break;
          case "stop":
          case "start":
            harness.commit({
              kind: "setVmDesired",
              name: one.name,
              desired: one.do === "stop" ? "stopped" : "running",
            });
            break;
          case "restart":
            harness.commit({ kind: "restartVm", name: one.name });
            break;
          case "migrate":
            harness.commit({ kind: "migrateVm", name: one.name, to: null });
            break;
          case "submit":
            harness.submit(one.name, 2);
            break;
          case "cancel":
            harness.commit({ kind: "cancelTask", id: one.name });
            break;
          case "report":
            report(one.workerId);
            break;
          case "obey":
            harness.showsAll(one.workerId);
            break;
          case "show": {
            const { phase } = one;
            const { machines } = harness.host(one.workerId);
            const others = machines.filter((other) => other.name !== one.name);
            const epoch = vmOf(harness.state, one.name)?.epoch ?? 1;
            const all = phase === null ? others : [...others, machine(one.name, epoch, phase)];
            harness.shows(one.workerId, { machines: all.sort((a, b) => (a.name < b.name ? -1 : 1)) });
            break;
          }
          case "endJobs":
            harness.shows(one.workerId, {
              jobs: harness.host(one.workerId).jobs.map((job) => ({ ...job, phase: "exited" })),
            });
            break;
          case "reboot":
            harness.reboot(one.workerId);
            break;
          case "pass":
            harness.pass(one.forMs);
            break;
          case "handOver":
            harness.handOver();
            last = new Map();
            break;
        }
        for (const [id, heard] of last) {
          const worker = harness.worker(id);
          if (!worker.isOnline || worker.bootId !== heard.bootId) {
            last.delete(id);
            continue;
          }
          told += 1;
          expect(newsIn(heard, harness.state, worker), `of worker ${id} after ${JSON.stringify(one)}`).toBeNull();
        }
      }
    }),
    { numRuns: 300, seed: 1 },
  );
  expect(told).toBeGreaterThan(5000);
});
