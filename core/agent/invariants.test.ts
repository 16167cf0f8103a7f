/** Each assertion of an agent is seen to fire, and what it leaves then. */
import { describe, expect, test } from "vitest";
import { vmSpec } from "../domain/index.ts";
import { type AgentHarness, wantedTask, wantedVm } from "../testing/index.ts";
import { Agent, type AgentState } from "./agent.ts";
import { checkAction, type Grounds } from "./invariants.ts";
import { VersionedInventory } from "./inventory.ts";
import { ReportChannel } from "./report-channel.ts";
import { Step } from "./step.ts";
import { running, settled } from "./testing/index.ts";
import type { AgentEffect, HostAction, MachinePhase } from "./types.ts";

function grounds(fields: Partial<Grounds> = {}, phase: MachinePhase | null = "built", epoch = 5): Grounds {
  return {
    nowMs: 1000,
    beginUntilMs: 9500,
    leaseUntilMs: 10_000,
    assignment: {
      index: 1,
      vms: [wantedVm("web", 5, "run"), wantedVm("old", 3, "stop")],
      tasks: [wantedTask("job", 2)],
    },
    machine: (name) => (phase === null ? undefined : { name, epoch, phase, reason: "" }),
    ...fields,
  };
}

const start: HostAction = { kind: "start", name: "web", epoch: 5 };
const build: HostAction = { kind: "build", name: "web", epoch: 5, spec: vmSpec(), interfaces: [] };
const run: HostAction = { kind: "runJob", id: "job", attempt: 2, command: "true", args: [], timeoutMs: 1000 };

describe("what an agent has its host do", () => {
  test("is let through if it is as it must be", () => {
    checkAction(start, grounds());
    checkAction(build, grounds({}, null));
    checkAction(build, grounds({}, "failed", 4));
    checkAction(run, grounds());
    checkAction({ kind: "fenceAt", atMs: 10_000 }, grounds());
  });

  test.each<[string, HostAction, Grounds]>([
    ["without a lease no machine is begun", start, grounds({ nowMs: 9500 })],
    ["without a lease no machine is begun", build, grounds({ nowMs: 9500 }, null)],
    ["only an assigned run is begun", { ...start, epoch: 4 }, grounds({}, "built", 4)],
    ["only an assigned run is begun", { ...start, name: "old", epoch: 3 }, grounds({}, "built", 3)],
    ["only an assigned run is begun", start, grounds({ assignment: null })],
    // As a fenced machine is shown.
    ["only a machine that was built and never started is started", start, grounds({}, "failed")],
    ["only a machine that was built and never started is started", start, grounds({}, "running")],
    ["only a machine that was built and never started is started", start, grounds({}, null)],
    ["no run is built a second time", build, grounds({}, "failed")],
    ["nothing is built where another run executes", build, grounds({}, "running", 4)],
    ["without a lease no job is run", run, grounds({ nowMs: 9500 })],
    ["only an assigned attempt is run", { ...run, attempt: 1 }, grounds()],
    ["only an assigned attempt is run", { ...run, id: "other" }, grounds()],
    ["the fence of the host is set to the end of the lease", { kind: "fenceAt", atMs: 10_001 }, grounds()],
  ])("planted: %s", (message, action, on) => {
    expect(() => checkAction(action, on)).toThrow(`assertion failed: ${message}`);
  });
});

/** What an agent whose state is changed like this does with its next inputs. */
function broken(harness: AgentHarness, change: (state: AgentState) => Partial<AgentState>): readonly AgentEffect[] {
  const state = harness.agent.capture();
  const agent = Agent.restore(harness.settings, { ...state, ...change(state) });
  const machines = [...harness.machines.values()];
  const inputs = [{ kind: "inventory", machines, jobs: [] } as const, { kind: "wake" } as const];
  const nowMs = harness.nowMs + 1000;
  return inputs.flatMap((input) => agent.step({ ...input, nowMs }));
}

describe("an agent that finds itself wrong halts: nothing else of that step leaves it, and nothing after it", () => {
  test("planted: it has acted by a newer assignment than it has", () => {
    const effects = broken(running(), ({ actedIndex }) => ({ actedIndex: actedIndex + 10 }));
    expect(effects).toEqual([
      { kind: "halt", reason: "assertion failed: no assignment is followed by an older one (12, 2)" },
    ]);
  });

  test("planted: it takes a lease for its own that nobody has granted", () => {
    const harness = settled();
    harness.wants([wantedVm("web", 5, "run")]);
    harness.pass(1000);
    harness.finish();
    // The machine is built, and the lease is over; only what says so is wrong.
    const effects = broken(harness, ({ machines }) => ({
      isRemoved: true,
      leaseUntilMs: Number.NEGATIVE_INFINITY,
      machines: { ...machines, requests: [] },
    }));
    expect(effects).toEqual([{ kind: "halt", reason: expect.stringContaining("without a lease no machine is begun") }]);
  });
});

test("planted: a second report is sent while the first is under way", () => {
  const channel = new ReportChannel(settled().settings, new Step());
  const content = { assignedIndex: 0, inventoryVersion: 1, inventory: null, lacks: { vms: [], tasks: [] } };
  channel.send(content);
  expect(() => channel.send(content)).toThrow("assertion failed: one report is under way at a time");
});

test("planted: two machines of one name are reported", () => {
  const machine = { name: "web", epoch: 5, phase: "running", reason: "", isUnhealthy: false } as const;
  const inventory = new VersionedInventory();
  inventory.update([machine], []);
  expect(() => inventory.update([machine, { ...machine, epoch: 6 }], [])).toThrow(
    "assertion failed: one machine of a name is reported: web, epoch (6)",
  );
});
