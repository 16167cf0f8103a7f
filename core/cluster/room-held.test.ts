/** What a VM holds while one run of it may still execute and the next is called for. */

import { expect, test } from "vitest";
import { vmSpec } from "../domain/index.ts";
import { applyEntries, type Command, emptyState, encodeRequest, stampRequest, vmOf, workerOf } from "./index.ts";

/** A VM of 8 vcpus that runs on worker 7. */
function cluster() {
  let state = emptyState();
  let index = 0;
  const commit = (command: Command): void => {
    const data = stampRequest(encodeRequest({ session: null, command }), { wallMs: index, proposer: 1 });
    const outcome = applyEntries(state, [{ index: ++index, term: 1, data }]);
    expect(outcome.results).toEqual([expect.objectContaining({ ok: true })]);
    state = outcome.state;
  };
  const vm = () => vmOf(state, "web") ?? expect.unreachable();
  const cluster = {
    commit,
    held: () => workerOf(state, 7)?.used.vcpus,
    resize: (vcpus: number) =>
      commit({ kind: "updateVm", name: "web", expectedGeneration: vm().generation, spec: vmSpec({ vcpus }) }),
    see: (phase: "starting" | "running") => {
      const machines = [{ name: "web", epoch: vm().epoch, phase, reason: "" }];
      commit({ kind: "observe", workerId: 7, bootId: 1, machines, jobs: [] });
    },
  };
  const facts = {
    capacity: { vcpus: 100, memoryMiB: 100_000, diskGiB: 1000 },
    features: [],
    topology: { datacenter: "dc", zone: "zone", rack: "rack" },
    costPerHour: 0,
    driver: "test",
    guestsVia: [],
  };
  commit({ kind: "announceNode", nodeId: 7, peerId: "peer-7", addresses: ["worker-7:7001"] });
  commit({ kind: "registerWorker", workerId: 7, bootId: 1, facts });
  commit({ kind: "createVm", name: "web", spec: vmSpec({ vcpus: 8 }) });
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
