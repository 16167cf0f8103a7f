import { expect, test } from "vitest";
import type { ClientAnswer } from "../../../core/index.ts";
import type { FleetCall } from "../requests.ts";
import { answersFresh } from "./answers-fresh.ts";
import { asking, FakeFleet } from "./testing/index.ts";

function read(index: number): ClientAnswer {
  return { kind: "read", index, result: { kind: "vm", vm: null } };
}

function applied(index: number): ClientAnswer {
  return { kind: "applied", index, term: 1, result: { ok: false, refusal: { kind: "vmNotFound" } } };
}

function changing(): FleetCall {
  return { by: "tenants", asked: { kind: "write", command: { kind: "restartVm", name: "one" } } };
}

const LIST = { kind: "listVms", afterName: null, limit: 1 } as const;

/** Asked one after the other, and each answered before the next is asked. */
function judged(calls: readonly (readonly [FleetCall, ClientAnswer])[]): FakeFleet {
  const fleet = new FakeFleet(answersFresh);
  for (const [call, answer] of calls) {
    fleet.audit.called(call);
    fleet.audit.answered(call, answer);
  }
  return fleet;
}

test("answers by the same entry, or by later ones", () => {
  const fleet = judged([
    [changing(), applied(3)],
    [asking(LIST), read(3)],
    [changing(), applied(4)],
    [asking(LIST), read(7)],
  ]);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(4);
});

test("planted: a read from before a write that was answered", () => {
  const { violations } = judged([
    [changing(), applied(3)],
    [asking(LIST), read(2)],
  ]);
  expect(violations).toEqual(["listVms is answered by entry 2, and entry 3 had been answered before it was asked"]);
});

test("planted: a command that is carried out where another was before", () => {
  const { violations } = judged([
    [asking(LIST), read(3)],
    [changing(), applied(3)],
  ]);
  expect(violations).toEqual(["restartVm is answered by entry 3, and entry 3 had been answered before it was asked"]);
});

test("what was asked before the answer came may be older, and so may what any member answers", () => {
  const fleet = new FakeFleet(answersFresh);
  const [early, late, stale] = [asking(LIST), asking(LIST), asking(LIST, "stale")];
  fleet.audit.called(early);
  fleet.audit.called(late);
  fleet.audit.answered(late, read(9));
  fleet.audit.called(stale);
  fleet.audit.answered(early, read(5));
  fleet.audit.answered(stale, read(1));
  expect(fleet.violations).toEqual([]);
});
