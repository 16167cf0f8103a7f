/** Who is tried for a place, and in which order. */
import { describe, expect, test } from "vitest";
import { withWorkers } from "../testing/index.ts";

describe("placing", () => {
  const small = { capacity: { vcpus: 100, memoryMiB: 1000, diskGiB: 1000 } };

  test("what fits nowhere is not tried again until something has changed", () => {
    const harness = withWorkers(1);
    harness.create("big", { memoryMiB: 1_000_000 });
    harness.takeProposed();
    harness.quiet(60_000, 1);
    expect(harness.takeProposed()).toEqual([]);
    harness.join(2, { capacity: { vcpus: 100, memoryMiB: 2_000_000, diskGiB: 1000 } });
    expect(harness.vm("big").workerId).toBe(2);
  });

  test("higher priorities go first, and within one the first come", () => {
    const harness = withWorkers();
    for (const [name, priority] of [
      ["c", 100],
      ["b", 500],
      ["a", 500],
      ["d", 900],
    ] as const)
      harness.create(name, { priority, memoryMiB: 100, preemptible: false });
    harness.join(1, small);
    const placed = harness.takeProposed().flatMap((command) => (command.kind === "placeVm" ? [command.name] : []));
    expect(placed).toEqual(["d", "b", "a", "c"]);
  });

  test("a new leader places in the same order", () => {
    const harness = withWorkers();
    for (const name of ["b", "a", "c"]) harness.create(name);
    harness.handOver();
    harness.join(1, small);
    const placed = harness.takeProposed().flatMap((command) => (command.kind === "placeVm" ? [command.name] : []));
    expect(placed).toEqual(["b", "a", "c"]);
  });

  test("those that nobody has room for do not keep the others from their place, however often room changes", () => {
    const harness = withWorkers(1);
    for (let n = 0; n < 500; n++) harness.create(`big-${n}`, { priority: 900, memoryMiB: 1_000_000 });
    harness.create("small", { priority: 1, memoryMiB: 50_000, preemptible: false });
    harness.create("smaller", { priority: 1, memoryMiB: 60_000, preemptible: false });
    const waits = harness.vm("small").workerId === null ? "small" : "smaller";
    const other = waits === "small" ? "smaller" : "small";
    harness.run(1);
    // Room changes at every turn, before all of the important have been tried again.
    harness.commit({ kind: "deleteVm", name: other, expectedGeneration: null });
    harness.report(1);
    harness.shows(1, { machines: [] });
    harness.orchestrator.hear(harness.reportOf(1), harness.nowMs);
    for (let turns = 0; harness.vm(waits).workerId === null; turns++) {
      if (turns > 50) throw new Error(`${waits} never has its turn`);
      harness.oneTurn();
      harness.changeRoom();
    }
  });

  test("who preempts others is placed when they have left, and not before", () => {
    const harness = withWorkers();
    harness.join(1, small);
    for (let n = 0; n < 9; n++) harness.create(`low-${n}`, { memoryMiB: 100, priority: 10 });
    harness.run(1);
    harness.create("high", { memoryMiB: 200, priority: 900 });
    expect(harness.vm("high")).toMatchObject({ state: "Pending", targetId: 1 });
    const leaving = harness.worker(1).vms.filter((name) => harness.vm(name).eviction === "preempted");
    expect(leaving).toHaveLength(2);
    harness.quiet(5000, 1);
    expect(harness.vm("high").workerId).toBeNull();
    harness.run(1);
    expect(harness.vm("high").workerId).toBe(1);
    // Whoever stays is as it was.
    expect(
      harness
        .worker(1)
        .vms.filter((name) => name.startsWith("low"))
        .every((name) => harness.vm(name).state === "Running"),
    ).toBe(true);
  });
});
