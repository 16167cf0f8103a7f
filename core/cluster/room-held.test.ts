/** What a VM holds while one run of it may still execute and the next is called for. */

import { expect, test } from "vitest";
import { vmSpec } from "../domain/index.ts";
import { applyEntries, type Command, emptyState, encodeRequest, stampRequest, vmOf, workerOf } from "./index.ts";

/** A VM of 8 vcpus that runs on worker 7. */
function cluster() {
  let state = emptyState();
  let index = 0;
  const apply = (command: Command) => {
    const data = stampRequest(encodeRequest({ session: null, command }), { wallMs: index, proposer: 1 });
    return applyEntries(state, [{ index: index + 1, term: 1, data }]);
  };
  const commit = (command: Command): void => {
    const outcome = apply(command);
    index += 1;
    expect(outcome.results).toEqual([expect.objectContaining({ ok: true })]);
    state = outcome.state;
  };
  const vm = () => vmOf(state, "web") ?? expect.unreachable();
  const facts = {
    capacity: { vcpus: 100, memoryMiB: 100_000, diskGiB: 1000 },
    features: [],
    topology: { datacenter: "dc", zone: "zone", rack: "rack" },
    costPerHour: 0,
    driver: "test",
    guestsVia: [],
  };
  const register = () => commit({ kind: "registerWorker", workerId: 7, bootId: 1, facts });
  const resized = (vcpus: number): Command => {
    const { generation, spec } = vm();
    return { kind: "updateVm", name: "web", expectedGeneration: generation, spec: { ...spec, vcpus } };
  };
  const cluster = {
    commit,
    /** What comes of resizing it. Nothing is changed by it. */
    ask: (vcpus: number) => apply(resized(vcpus)).results[0],
    register,
    held: () => workerOf(state, 7)?.used.vcpus,
    resize: (vcpus: number) => commit(resized(vcpus)),
    see: (phase: "starting" | "running" | "unhealthy" | "stopped" | "failed" | "absent") => {
      const machines = [{ name: "web", epoch: vm().epoch, phase, reason: "" }];
      commit({ kind: "observe", workerId: 7, bootId: 1, machines, jobs: [] });
    },
  };
  commit({ kind: "announceNode", nodeId: 7, peerId: "peer-7", addresses: ["worker-7:7001"] });
  register();
  commit({ kind: "createVm", name: "web", spec: vmSpec({ vcpus: 8, onWorkerLost: "wait" }) });
  commit({ kind: "placeVm", name: "web", epoch: 0, workerId: 7 });
  cluster.see("running");
  expect(cluster.held()).toBe(8);
  return cluster;
}

test("one that shrinks and restarts holds what its last run has until the next is seen", () => {
  const { commit, held, resize, see } = cluster();
  resize(2);
  expect(held()).toBe(8);
  commit({ kind: "restartVm", name: "web" });
  expect(held()).toBe(8);
  see("starting");
  expect(held()).toBe(2);
  see("running");
  expect(held()).toBe(2);
});

test("one that shrinks before its run is seen may have been built by the spec before", () => {
  const { commit, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  resize(12);
  resize(1);
  expect(held()).toBe(12);
  see("running");
  expect(held()).toBe(12);
  commit({ kind: "restartVm", name: "web" });
  see("running");
  expect(held()).toBe(1);
});

test("one that grows before its run is seen, and shrinks after, may have been built by the spec between", () => {
  const { commit, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  resize(12);
  see("starting");
  resize(1);
  expect(held()).toBe(12);
  see("running");
  expect(held()).toBe(12);
});

test("one that grows before its run is seen, and is lost, may run by that spec when its worker is back", () => {
  const { commit, register, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  resize(12);
  commit({ kind: "workerLost", workerId: 7, bootId: 1 });
  resize(1);
  expect(held()).toBe(12);
  register();
  see("running");
  expect(held()).toBe(12);
});

test("one that grows before its run is seen, and is told to stop, may run by that spec until it has", () => {
  const { commit, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  resize(12);
  commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
  resize(1);
  commit({ kind: "setVmDesired", name: "web", desired: "running" });
  expect(held()).toBe(12);
  see("running");
  expect(held()).toBe(12);
});

test("one that grows before its run is seen, and is seen unhealthy first, runs until the next", () => {
  const { commit, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  resize(12);
  see("unhealthy");
  resize(1);
  expect(held()).toBe(12);
});

test("what grows while it is lost was not built by the later spec", () => {
  const { commit, register, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  commit({ kind: "workerLost", workerId: 7, bootId: 1 });
  register();
  // Whoever hears of this spec hears too that the run is not to be built any more:
  // orchestrator/observations.ts#isBegun.
  resize(12);
  see("running");
  resize(1);
  expect(held()).toBe(8);
});

test.each(["stopped", "absent"] as const)("one that is seen %s while it is to be holds what its spec asks", (phase) => {
  const { commit, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  resize(12);
  commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
  resize(1);
  expect(held()).toBe(12);
  see(phase);
  expect(held()).toBe(1);
  resize(5);
  resize(2);
  expect(held()).toBe(2);
});

test("one that has powered off holds what its spec asks, and that alone once it is to run again", () => {
  const { commit, held, resize, see } = cluster();
  see("stopped");
  resize(1);
  expect(held()).toBe(1);
  commit({ kind: "setVmDesired", name: "web", desired: "running" });
  expect(held()).toBe(1);
  // The next run may be built by any spec from here on.
  resize(12);
  resize(2);
  expect(held()).toBe(12);
  see("running");
  expect(held()).toBe(12);
});

test("one that was stopped and is lost, or has to leave, holds no more for it", () => {
  const { commit, register, held, resize, see } = cluster();
  see("stopped");
  resize(1);
  commit({ kind: "workerLost", workerId: 7, bootId: 1 });
  register();
  expect(held()).toBe(1);
  see("stopped");
  commit({ kind: "migrateVm", name: "web", to: null });
  expect(held()).toBe(1);
});

test("one that is started before it is seen stopped begins its next run with nothing of the last", () => {
  const { commit, held, resize, see } = cluster();
  commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
  resize(1);
  commit({ kind: "setVmDesired", name: "web", desired: "running" });
  expect(held()).toBe(8);
  see("stopped");
  expect(held()).toBe(1);
});

test("one that is stopped and grows is judged by the room of its worker", () => {
  const { commit, ask, held, resize, see } = cluster();
  see("stopped");
  resize(1);
  commit({ kind: "createVm", name: "other", spec: vmSpec({ vcpus: 85 }) });
  commit({ kind: "placeVm", name: "other", epoch: 0, workerId: 7 });
  // A tenth of the 100 is kept back.
  expect(ask(6)).toMatchObject({ ok: false, refusal: { kind: "doesNotFit", why: "insufficient" } });
  resize(5);
  expect(held()).toBe(90);
});

test("a run that fails before it is ever seen otherwise was built by what it was called for with, or not at all", () => {
  const { commit, held, resize, see } = cluster();
  resize(1);
  commit({ kind: "restartVm", name: "web" });
  expect(held()).toBe(8);
  see("failed");
  expect(held()).toBe(1);
});

test("a run that fails after a change may be any spec since, and may not have ended", () => {
  const { commit, held, resize, see } = cluster();
  commit({ kind: "restartVm", name: "web" });
  resize(12);
  resize(1);
  see("failed");
  expect(held()).toBe(12);
  commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
  see("failed");
  expect(held()).toBe(12);
});
