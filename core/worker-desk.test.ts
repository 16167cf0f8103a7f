import { expect, test } from "vitest";
import { encodeReport } from "./index.ts";
import { Cluster } from "./testing/index.ts";

const WORKER_ID = 101;

function clusterOf(...ids: readonly number[]): Cluster {
  const cluster = new Cluster(ids);
  cluster.elect(1);
  cluster.command(1, { kind: "announceNode", nodeId: WORKER_ID, peerId: "worker", addresses: ["host:7000"] });
  cluster.run(100);
  return cluster;
}

function report(cluster: Cluster, sequence: number): number {
  const data = encodeReport({
    workerId: WORKER_ID,
    bootId: 1,
    sequence,
    facts: null,
    assignedIndex: 0,
    inventoryVersion: 0,
    inventory: null,
  });
  return cluster.request(1, { kind: "report", peerId: "worker", data });
}

test("a report that comes after a pause is asked about at once", () => {
  const cluster = clusterOf(1, 2, 3);
  const request = report(cluster, 1);
  expect(cluster.take("heartbeat")).toHaveLength(2);
  expect(cluster.answer(request)).toBeUndefined();
});

test("what comes within ten milliseconds of a round shares the next one", () => {
  const cluster = clusterOf(1, 2, 3);
  const before = cluster.sent.length;
  const requests: number[] = [];
  for (let sequence = 1; sequence <= 10; sequence++) {
    requests.push(report(cluster, sequence));
    cluster.settle();
    cluster.run(1);
  }
  cluster.run(9);
  expect(requests.map((request) => cluster.answer(request))).toEqual(new Array(10).fill("directive"));
  expect(cluster.sent.slice(before).filter(({ message }) => message.type === "heartbeat")).toHaveLength(4);
});

test("where one vote is a quorum, a report is answered in the step in which it comes", () => {
  const cluster = clusterOf(1);
  expect(cluster.answer(report(cluster, 1))).toBe("directive");
});
