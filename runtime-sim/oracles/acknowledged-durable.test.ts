import { expect, test } from "vitest";
import { getVm } from "../../core/index.ts";
import { acknowledgedDurable } from "./acknowledged-durable.ts";
import {
  applied,
  CREATED,
  call,
  complete,
  createVm,
  EXISTS,
  FakeCluster,
  propose,
  read,
  sessionless,
  specOf,
  updateVm,
} from "./testing/index.ts";

const NAME = "acknowledged-durable";
const CREATE = { kind: "create", key: "a", value: 1 } as const;

function cluster(liars: readonly number[] = []): FakeCluster {
  const made = new FakeCluster(2, [acknowledgedDurable], liars);
  propose(made, 1, sessionless(createVm("a", 1)), sessionless(createVm("b", 2)));
  return made;
}

test("answers about what is committed", () => {
  const made = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED));
  complete(made, call(made, { kind: "get", key: "a" }), read(2, getVm(made.node(1).state, "a")));
  complete(made, call(made, { kind: "get", key: "c" }), read(2, null));
  complete(made, call(made, CREATE), { kind: "refused", refusal: { kind: "noLeader" } });
  complete(made, call(made, CREATE), null);
  expect(made.violations).toEqual([]);
  expect(made.oracle(NAME).checks).toBe(3);
});

test("acknowledged before it was committed", () => {
  const made = cluster();
  complete(made, call(made, CREATE), applied(3, CREATED));
  expect(made.violations).toEqual([
    `${NAME}: operation 1 of client 1 (createVm a = 1) was acknowledged at index 3, but only 2 is committed ` +
      "(first committed by node 1 at event 1, 0.000000 s)",
  ]);
});

test("where somebody lies, an answer that is ahead of what honest members know is checked later", () => {
  const made = cluster([2]);
  complete(made, call(made, CREATE), applied(3, CREATED));
  complete(made, call(made, { key: "c" }), read(3, null));
  expect(made.violations).toEqual([]);
  propose(made, 1, sessionless(updateVm("a", 5, 1)));
  expect(made.violations).toEqual([expect.stringContaining("was acknowledged by entry 3, which holds")]);
});

test("where somebody lies, what is not committed in the end never was", () => {
  const made = cluster([2]);
  complete(made, call(made, CREATE), applied(3, CREATED));
  complete(made, call(made, { key: "c" }), read(9, null));
  made.oracles.finished();
  expect(made.violations).toEqual([
    expect.stringContaining("was acknowledged at index 3, but only 2 is committed"),
    expect.stringContaining("was served at index 9, but only 2 is committed"),
  ]);
});

test("acknowledged in a term whose entry was lost", () => {
  const made = cluster();
  complete(made, call(made, CREATE), applied(1, CREATED, 7));
  expect(made.violations[0]).toContain("at index 1 of term 7, but term 1 is committed there");
});

test("acknowledged by somebody else's entry", () => {
  const made = cluster();
  complete(made, call(made, CREATE), applied(2, CREATED));
  expect(made.violations[0]).toContain("was acknowledged by entry 2, which holds");
});

test("answered with another result", () => {
  const made = cluster();
  complete(made, call(made, CREATE), applied(1, EXISTS));
  expect(made.violations[0]).toContain('was answered {"ok":false,"refusal":{"kind":"vmExists"}}, but entry 1 gave');
});

test("a read that shows what was never committed", () => {
  const made = cluster();
  const vm = getVm(made.node(1).state, "a");
  if (vm === null) throw new Error("no VM");
  complete(made, call(made, { key: "a" }), read(2, { ...vm, updatedIndex: 3 }));
  complete(made, call(made, { key: "a" }), read(2, { ...vm, spec: specOf(99) }));
  complete(made, call(made, { key: "a" }), read(9, vm));
  expect(made.violations.map((violation) => violation.slice(0, 77))).toEqual(
    [
      `${NAME}: operation 1 of client 1 (getVm a) saw a write at index`,
      `${NAME}: operation 1 of client 1 (getVm a) saw {"name":"a","tena`,
      `${NAME}: operation 1 of client 1 (getVm a) was served at index 9`,
    ].map((text) => expect.stringContaining(text)),
  );
});

test("entries that do not name the VMs that they change", () => {
  const made = cluster();
  const vm = getVm(made.node(1).state, "a");
  if (vm === null) throw new Error("no VM");
  // A worker that is removed may be where a VM was to go.
  propose(made, 1, sessionless({ kind: "removeWorker", workerId: 7 }));
  complete(made, call(made, { key: "a" }), read(3, { ...vm, updatedIndex: 3 }));
  expect(made.violations).toEqual([]);
  propose(made, 1, sessionless({ kind: "revokeToken", id: "token123" }));
  complete(made, call(made, { key: "a" }), read(4, { ...vm, updatedIndex: 4 }));
  expect(made.violations[0]).toContain("but entry 4 holds");
});

test("a VM that came by a snapshot is the same VM", () => {
  const made = cluster();
  propose(made, 1, sessionless(updateVm("a", 5, 1)));
  const vm = getVm(made.node(1).state, "a");
  complete(made, call(made, { key: "a" }), read(3, structuredClone(vm)));
  expect(made.violations).toEqual([]);
});
