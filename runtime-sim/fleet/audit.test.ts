import { expect, test } from "vitest";
import { type ClusterEvent, type ClusterState, emptyState } from "../../core/index.ts";
import { FleetAudit } from "./audit.ts";
import type { RunningMachine } from "./hypervisor.ts";
import type { RunningJob } from "./jobs.ts";
import type { FleetOracle, WorkerView } from "./oracles/index.ts";

const nothing = {
  workers: [],
  touched: new Set<string>(),
  disturbed: new Set<number>(),
  violate: () => {},
  nowMs: () => 0,
};
const shape = { faultsAreLocal: false, clocksLie: false };

function auditBy(oracle: Omit<FleetOracle, "name" | "summary" | "checks">): FleetAudit {
  return new FleetAudit({ ...nothing, shape }, [() => ({ name: "spy", summary: "", checks: 0, ...oracle })]);
}

function stateWith(appliedIndex: number, chunks: readonly (readonly number[])[]): ClusterState {
  const event = (index: number): ClusterEvent => ({
    index,
    term: 1,
    atMs: 0,
    kind: "vmCreated",
    name: `vm-${index}`,
    tenant: "default",
    generation: 1,
  });
  return { ...emptyState(), appliedIndex, events: { total: 0, chunks: chunks.map((chunk) => chunk.map(event)) } };
}

test("each event is told once, in order, whatever chunks they come in", () => {
  const told: number[] = [];
  const audit = auditBy({ happened: ({ index }) => void told.push(index) });
  audit.applied(stateWith(1, [[1]]));
  audit.applied(stateWith(2, [[1]]));
  audit.applied(stateWith(7, [[1, 3], [4, 4], [7]]));
  audit.applied(
    stateWith(9, [
      [4, 4],
      [7, 8, 9],
    ]),
  );
  expect(told).toEqual([1, 3, 4, 4, 7, 8, 9]);
});

test("what begins and what ends on a host is told, ends first", () => {
  const told: string[] = [];
  const audit = auditBy({
    began: (worker, { name }) => void told.push(`${name} began on ${worker.id}`),
    ended: (_, { name }) => void told.push(`${name} ended`),
    jobBegan: (_, { id }) => void told.push(`${id} began`),
    jobEnded: (_, { id }) => void told.push(`${id} ended`),
  });
  const machine = (name: string): RunningMachine => ({ name, epoch: 1, spec: null });
  const [a, b, c] = [machine("a"), machine("b"), machine("c")];
  let machines: readonly RunningMachine[] = [a, b];
  let runningJobs: readonly RunningJob[] = [{ id: "job", attempt: 1 }];
  const worker: WorkerView = {
    id: 7,
    wasDisturbed: false,
    hasMisreported: false,
    nowMs: 0,
    reportedAtMs: 0,
    switchAtMs: 0,
    hypervisor: {
      running: () => machines,
      machines: () => [],
      jobs: () => [],
      get runningJobs() {
        return runningJobs;
      },
    },
  };
  audit.changed(worker);
  machines = [b, c];
  audit.changed(worker);
  runningJobs = [];
  audit.changed(worker);
  expect(told).toEqual(["a began on 7", "b began on 7", "job began", "a ended", "c began on 7", "job ended"]);
});

test("what is missing is told under the name of the oracle that misses it", () => {
  expect(auditBy({ missing: () => "this" }).missing(emptyState())).toEqual({ oracle: "spy", what: "this" });
});
