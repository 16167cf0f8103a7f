/** Events as sentences. */
import { expect, test } from "vitest";
import { renderEvent } from "./render.ts";

const head = { index: 7, term: 1, atMs: 0 };

test("an event is one line that begins with its log index and its time", () => {
  expect(
    renderEvent({ ...head, kind: "workerStatus", workerId: 2, status: "offline", reason: "its lease is over" }),
  ).toBe("       7  1970-01-01 00:00:00Z  worker 2 is offline: its lease is over");
});

test("what a reason only repeats is said once", () => {
  const drained = { ...head, kind: "workerStatus", workerId: 2, status: "draining", reason: "draining" } as const;
  expect(renderEvent(drained)).toMatch(/worker 2 is draining$/);
});

test("the audit says in words who asked for what, and what was refused", () => {
  const asked = {
    ...head,
    kind: "requested",
    by: "token:ab",
    command: "createVm",
    change: null,
    target: "web",
  } as const;
  expect(renderEvent({ ...asked, refusal: null })).toMatch(/token:ab asked to create VM web$/);
  expect(renderEvent({ ...asked, refusal: "quotaExceeded" })).toMatch(/create VM web: refused, quota exceeded$/);
  expect(renderEvent({ ...asked, command: "rebalance", target: null, refusal: null })).toMatch(/to rebalance VMs$/);
  const drained = { ...asked, command: "setAvailability", change: "drain", target: "3", refusal: null } as const;
  expect(renderEvent(drained)).toMatch(/asked to drain worker 3$/);
  // An event of an older version, which did not record the direction.
  expect(renderEvent({ ...drained, change: null })).toMatch(/asked to cordon, drain or uncordon worker 3$/);
});
