/** How a worker is emptied. */
import { describe, expect, test } from "vitest";
import { type OrchestratorHarness, withWorkers } from "../testing/index.ts";
import { DRAIN_PATIENCE_MS } from "./drains.ts";

describe("draining", () => {
  /** Worker 1 is drained of `count` VMs, and worker 2 has room for them. */
  function drained(count: number): OrchestratorHarness {
    const harness = withWorkers(1);
    for (let n = 0; n < count; n++) harness.create(`vm-${n}`);
    harness.run(1);
    harness.join(2);
    harness.takeProposed();
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    return harness;
  }
  const evicted = (harness: OrchestratorHarness): number =>
    harness.takeProposed().filter(({ kind }) => kind === "evictVm").length;

  test("a tenth is on its way at a time, and those who run elsewhere make way for the next", () => {
    const harness = drained(40);
    expect(evicted(harness)).toBe(4);
    let rounds = 0;
    for (; harness.worker(1).vms.length > 0; rounds++) {
      if (rounds > 100) throw new Error("the drain never ends");
      harness.run(1, 2);
      const underWay = harness.worker(1).vms.filter((name) => harness.vm(name).eviction !== null).length;
      expect(underWay).toBeLessThanOrEqual(4);
    }
    expect(rounds).toBeGreaterThan(9);
    expect(harness.worker(2).vms).toHaveLength(40);
  });

  test("what it moved and nobody runs holds it up as long as its patience lasts, though nothing else happens", () => {
    const harness = drained(10);
    harness.run(1);
    expect(harness.worker(2).vms).toHaveLength(1);
    harness.takeProposed();
    harness.quiet(DRAIN_PATIENCE_MS - 1000, 1, 2);
    expect(evicted(harness)).toBe(0);
    harness.quiet(1000, 1, 2);
    expect(evicted(harness)).toBe(1);
  });

  test("what never ran leaves without anybody waiting for it to run elsewhere", () => {
    const harness = withWorkers(1);
    for (let n = 0; n < 10; n++) harness.create(`vm-${n}`);
    harness.join(2);
    harness.takeProposed();
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    expect(evicted(harness)).toBe(10);
    harness.handOver();
    harness.quiet(5000, 1, 2);
    expect(harness.worker(1).vms).toEqual([]);
    expect(harness.worker(2).vms).toHaveLength(10);
  });

  test("a new leader counts those that are leaving already", () => {
    const harness = drained(10);
    expect(evicted(harness)).toBe(1);
    harness.handOver();
    harness.quiet(1000, 1, 2);
    expect(evicted(harness)).toBe(0);
  });

  test("what finds no place is tried again when there is room, and not before", () => {
    const harness = withWorkers(1);
    harness.create("big", { memoryMiB: 60_000 });
    harness.run(1);
    harness.join(2, { capacity: { vcpus: 100, memoryMiB: 10_000, diskGiB: 1000 } });
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    harness.quiet(60_000, 1, 2);
    expect(evicted(harness)).toBe(0);
    harness.join(3);
    expect(evicted(harness)).toBe(1);
    expect(harness.vm("big").targetId).toBe(3);
  });

  test("one that may run nowhere else stays, and does not keep the others from going", () => {
    const harness = withWorkers(1);
    harness.create("a-pinned", { workerId: 1 });
    harness.create("b-free");
    harness.run(1);
    harness.join(2);
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    for (let n = 0; n < 3; n++) harness.run(1, 2);
    expect(harness.worker(1).vms).toEqual(["a-pinned"]);
    expect(harness.vm("a-pinned").state).toBe("Running");
    expect(harness.vm("b-free").state).toBe("Running");
  });

  test("one that is stopped leaves too, and needs no room", () => {
    const harness = withWorkers(1);
    harness.create("web");
    harness.run(1);
    harness.commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
    harness.run(1);
    expect(harness.vm("web").state).toBe("Stopped");
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    harness.run(1);
    expect(harness.vm("web")).toMatchObject({ state: "Stopped", workerId: null });
  });

  test("one that the log refused to move does not count as moved", () => {
    const harness = drained(10);
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
    harness.run(1, 2);
    harness.takeProposed();
    let refused = 0;
    harness.loses = ({ command }) => command.kind === "evictVm" && refused++ === 0;
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    expect(evicted(harness)).toBe(2);
  });

  test("one that is about to be moved counts, also for a drain that was called off and begun again", () => {
    const harness = drained(10);
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
    harness.run(1, 2);
    harness.takeProposed();
    let isFirst = true;
    harness.loses = ({ command }) => {
      if (command.kind === "evictVm" && isFirst) {
        isFirst = false;
        harness.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
        harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
      }
      return false;
    };
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    expect(evicted(harness)).toBe(1);
  });

  test("a drain that is called off moves nothing more", () => {
    const harness = drained(10);
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
    harness.takeProposed();
    for (let n = 0; n < 4; n++) harness.run(1, 2);
    expect(evicted(harness)).toBe(0);
    expect(harness.worker(1).vms.length + harness.worker(2).vms.length).toBe(10);
  });
});
