/** What the leader does about workers, VMs and tasks: over a real state machine, every entry committed at once. Consensus is left out. */
import { describe, expect, test } from "vitest";
import { type Job, LEASE_TTL_MS, waitForLeaseMs } from "../agent/index.ts";
import { workerOf } from "../cluster/index.ts";
import { machine, OrchestratorHarness } from "../testing/index.ts";
import { DRAIN_PATIENCE_MS } from "./drains.ts";

const WAIT_MS = waitForLeaseMs(0.05);

function withWorkers(...ids: readonly number[]): OrchestratorHarness {
  const harness = new OrchestratorHarness();
  for (const id of ids) harness.join(id);
  harness.takeProposed();
  return harness;
}

describe("workers", () => {
  test("a worker that nobody hears of is lost when lease, grace and drift are over, and not before", () => {
    const harness = withWorkers(1);
    harness.report(1);
    harness.pass(WAIT_MS - 1);
    expect(harness.worker(1).isOnline).toBe(true);
    harness.pass(1);
    expect(harness.worker(1).isOnline).toBe(false);
  });

  test("a new leader relies on nobody's lease that it has not waited out itself", () => {
    const harness = withWorkers(1);
    harness.report(1);
    harness.pass(WAIT_MS - 1);
    harness.handOver();
    harness.pass(WAIT_MS - 1);
    expect(harness.worker(1).isOnline).toBe(true);
    harness.pass(1);
    expect(harness.worker(1).isOnline).toBe(false);
  });

  test("nor does one that starts to lead once more rely on what it heard the time before", () => {
    const harness = withWorkers(1);
    harness.report(1);
    harness.stopLeading();
    harness.nowMs += WAIT_MS - 1;
    harness.startLeading();
    harness.pass(WAIT_MS - 1);
    expect(harness.worker(1).isOnline).toBe(true);
    harness.pass(1);
    expect(harness.worker(1).isOnline).toBe(false);
  });

  test("nobody is granted more time than the leader will wait, though its process has registered a moment ago", () => {
    const harness = withWorkers(1);
    harness.report(1);
    // The process dies, and another comes up as the time of the first is nearly over.
    harness.pass(WAIT_MS - 10);
    harness.reboot(1);
    const first = harness.report(1);
    expect(first?.kind).toBe("granted");
    const { leaseUntilMs } = harness.host(1);
    // Then nothing is heard of it any more.
    harness.pass(WAIT_MS);
    harness.pass(LEASE_TTL_MS);
    expect(harness.worker(1).isOnline).toBe(false);
    const lost = harness.state.events.chunks.flat().find((event) => event.kind === "workerStatus");
    expect(lost?.atMs).toBeGreaterThanOrEqual(leaseUntilMs);
  });

  test("a loss that never came into the log is proposed again", () => {
    const harness = withWorkers(1);
    harness.report(1);
    let lost = 0;
    harness.loses = ({ command }) => command.kind === "workerLost" && lost++ === 0;
    harness.pass(WAIT_MS);
    expect(harness.worker(1).isOnline).toBe(true);
    harness.pass(WAIT_MS);
    expect(harness.worker(1).isOnline).toBe(false);
  });

  test("what a process said before another took its place keeps no lease", () => {
    const harness = withWorkers(1);
    const late = harness.reportOf(1);
    harness.reboot(1);
    harness.report(1);
    harness.pass(WAIT_MS - 1);
    harness.orchestrator.hear(late, harness.nowMs);
    harness.pass(1);
    expect(harness.worker(1).isOnline).toBe(false);
  });

  test("a process that finds its host changed says so, and is believed", () => {
    const harness = withWorkers(1);
    harness.report(1);
    const host = harness.host(1);
    host.facts = { ...host.facts, costPerHour: host.facts.costPerHour + 1 };
    host.isRegistered = false;
    harness.report(1);
    expect(harness.worker(1).costPerHour).toBe(host.facts.costPerHour);
  });

  test("a report costs the log nothing unless something has changed", () => {
    const harness = withWorkers(1);
    harness.create("web");
    harness.run(1);
    harness.takeProposed();
    for (let n = 0; n < 5; n++) {
      harness.pass(1000);
      harness.report(1);
    }
    // An agent that does not know yet that it is registered tells what its host is once more.
    harness.host(1).isRegistered = false;
    harness.report(1);
    expect(harness.takeProposed()).toEqual([]);
  });
});

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

  test("a drain that is called off moves nothing more", () => {
    const harness = drained(10);
    harness.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
    harness.takeProposed();
    for (let n = 0; n < 4; n++) harness.run(1, 2);
    expect(evicted(harness)).toBe(0);
    expect(harness.worker(1).vms.length + harness.worker(2).vms.length).toBe(10);
  });
});

