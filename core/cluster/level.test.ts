import { expect, test } from "vitest";
import { applyEntries, emptyState, LEVEL, levelOf } from "./index.ts";
import { entryOf } from "./testing/index.ts";

const setStrategy = { kind: "setPoolStrategy", strategy: "most-used" } as const;
const revoke = { kind: "revokeToken", id: "unknowntoken" } as const;

test("a build of an earlier level refuses what it cannot decode, and not even its clock moves", () => {
  const entries = [entryOf(1, revoke, 5000), entryOf(2, setStrategy, 9000)];
  const before = applyEntries(emptyState(), entries, 1);
  expect(before.results[1]).toMatchObject({ ok: false, refusal: { kind: "invalidCommand", field: "command" } });
  expect(before.state).toMatchObject({ timeMs: 5000, poolStrategy: emptyState().poolStrategy });
  const now = applyEntries(emptyState(), entries);
  expect(now.results[1]).toMatchObject({ ok: true });
  expect(now.state).toMatchObject({ timeMs: 9000, poolStrategy: "most-used" });
});

test("commands came with levels", () => {
  expect([levelOf(setStrategy), levelOf(revoke), levelOf({ kind: "openSession", clientToken: "c" })]).toEqual([
    2, 1, 1,
  ]);
  expect(LEVEL).toBe(2);
});
