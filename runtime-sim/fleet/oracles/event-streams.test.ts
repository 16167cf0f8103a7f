import { expect, test } from "vitest";
import { type ClusterQuery, type ClusterQueryResult, query } from "../../../core/index.ts";
import { eventStreams } from "./event-streams.ts";
import { asking, FakeFleet } from "./testing/index.ts";

type Page = Extract<ClusterQueryResult, { readonly kind: "events" }>;

/** One event for each of the entries 2 to 5. */
function fleetWithEvents(): FakeFleet {
  const fleet = new FakeFleet(eventStreams);
  for (const name of ["one", "two", "three", "four"]) fleet.create(name);
  return fleet;
}

function answered(fleet: FakeFleet, afterIndex: number, limit: number, change: Partial<Page> = {}): void {
  const asked = { kind: "listEvents", afterIndex, limit } as const satisfies ClusterQuery;
  const page = query<"listEvents">(fleet.state, asked);
  fleet.audit.answered(asking(asked), {
    kind: "read",
    index: fleet.state.appliedIndex,
    result: { ...page, ...change },
  });
}

test("a stream, page by page, and one that is resumed anywhere", () => {
  const fleet = fleetWithEvents();
  for (const afterIndex of [0, 2, 3, 4, 5, 9]) answered(fleet, afterIndex, 2);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(6);
});

test("planted: a gap", () => {
  const fleet = fleetWithEvents();
  const { events } = query<"listEvents">(fleet.state, { kind: "listEvents", afterIndex: 3, limit: 9 });
  answered(fleet, 2, 9, { events });
  expect(fleet.violations).toEqual([
    "2 events after 2: 4 vmCreated, 5 vmCreated; it must be 3 vmCreated, 4 vmCreated, 5 vmCreated",
  ]);
});

test("planted: a repetition", () => {
  const fleet = fleetWithEvents();
  const { events } = query<"listEvents">(fleet.state, { kind: "listEvents", afterIndex: 2, limit: 9 });
  answered(fleet, 3, 9, { events });
  expect(fleet.violations).toHaveLength(1);
});

test("planted: who goes on from where the state is said to be misses an event", () => {
  const fleet = fleetWithEvents();
  answered(fleet, 5, 9, { lastIndex: 4 });
  expect(fleet.violations).toEqual(["the state at index 5, with an event at 5, is said to have come to 4"]);
});

test("planted: events that are kept are said to be gone", () => {
  const fleet = fleetWithEvents();
  answered(fleet, 1, 9, { complete: false, oldestIndex: 4 });
  expect(fleet.violations).toEqual(["a page after 1 is said to be incomplete, although only 4 events happened"]);
});