describe("recovery", () => {
  function failing(
    spec: Parameters<OrchestratorHarness["create"]>[1] = {},
    ...others: readonly number[]
  ): OrchestratorHarness {
    const harness = withWorkers(1);
    harness.create("web", spec);
    harness.run(1);
    for (const id of others) harness.join(id);
    return harness;
  }

  /** Its machine fails, wherever it is now. */
  function fail(harness: OrchestratorHarness): void {
    const { workerId, epoch } = harness.vm("web");
    harness.shows(workerId ?? 0, { machines: [machine("web", epoch, "failed")] });
    harness.report(workerId ?? 0);
  }

  /** How long after its failure it is called for again. */
  function backoff(harness: OrchestratorHarness): number {
    const { epoch } = harness.vm("web");
    const sinceMs = harness.nowMs;
    while (harness.vm("web").epoch === epoch && harness.vm("web").eviction === null) {
      if (harness.nowMs - sinceMs > 1_000_000) return Number.POSITIVE_INFINITY;
      harness.quiet(1000, ...harness.hosts.keys());
    }
    return harness.nowMs - sinceMs;
  }

  test("it is restarted where it is, each time after twice as long, and then moved", () => {
    const harness = failing({}, 2);
    const waits: number[] = [];
    for (let n = 0; n < 3; n++) {
      fail(harness);
      waits.push(backoff(harness));
      expect(harness.vm("web").workerId).toBe(1);
      harness.run(1);
      expect(harness.vm("web").state).toBe("Running");
    }
    expect(waits).toEqual([5000, 10_000, 20_000]);
    fail(harness);
    backoff(harness);
    expect(harness.vm("web").eviction).toBe("recovery");
    harness.run(1, 2);
    expect(harness.vm("web")).toMatchObject({ state: "Running", workerId: 2, restarts: 0, relocations: 1 });
  });

  test("the wait has a limit", () => {
    const recovery = {
      restartsMax: 10,
      backoffMs: 5000,
      backoffFactor: 10,
      backoffMaxMs: 60_000,
      resetAfterMs: 3_600_000,
    };
    const harness = failing({ recovery });
    const waits: number[] = [];
    for (let n = 0; n < 4; n++) {
      fail(harness);
      waits.push(backoff(harness));
      harness.run(1);
    }
    expect(waits).toEqual([5000, 50_000, 60_000, 60_000]);
  });

  test("one that has been well for long has its restarts back", () => {
    const harness = failing();
    for (let n = 0; n < 2; n++) {
      fail(harness);
      backoff(harness);
      harness.run(1);
    }
    expect(harness.vm("web").restarts).toBe(2);
    harness.quiet(3_600_000, 1);
    fail(harness);
    expect(harness.vm("web").restarts).toBe(0);
    expect(backoff(harness)).toBe(5000);
  });

  test("one that keeps failing wherever it is put is left alone in the end", () => {
    const recovery = { restartsMax: 0, backoffMs: 1000, backoffFactor: 1, backoffMaxMs: 1000, resetAfterMs: 3_600_000 };
    const harness = failing({ recovery }, 2);
    for (let n = 0; n < 3; n++) {
      fail(harness);
      expect(backoff(harness)).toBe(1000);
      harness.run(1, 2);
      harness.run(1, 2);
      expect(harness.vm("web").state).toBe("Running");
    }
    fail(harness);
    expect(backoff(harness)).toBe(Number.POSITIVE_INFINITY);
    expect(harness.vm("web").state).toBe("Failed");
  });

  test("one that may run on one worker only is never moved, and so keeps its disk", () => {
    const harness = failing({ workerId: 1 }, 2);
    for (let n = 0; n < 3; n++) {
      fail(harness);
      backoff(harness);
      harness.run(1);
    }
    fail(harness);
    expect(backoff(harness)).toBe(Number.POSITIVE_INFINITY);
    expect(harness.vm("web")).toMatchObject({ state: "Failed", workerId: 1, eviction: null });
  });

  test("a recovery that is due while something else is proposed about the VM is not forgotten", () => {
    const harness = failing();
    fail(harness);
    let lost = 0;
    harness.loses = ({ command }) => command.kind === "recoverVm" && lost++ === 0;
    expect(backoff(harness)).toBe(10_000);
  });

  test("a new leader goes on with what its predecessor had begun", () => {
    const harness = failing();
    fail(harness);
    harness.quiet(4000, 1);
    harness.handOver();
    expect(backoff(harness)).toBe(5000);
  });

  test("nothing of the other VMs and workers is touched", () => {
    const harness = failing({}, 2);
    for (const name of ["a", "b", "c"]) harness.create(name);
    harness.run(1, 2);
    const before = ["a", "b", "c"].map((name) => harness.vm(name));
    for (let n = 0; n < 5; n++) {
      const { workerId, epoch } = harness.vm("web");
      const others = harness.host(workerId ?? 0).machines.filter(({ name }) => name !== "web");
      harness.shows(workerId ?? 0, { machines: [...others, machine("web", epoch, "failed")] });
      harness.report(workerId ?? 0);
      backoff(harness);
      harness.run(1, 2);
      harness.run(1, 2);
    }
    expect(["a", "b", "c"].map((name) => harness.vm(name))).toEqual(before);
  });
});

