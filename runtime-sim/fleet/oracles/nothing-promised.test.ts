import { expect, test } from "vitest";
import { nothingPromised } from "./nothing-promised.ts";
import type { LeadingOrchestrator } from "./oracle.ts";
import { FakeFleet } from "./testing/index.ts";

const nothing: LeadingOrchestrator = {
  proposals: { inFlight: new Map(), fresh: [] },
  room: { workers: [], promised: new Map(), backIndex: 0 },
};

function missingWith(changes: Partial<typeof nothing> | null): string | null {
  const fleet = new FakeFleet(nothingPromised);
  fleet.orchestrator = changes === null ? null : { ...nothing, ...changes };
  return fleet.missing;
}

test("nothing is in flight, and nothing is promised", () => {
  expect(missingWith({})).toBeNull();
});

test("planted: a proposal is never settled", () => {
  const inFlight = new Map([["vm:web", { subject: { kind: "vm", name: "web" } as const, placement: null }]]);
  expect(missingWith({ proposals: { inFlight, fresh: [] } })).toBe(
    "the leader's proposal about vm:web is neither applied nor refused",
  );
});

test("planted: room is never given back", () => {
  const promised = new Map([[2, { vcpus: 1, memoryMiB: 1, diskGiB: 1 }]]);
  expect(missingWith({ room: { ...nothing.room, promised } })).toBe("the leader promises room on worker 2 to nobody");
});

test("planted: nobody leads, or nobody has begun to act", () => {
  expect(missingWith(null)).toBe("nobody leads with an orchestrator");
});
