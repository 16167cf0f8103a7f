import { expect, test } from "vitest";
import {
  type ClusterEvent,
  type ClusterState,
  type Entry,
  emptyState,
  encodeRequest,
  stampRequest,
} from "../../core/index.ts";
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
  now: () => ({ event: 0, atMs: 0 }),
  orchestrator: () => null,
  isServable: () => true,
  leadership: () => 1,
  canCommit: () => true,
  appliedBefore: () => null,
  entryAt: () => null,
  commitIndex: () => 0,
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

function entryAt(index: number): Entry {
  const command = { kind: "restartVm", name: `vm-${index}` } as const;
  const data = stampRequest(encodeRequest({ session: null, command }), { wallMs: 0, proposer: 1 });
  return { index, term: 1, kind: "command", data, chain: "" };
}

test("the events of an entry are told once, in order, whatever chunks they come in, with what it asked for", () => {
  const told: string[] = [];
  const audit = auditBy({
    happened: ({ index }, state, { before, command }) => {
      const target = command?.kind === "restartVm" ? command.name : null;
      told.push(`${index}: ${before.appliedIndex} to ${state.appliedIndex} by ${target}`);
    },
  });
  audit.applied(stateWith(1, [[1]]), entryAt(1));
  audit.applied(stateWith(2, [[1]]), null);
  audit.applied(stateWith(4, [[1, 4], [4, 4], [4]]), entryAt(4));
  audit.applied(stateWith(7, [[4, 4], [4, 7], [7]]), entryAt(7));
  expect(told).toEqual([
    "1: 0 to 1 by vm-1",
    ...Array.from({ length: 4 }, () => "4: 2 to 4 by vm-4"),
    ...Array.from({ length: 2 }, () => "7: 4 to 7 by vm-7"),
  ]);
});

test("once the history is lost nothing is judged by it any more", () => {
  const told: string[] = [];
  const tell = (name: string) => () => void told.push(name);
  const audit = auditBy({
    happened: tell("happened"),
    acted: tell("acted"),
    audit: tell("audit"),
    missing: () => "still asked",
  });
  audit.lostTrack();
  audit.applied(stateWith(1, [[1]]), null);
  audit.audit();
  expect(told).toEqual([]);
  expect(audit.missing(emptyState())?.what).toBe("still asked");
});

test("what begins and what ends on a host is told, ends first", () => {
  const told: string[] = [];
  const audit = auditBy({
    began: (worker, { name }) => void told.push(`${name} began on ${worker.id}`),
    ended: (_, { name }) => void told.push(`${name} ended`),
    jobBegan: (_, { id }) => void told.push(`${id} began`),
    jobEnded: (_, { id }) => void told.push(`${id} ended`),
  });
  const machine = (name: string): RunningMachine => ({ name, epoch: 1, spec: null, interfaces: [] });
  const [a, b, c] = [machine("a"), machine("b"), machine("c")];
  let machines: readonly RunningMachine[] = [a, b];
  let runningJobs: readonly RunningJob[] = [{ id: "job", attempt: 1 }];
  const worker: WorkerView = {
    id: 7,
    wasDisturbed: false,
    hasMisreported: false,
    isDown: false,
    process: 1,
    servers: null,
    asksRunningServer: false,
    mayHaveBeenMisled: false,
    wasPaused: false,
    downs: 0,
    nowMs: 0,
    leasedAtMs: 0,
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