describe("lost hosts", () => {
  test("its VMs run elsewhere, but for those that wait for it", () => {
    const harness = withWorkers(1);
    harness.create("moves");
    harness.create("waits", { onWorkerLost: "wait" });
    harness.run(1);
    harness.join(2);
    harness.quiet(WAIT_MS, 2);
    harness.quiet(1000, 2);
    harness.run(2);
    expect(harness.vm("moves")).toMatchObject({ state: "Running", workerId: 2 });
    expect(harness.vm("waits")).toMatchObject({ state: "Lost", workerId: 1 });
    // The host comes back with nothing: what waited for it is run anew.
    harness.reboot(1);
    harness.shows(1, { machines: [] });
    harness.report(1);
    harness.report(1);
    harness.report(1);
    expect(harness.vm("waits")).toMatchObject({ state: "Failed", workerId: 1 });
    harness.quiet(6000, 1, 2);
    harness.run(1);
    expect(harness.vm("waits")).toMatchObject({ state: "Running", workerId: 1 });
    expect(harness.host(1).assignment?.vms.map(({ name }) => name)).toEqual(["waits"]);
  });

  test("an operator's word that it is dead ends the wait", () => {
    const harness = withWorkers(1);
    harness.create("waits", { onWorkerLost: "wait" });
    harness.run(1);
    harness.join(2);
    harness.commit({ kind: "confirmWorkerDead", workerId: 1 });
    harness.run(2);
    expect(harness.vm("waits")).toMatchObject({ state: "Running", workerId: 2 });
  });

  test("one that was removed is told so whenever it says something, and is in nobody's books", () => {
    const harness = withWorkers(1);
    harness.create("web");
    harness.run(1);
    harness.join(2);
    harness.pass(WAIT_MS);
    harness.quiet(2000, 2);
    harness.run(2);
    expect(harness.vm("web")).toMatchObject({ state: "Running", workerId: 2 });
    harness.commit({ kind: "removeWorker", workerId: 1 });
    harness.takeProposed();
    for (const again of [false, true]) {
      if (again) harness.reboot(1);
      expect(harness.report(1)).toMatchObject({ kind: "removed", workerId: 1 });
    }
    harness.handOver();
    expect(harness.report(1)).toMatchObject({ kind: "removed" });
    harness.quiet(60_000, 2);
    expect(harness.takeProposed()).toEqual([]);
    expect(workerOf(harness.state, 1)).toBeNull();
  });

  test("a placement that was under way to one that is removed meanwhile goes elsewhere", () => {
    const harness = withWorkers(1);
    harness.join(2);
    harness.commit({ kind: "setAvailability", workerId: 2, availability: "cordoned" });
    // Decided in a state in which it was there.
    harness.loses = ({ command }) => {
      if (command.kind !== "placeVm" || command.workerId !== 1) return false;
      harness.loses = () => false;
      harness.commit(
        { kind: "setAvailability", workerId: 1, availability: "cordoned" },
        { kind: "setAvailability", workerId: 2, availability: "online" },
        { kind: "removeWorker", workerId: 1 },
      );
      return false;
    };
    harness.create("web");
    harness.run(2);
    expect(harness.vm("web")).toMatchObject({ state: "Running", workerId: 2 });
  });

  test("a worker without a driver is told of its VMs, which stay Scheduled", () => {
    const harness = withWorkers();
    harness.join(1, { driver: null });
    harness.create("web");
    harness.report(1);
    harness.quiet(600_000, 1);
    expect(harness.vm("web")).toMatchObject({ state: "Scheduled", workerId: 1 });
  });

  test.each(["building", "starting", "running"] as const)("a machine that was %s and is gone has failed", (phase) => {
    const harness = withWorkers(1);
    harness.create("web");
    harness.report(1);
    harness.shows(1, { machines: [machine("web", harness.vm("web").epoch, phase)] });
    harness.report(1);
    expect(harness.vm("web").state.toLowerCase()).toBe(phase);
    harness.shows(1, { machines: [] });
    harness.report(1);
    expect(harness.vm("web").state).toBe("Failed");
  });
});

