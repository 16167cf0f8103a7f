import { expect, test } from "vitest";
import { type ClientAnswer, type ClientRequest, DEFAULT_RAFT_OPTIONS } from "../../core/index.ts";
import { clientsServed } from "./clients-served.ts";
import { FakeCluster } from "./testing/index.ts";

const TIMEOUT_MS = DEFAULT_RAFT_OPTIONS.electionTimeoutMs;
const BOUND_MS = 20 * TIMEOUT_MS;

const WRITE: ClientRequest = {
  kind: "propose",
  request: { session: null, command: { kind: "openSession", clientToken: "c" } },
};
const read = (consistency: "linearizable" | "stale"): ClientRequest => ({
  kind: "read",
  query: { kind: "getVm", name: "a" },
  consistency,
});
const REFUSED: ClientAnswer = { kind: "refused", refusal: { kind: "noLeader" } };
const DONE: ClientAnswer = {
  kind: "applied",
  index: 1,
  term: 1,
  result: { ok: false, refusal: { kind: "vmExists" } },
};

const cluster = (liars: readonly number[] = []): FakeCluster => new FakeCluster(3, [clientsServed], liars);

let nextRequest = 1;

/** For that long clients ask members 1 and 2 in turn, four times in a time-out. */
function ask(made: FakeCluster, ms: number, request: ClientRequest, answer: ClientAnswer): void {
  for (const endMs = made.nowMs + ms; made.nowMs < endMs; ) {
    made.nowMs += TIMEOUT_MS / 4;
    const requestId = nextRequest++;
    const id = 1 + (requestId % 2);
    made.oracles.requested(made.member(id), requestId, request);
    made.step(id, () => {}, [{ kind: "answer", requestId, answer }]);
  }
}

test("all are turned away", () => {
  const made = cluster();
  ask(made, BOUND_MS + 2 * TIMEOUT_MS, WRITE, REFUSED);
  expect(made.violations[0]).toMatch(
    /^clients-served: no write was carried out for \d+ ms, and members 1, 2 have turned/,
  );
});

test("all reads are turned away, and writes are not", () => {
  const made = cluster();
  for (let round = 0; round < 30; round++) {
    ask(made, TIMEOUT_MS, read("linearizable"), REFUSED);
    ask(made, TIMEOUT_MS / 4, WRITE, DONE);
    ask(made, TIMEOUT_MS / 4, read("stale"), DONE);
  }
  expect(made.violations[0]).toContain("no read was carried out");
});

test("some are served, if only with a refusal by the state machine", () => {
  const made = cluster();
  for (let round = 0; round < 5; round++) {
    ask(made, BOUND_MS - 2 * TIMEOUT_MS, WRITE, REFUSED);
    ask(made, TIMEOUT_MS / 4, WRITE, DONE);
  }
  expect(made.violations).toEqual([]);
  expect(made.oracle("clients-served").checks).toBeGreaterThan(0);
});

test("hardly anybody asks", () => {
  const made = cluster();
  for (let round = 0; round < 10; round++) {
    ask(made, TIMEOUT_MS / 4, WRITE, REFUSED);
    made.nowMs += BOUND_MS;
  }
  expect(made.violations).toEqual([]);
});

test("those who turn clients away are no able quorum, or a member lies, or faults have ended", () => {
  const apart = cluster();
  apart.conditions.setLink(1, 2, { isBlocked: true });
  apart.conditions.setLink(1, 3, { isBlocked: true });
  apart.conditions.setHost(3, { hamperedUntilUs: Infinity });
  const lying = cluster([3]);
  const quiet = cluster();
  quiet.oracles.quiet();
  for (const made of [apart, lying, quiet]) {
    ask(made, 2 * BOUND_MS, WRITE, REFUSED);
    expect(made.violations).toEqual([]);
  }
});
