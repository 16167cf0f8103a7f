import { expect, test } from "vitest";
import type { ApplyResult } from "../../core/index.ts";
import type { DoorCall } from "../workload/index.ts";
import { admissions } from "./admissions.ts";
import { FakeCluster } from "./testing/index.ts";

const ADMITTED: ApplyResult = { ok: true, kind: "nodeAdmitted" };
const EXPIRED: ApplyResult = { ok: false, refusal: { kind: "tokenExpired", expiredAtMs: 0 } };

/** A token of a minute, made in the second from 0 to 1. */
function withToken(): { cluster: FakeCluster; tell(call: Partial<DoorCall>): void } {
  const cluster = new FakeCluster(3, [admissions]);
  const tell = (call: Partial<DoorCall>): void => {
    const usual = { kind: "admit", tokenId: "token1", ttlMs: 60_000, nodeId: 7, invokedMs: 2000 } as const;
    cluster.oracles.admission({ ...usual, answeredMs: (call.invokedMs ?? 2000) + 100, result: ADMITTED, ...call });
  };
  tell({
    kind: "create",
    nodeId: 0,
    invokedMs: 0,
    answeredMs: 1000,
    result: { ok: true, kind: "tokenCreated", expiresAtMs: 9 },
  });
  return { cluster, tell };
}

const revoked = { kind: "revoke", nodeId: 0, result: { ok: true, kind: "tokenRevoked" } } as const;

test("let in once, asked again, and refused in time", () => {
  const { cluster, tell } = withToken();
  tell({});
  tell({ invokedMs: 3000 });
  tell({ nodeId: 8, invokedMs: 70_000, result: EXPIRED });
  expect(cluster.violations).toEqual([]);
  expect(cluster.oracles.checks).toEqual({ admissions: 3 });
});

test("two nodes with one token", () => {
  const { cluster, tell } = withToken();
  tell({});
  tell({ nodeId: 8 });
  expect(cluster.violations).toEqual([
    "admissions: token token1 has let in node 7, answered at event 0, 0.000000 s, and node 8",
  ]);
});

test("after the revocation was answered; while it is under way either may come first", () => {
  const { cluster, tell } = withToken();
  tell({ ...revoked, invokedMs: 4000, answeredMs: 5000 });
  tell({ invokedMs: 4500, answeredMs: 6000 });
  expect(cluster.violations).toEqual([]);
  const late = withToken();
  late.tell({ ...revoked, invokedMs: 4000, answeredMs: 5000 });
  late.tell({ invokedMs: 5001 });
  expect(late.cluster.violations).toEqual([
    "admissions: token token1 has let in node 7, which asked at 5.001000 s, after its revocation was answered at event 0, 0.000000 s",
  ]);
});

test("long after its time, and called expired long before", () => {
  const late = withToken();
  late.tell({ invokedMs: 90_000 });
  expect(late.cluster.violations).toEqual([
    "admissions: token token1 has let in node 7 29000 ms after its time; it was made at event 0, 0.000000 s",
  ]);
  const early = withToken();
  early.tell({ invokedMs: 10_000, result: EXPIRED });
  expect(early.cluster.violations).toEqual([
    "admissions: token token1 was called expired 49900 ms before its time; it was made at event 0, 0.000000 s",
  ]);
});
