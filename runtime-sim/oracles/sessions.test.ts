import { expect, test } from "vitest";
import { oneAnswerPerRequest } from "./sessions.ts";
import {
  applied,
  CREATED,
  call,
  complete,
  createVm,
  EXISTS,
  FakeCluster,
  inSession,
  propose,
  sessionless,
} from "./testing/index.ts";

const OPEN = sessionless({ kind: "openSession", clientToken: "client" });
const CREATE = { kind: "create", key: "a", value: 1, session: 1, sequence: 1 } as const;

test("retries get the first answer", () => {
  const cluster = new FakeCluster(1, [oneAnswerPerRequest]);
  propose(cluster, 1, OPEN);
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)));
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)));
  complete(cluster, call(cluster, CREATE), applied(3, CREATED));
  cluster.oracles.finished();
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracle("sessions").checks).toBe(1);
});

test("a client that is told something else", () => {
  const cluster = new FakeCluster(1, [oneAnswerPerRequest]);
  propose(cluster, 1, OPEN);
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)), inSession(1, 1, createVm("a", 1)));
  complete(cluster, call(cluster, CREATE), applied(3, EXISTS));
  expect(cluster.violations).toEqual([
    'sessions: request 1 of session 1 was answered {"ok":false,"refusal":{"kind":"vmExists"}}; first it was {"ok":true,"kind":"vmCreated","generation":1} (entry 2, on the first that applied it, node 1 at event 2, 0.000000 s)',
  ]);
});

test("a retry that the replay answers otherwise", () => {
  const cluster = new FakeCluster(1, [oneAnswerPerRequest]);
  propose(cluster, 1, OPEN);
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)));
  // The first entry's result as the first node had it.
  cluster.step(1, (node) => {
    node.log.append(1);
    node.commitIndex = 3;
  });
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)));
  cluster.oracles.finished();
  expect(cluster.violations).toEqual([]);
});

test("to be told that the answer is forgotten is fine", () => {
  const cluster = new FakeCluster(1, [oneAnswerPerRequest]);
  propose(cluster, 1, OPEN);
  propose(cluster, 1, inSession(1, 1, createVm("a", 1)));
  const expired = { ok: false, refusal: { kind: "sessionExpired", sessionId: 1 } } as const;
  complete(cluster, call(cluster, CREATE), applied(3, expired));
  expect(cluster.violations).toEqual([]);
});