describe("tasks", () => {
  function submitted(attemptsMax = 1): OrchestratorHarness {
    const harness = withWorkers(1);
    harness.submit("job", attemptsMax);
    harness.report(1);
    return harness;
  }

  /** What has become of the attempt that worker `id` was told of. */
  function ended(harness: OrchestratorHarness, id: number, phase: Job["phase"], exitCode: number, output = ""): void {
    const { attempt } = harness.assignedTask(id, "job");
    harness.shows(id, { jobs: [{ id: "job", attempt, phase, exitCode, output }] });
    harness.report(id);
  }

  test("one that ends well has succeeded, and its worker is told of it no more", () => {
    const harness = submitted();
    ended(harness, 1, "running", 0);
    expect(harness.task("job")).toMatchObject({ state: "Running", workerId: 1 });
    ended(harness, 1, "exited", 0, "done");
    expect(harness.task("job")).toMatchObject({ state: "Succeeded", workerId: null, exitCode: 0, output: "done" });
    expect(harness.host(1).assignment?.tasks).toEqual([]);
  });

  test("a failed attempt is followed by another, until there have been enough", () => {
    const harness = submitted(3);
    const attempts = new Set<number>();
    for (let n = 1; n <= 3; n++) {
      expect(harness.task("job")).toMatchObject({ state: "Running", attempt: n });
      attempts.add(harness.assignedTask(1, "job").attempt);
      ended(harness, 1, "exited", 7);
      harness.report(1);
    }
    expect(harness.task("job")).toMatchObject({ state: "Failed", exitCode: 7 });
    expect(attempts.size).toBe(3);
  });

  test("one that took too long has timed out", () => {
    const harness = submitted();
    ended(harness, 1, "failed", 0, "timed out");
    expect(harness.task("job").state).toBe("TimedOut");
  });

  test("with its worker an attempt is lost, and the next one runs elsewhere when nothing of it can run any more", () => {
    const harness = submitted(2);
    ended(harness, 1, "running", 0);
    harness.join(2);
    harness.quiet(WAIT_MS - 2000, 2);
    expect(harness.task("job")).toMatchObject({ attempt: 1, workerId: 1 });
    harness.quiet(3000, 2);
    expect(harness.task("job")).toMatchObject({ state: "Running", attempt: 2, workerId: 2 });
  });

  test("one that was cancelled while its worker was lost is over, and runs nowhere again", () => {
    const harness = submitted(5);
    ended(harness, 1, "running", 0);
    harness.join(2);
    harness.commit({ kind: "cancelTask", id: "job" });
    harness.quiet(WAIT_MS + 1000, 2);
    expect(harness.task("job")).toMatchObject({ state: "Cancelled", workerId: null });
  });

  test("one that was cancelled before its worker began it is over once that worker knows", () => {
    const harness = withWorkers(1);
    harness.submit("job", 5);
    harness.commit({ kind: "cancelTask", id: "job" });
    expect(harness.task("job").state).toBe("Running");
    harness.report(1);
    harness.report(1);
    expect(harness.task("job").state).toBe("Cancelled");
  });

  test("what is left of a task that is forgotten is not taken for the result of another of its name", () => {
    const harness = submitted();
    ended(harness, 1, "exited", 0, "of the first");
    harness.commit({ kind: "cancelTask", id: "job" });
    harness.submit("job");
    // The host still shows what the first one left.
    harness.report(1);
    harness.report(1);
    expect(harness.task("job").state).toBe("Running");
    ended(harness, 1, "exited", 0, "of the second");
    expect(harness.task("job")).toMatchObject({ state: "Succeeded", output: "of the second" });
  });

  test("one that fits nowhere waits, and is placed when there is room", () => {
    const harness = withWorkers();
    harness.submit("job");
    harness.pass(60_000);
    expect(harness.task("job").state).toBe("Pending");
    harness.join(1);
    expect(harness.task("job").state).toBe("Running");
  });
});

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
