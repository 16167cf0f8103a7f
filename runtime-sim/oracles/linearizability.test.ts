import { expect, test } from "vitest";
import { getVm, type VmRecord } from "../../core/index.ts";
import { linearizability } from "./linearizability.ts";
import {
  applied,
  CREATED,
  call,
  complete,
  createVm,
  deleted,
  EXISTS,
  FakeCluster,
  NOT_FOUND,
  propose,
  read,
  sessionless,
  updated,
  updateVm,
} from "./testing/index.ts";

/** A cluster, and VM "vm" as it was created with value 1 and after the update to value 2. */
function cluster(): { cluster: FakeCluster; first: VmRecord; second: VmRecord } {
  const made = new FakeCluster(1, [linearizability]);
  propose(made, 1, sessionless(createVm("vm", 1)));
  const first = getVm(made.node(1).state, "vm");
  propose(made, 1, sessionless(updateVm("vm", 2, 1)));
  const second = getVm(made.node(1).state, "vm");
  if (first === null || second === null) throw new Error("no VM");
  return { cluster: made, first, second };
}

const CREATE = { id: 10, kind: "create", value: 1 } as const;
const UPDATE = { id: 11, client: 2, kind: "update", value: 2, expectedGeneration: 1 } as const;
const READ = { id: 12, client: 3 } as const;
const DELETE = { id: 13, client: 4, kind: "delete" } as const;

test("a history with every kind of answer", () => {
  const { cluster: made, first, second } = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED));
  complete(made, call(made, { ...CREATE, value: 9 }), applied(2, EXISTS));
  complete(made, call(made, READ), read(2, first));
  complete(made, call(made, UPDATE), applied(3, updated(2)));
  const mismatch = { ok: false, refusal: { kind: "generationMismatch", expected: 1, actual: 2 } } as const;
  complete(made, call(made, { ...UPDATE, value: 8 }), applied(4, mismatch));
  complete(made, call(made, READ), read(4, second));
  complete(made, call(made, DELETE), applied(5, deleted(2)));
  complete(made, call(made, READ), read(5, null));
  complete(made, call(made, { ...UPDATE, value: 7 }), applied(6, NOT_FOUND));
  complete(made, call(made, CREATE), { kind: "refused", refusal: { kind: "noLeader" } });
  made.oracles.finished();
  expect(made.violations).toEqual([]);
  expect(made.oracle("linearizability").checks).toBe(10);
});

test("an acknowledged write that a later read does not see, found when the key is at rest", () => {
  const { cluster: made, first } = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED));
  complete(made, call(made, UPDATE), applied(2, updated(2)));
  complete(made, call(made, READ), read(2, first));
  expect(made.violations).toHaveLength(1);
  expect(made.violations[0]).toContain("linearizability: key vm is not linearizable");
  expect(made.violations[0]).toContain("update 2 if generation is 1 -> generation 2");
});

test("two updates of one generation", () => {
  const { cluster: made } = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED));
  complete(made, call(made, UPDATE), applied(2, updated(2)));
  complete(made, call(made, { ...UPDATE, value: 8 }), applied(3, updated(2)));
  expect(made.violations).toHaveLength(1);
});

test("a refusal that cannot be", () => {
  const { cluster: made } = cluster();
  complete(made, call(made, CREATE), applied(1, EXISTS));
  expect(made.violations).toHaveLength(1);
});

test("an operation of unknown outcome may have happened, once", () => {
  const { cluster: made, second } = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED));
  complete(made, call(made, UPDATE), null);
  complete(made, call(made, READ), read(2, second));
  made.oracles.finished();
  expect(made.violations).toEqual([]);
  const stray = cluster();
  complete(stray.cluster, call(stray.cluster, READ), read(2, second));
  expect(stray.cluster.violations).toHaveLength(1);
});

test("a refused operation must have had no effect", () => {
  const { cluster: made, second } = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED));
  complete(made, call(made, UPDATE), { kind: "refused", refusal: { kind: "noLeader" } });
  complete(made, call(made, READ), read(2, second));
  expect(made.violations).toHaveLength(1);
});

test("stale reads are not held to it", () => {
  const { cluster: made, first } = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED));
  complete(made, call(made, UPDATE), applied(2, updated(2)));
  complete(made, call(made, { ...READ, consistency: "stale" }), read(1, first));
  made.oracles.finished();
  expect(made.violations).toEqual([]);
});
