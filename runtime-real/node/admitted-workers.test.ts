import { expect, test } from "vitest";
import type { WorkerFacts } from "../../core/index.ts";
import { NodeView } from "../../core/testing/index.ts";
import { AdmittedWorkers } from "./admitted-workers.ts";

const secretHash = "0".repeat(64);
const facts: WorkerFacts = {
  capacity: { vcpus: 1, memoryMiB: 1000, diskGiB: 10 },
  features: [],
  topology: { datacenter: "dc", zone: "z", rack: "r" },
  costPerHour: 0,
  driver: null,
  guestsVia: [],
};

function admit(node: NodeView, nodeId: number, peerId: string): void {
  const id = `token000${nodeId}`;
  node.apply({ kind: "createToken", id, secretHash, purpose: "join", ttlMs: 60_000, nodeId: null });
  node.apply({ kind: "admitNode", tokenId: id, secretHash, nodeId, peerId, addresses: ["w:1"] });
}

test("a node that was admitted and is no member is a worker, until it is removed", () => {
  const node = new NodeView([1]);
  const workers = new AdmittedWorkers(node);
  expect(workers.has("peer-7")).toBe(false);
  admit(node, 7, "peer-7");
  expect(workers.has("peer-7")).toBe(true);
  expect(workers.isRemoved("peer-7")).toBe(false);
  node.apply({ kind: "registerWorker", workerId: 7, bootId: 1, facts });
  node.apply({ kind: "setAvailability", workerId: 7, availability: "cordoned" });
  node.apply({ kind: "removeWorker", workerId: 7 });
  expect(workers.has("peer-7")).toBe(false);
  expect(workers.isRemoved("peer-7")).toBe(true);
});

test("a node that has been a member is no worker afterwards", () => {
  const node = new NodeView([1, 7]);
  const workers = new AdmittedWorkers(node);
  admit(node, 7, "peer-7");
  node.retire(7);
  expect(workers.has("peer-7")).toBe(false);
});

test("a stranger is neither a worker nor a removed one", () => {
  const workers = new AdmittedWorkers(new NodeView([1]));
  expect(workers.has("nobody")).toBe(false);
  expect(workers.isRemoved("nobody")).toBe(false);
});
