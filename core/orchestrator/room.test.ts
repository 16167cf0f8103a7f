/** Room that is promised to placements in flight. */
import { expect, test } from "vitest";
import { withWorkers } from "../testing/index.ts";

const small = { capacity: { vcpus: 100, memoryMiB: 1000, diskGiB: 1000 } };

test("room is promised once, however many are decided at a time", () => {
  const harness = withWorkers();
  for (let n = 0; n < 30; n++) harness.create(`vm-${n}`, { memoryMiB: 100, preemptible: false });
  // Nothing gets into the log while they are decided.
  harness.join(1, small);
  const placed = harness.takeProposed().filter(({ kind }) => kind === "placeVm");
  expect(placed).toHaveLength(9);
  expect(harness.worker(1).used.memoryMiB).toBe(900);
});

test("room that was promised to one that the log then refuses goes to the next", () => {
  const harness = withWorkers();
  // Two of these can be promised.
  harness.join(1, { capacity: { vcpus: 3, memoryMiB: 100_000, diskGiB: 10_000 } });
  harness.commit({ kind: "setAvailability", workerId: 1, availability: "cordoned" });
  const antiAffinity = [{ group: "g", softWeight: null, maxPerDomain: 1, scope: "node" as const }];
  harness.create("first", { antiAffinity });
  // Decided before the first one has its place.
  harness.create("refused", { antiAffinity });
  harness.create("next");
  harness.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
  expect(["first", "refused", "next"].map((name) => harness.vm(name).workerId)).toEqual([1, null, 1]);
});
