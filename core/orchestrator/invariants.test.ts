/** Each assertion of the orchestrator and its scheduler is seen to fire. In a node, each halts it: see `Node.step`. */
import { describe, expect, test } from "vitest";
import { emptyState } from "../cluster/index.ts";
import { FACTS, OrchestratorHarness } from "../testing/index.ts";
import { Orchestrator } from "./orchestrator.ts";
import { type Placement, Proposals, type Subject } from "./proposals.ts";
import { Room } from "./room.ts";
import { WorkerLeases } from "./worker-leases.ts";

const WEB: Subject = { kind: "vm", name: "web" };
const PLACEMENT: Placement = { workerId: 1, resources: { vcpus: 2, memoryMiB: 100, diskGiB: 1 } };
const command = { kind: "placeVm", name: "web", epoch: 0, workerId: 1 } as const;

/** A VM that waits for a place, a worker that may take it, and room that nobody has asked about yet. */
function waiting(): { readonly harness: OrchestratorHarness; readonly proposals: Proposals; readonly room: Room } {
  const harness = new OrchestratorHarness();
  harness.join(1);
  harness.stopLeading();
  harness.create("web");
  const proposals = new Proposals();
  const room = new Room(proposals);
  room.workerChanged(harness.worker(1));
  return { harness, proposals, room };
}

describe("room", () => {
  test("is promised and given back", () => {
    const { harness, proposals, room } = waiting();
    room.propose(harness.state, WEB, command, PLACEMENT);
    expect(proposals.settle("vm:web")?.placement).toEqual(PLACEMENT);
    room.settled(harness.state, PLACEMENT, [1]);
    room.propose(harness.state, WEB, command, PLACEMENT);
  });

  test("planted: a second placement of a VM is proposed while the first is in flight", () => {
    const { harness, room } = waiting();
    room.propose(harness.state, WEB, command, PLACEMENT);
    expect(() => room.propose(harness.state, WEB, command, PLACEMENT)).toThrow(
      "assertion failed: there is one proposal in flight about a vm, and so one placement: placeVm",
    );
  });

  test.each(["deleted", "stopped", "unknown"])("planted: a VM that is %s is placed", (how) => {
    const { harness, room } = waiting();
    if (how === "deleted") harness.commit({ kind: "deleteVm", name: "web", expectedGeneration: null });
    if (how === "stopped") harness.commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
    const subject: Subject = how === "unknown" ? { kind: "vm", name: "other" } : WEB;
    expect(() => room.propose(harness.state, subject, command, PLACEMENT)).toThrow(
      "assertion failed: room is promised to what is to run",
    );
  });

  test("planted: a task that is over is placed", () => {
    const { harness, room } = waiting();
    harness.submit("job");
    harness.commit({ kind: "cancelTask", id: "job" });
    const placeTask = { kind: "placeTask", id: "job", attempt: 0, workerId: 1 } as const;
    expect(() => room.propose(harness.state, { kind: "task", id: "job" }, placeTask, PLACEMENT)).toThrow(
      "assertion failed: room is promised to what is to run",
    );
  });

  test.each(["cordoned", "unknown"])("planted: a worker that is %s is chosen", (how) => {
    const { harness, room } = waiting();
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "cordoned" });
    const placement = how === "unknown" ? { ...PLACEMENT, workerId: 9 } : PLACEMENT;
    expect(() => room.propose(harness.state, WEB, command, placement)).toThrow(
      "assertion failed: room is promised on workers that are online",
    );
  });

  test("planted: a place is chosen while the index has not heard of another VM there", () => {
    const { harness, room } = waiting();
    harness.create("other");
    harness.commit({ kind: "placeVm", name: "other", epoch: 0, workerId: 1 });
    expect(() => room.propose(harness.state, WEB, command, PLACEMENT)).toThrow(
      "assertion failed: a place is chosen by what is used and promised on the worker by now (1)",
    );
  });

  test("planted: room is given back twice", () => {
    const { harness, proposals, room } = waiting();
    room.propose(harness.state, WEB, command, PLACEMENT);
    proposals.settle("vm:web");
    room.settled(harness.state, PLACEMENT, []);
    expect(() => room.settled(harness.state, PLACEMENT, [])).toThrow("assertion failed: no room is given back twice");
  });

  test("planted: less is given back than was promised", () => {
    const { harness, proposals, room } = waiting();
    room.propose(harness.state, WEB, command, PLACEMENT);
    proposals.settle("vm:web");
    const less = { ...PLACEMENT, resources: { ...PLACEMENT.resources, vcpus: 1 } };
    expect(() => room.settled(harness.state, less, [])).toThrow(
      "assertion failed: nothing is promised but to what is in flight",
    );
  });
});

test("planted: an older state follows", () => {
  const harness = new OrchestratorHarness();
  harness.join(1, FACTS);
  const orchestrator = new Orchestrator(0.05, harness.state, harness.nowMs);
  const touched = { workers: [], vms: [], tasks: [] };
  expect(() => orchestrator.applied(emptyState(), touched, harness.nowMs)).toThrow(
    "assertion failed: no state is followed by an older one",
  );
});

test("planted: a leader would wait for less than a host may take", () => {
  expect(() => new WorkerLeases(-0.5, new Proposals())).toThrow("assertion failed: a leader waits for longer");
});
