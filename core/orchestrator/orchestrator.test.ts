/** What the leader does about workers, VMs and tasks: over a real state machine, every entry committed at once. Consensus is left out. */
import { describe, expect, test } from "vitest";
import { type Job, LEASE_TTL_MS, waitForLeaseMs } from "../agent/index.ts";
import { workerOf } from "../cluster/index.ts";
import { machine, Office } from "../testing/index.ts";
import { DRAIN_PATIENCE_MS } from "./drains.ts";

const WAIT_MS = waitForLeaseMs(0.05);

function officeWith(...ids: readonly number[]): Office {
  const office = new Office();
  for (const id of ids) office.join(id);
  office.takeProposed();
  return office;
}

describe("workers", () => {
  test("a worker that nobody hears of is lost when lease, grace and drift are over, and not before", () => {
    const office = officeWith(1);
    office.report(1);
    office.pass(WAIT_MS - 1);
    expect(office.worker(1).isOnline).toBe(true);
    office.pass(1);
    expect(office.worker(1).isOnline).toBe(false);
  });

  test("a new leader relies on nobody's lease that it has not waited out itself", () => {
    const office = officeWith(1);
    office.report(1);
    office.pass(WAIT_MS - 1);
    office.handOver();
    office.pass(WAIT_MS - 1);
    expect(office.worker(1).isOnline).toBe(true);
    office.pass(1);
    expect(office.worker(1).isOnline).toBe(false);
  });

  test("nor does one that comes into office once more rely on what it heard the time before", () => {
    const office = officeWith(1);
    office.report(1);
    office.orchestrator.leaveOffice();
    expect(office.orchestrator.step(office.nowMs)).toEqual([]);
    expect(office.orchestrator.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    office.nowMs += WAIT_MS - 1;
    office.orchestrator.takeOffice(office.state, office.nowMs);
    office.pass(WAIT_MS - 1);
    expect(office.worker(1).isOnline).toBe(true);
    office.pass(1);
    expect(office.worker(1).isOnline).toBe(false);
  });

  test("nobody is granted more time than the leader will wait, though its process has registered a moment ago", () => {
    const office = officeWith(1);
    office.report(1);
    // The process dies, and another comes up as the time of the first is nearly over.
    office.pass(WAIT_MS - 10);
    office.reboot(1);
    const first = office.report(1);
    expect(first?.kind).toBe("granted");
    const { leaseUntilMs } = office.host(1);
    // Then nothing is heard of it any more.
    office.pass(WAIT_MS);
    office.pass(LEASE_TTL_MS);
    expect(office.worker(1).isOnline).toBe(false);
    const lost = office.state.events.chunks.flat().find((event) => event.kind === "workerStatus");
    expect(lost?.atMs).toBeGreaterThanOrEqual(leaseUntilMs);
  });

  test("a loss that never came into the log is proposed again", () => {
    const office = officeWith(1);
    office.report(1);
    let lost = 0;
    office.loses = ({ command }) => command.kind === "workerLost" && lost++ === 0;
    office.pass(WAIT_MS);
    expect(office.worker(1).isOnline).toBe(true);
    office.pass(WAIT_MS);
    expect(office.worker(1).isOnline).toBe(false);
  });

  test("what a process said before another took its place keeps no lease", () => {
    const office = officeWith(1);
    const late = office.reportOf(1);
    office.reboot(1);
    office.report(1);
    office.pass(WAIT_MS - 1);
    office.orchestrator.hear(late, office.nowMs);
    office.pass(1);
    expect(office.worker(1).isOnline).toBe(false);
  });

  test("a process that finds its host changed says so, and is believed", () => {
    const office = officeWith(1);
    office.report(1);
    const host = office.host(1);
    host.facts = { ...host.facts, costPerHour: host.facts.costPerHour + 1 };
    host.isRegistered = false;
    office.report(1);
    expect(office.worker(1).costPerHour).toBe(host.facts.costPerHour);
  });

  test("a report costs the log nothing unless something has changed", () => {
    const office = officeWith(1);
    office.create("web");
    office.run(1);
    office.takeProposed();
    for (let n = 0; n < 5; n++) {
      office.pass(1000);
      office.report(1);
    }
    // An agent that does not know yet that it is registered tells what its host is once more.
    office.host(1).isRegistered = false;
    office.report(1);
    expect(office.takeProposed()).toEqual([]);
  });
});

describe("draining", () => {
  /** Worker 1 is drained of `count` VMs, and worker 2 has room for them. */
  function drained(count: number): Office {
    const office = officeWith(1);
    for (let n = 0; n < count; n++) office.create(`vm-${n}`);
    office.run(1);
    office.join(2);
    office.takeProposed();
    office.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    return office;
  }
  const evicted = (office: Office): number => office.takeProposed().filter(({ kind }) => kind === "evictVm").length;

  test("a tenth is on its way at a time, and those who run elsewhere make way for the next", () => {
    const office = drained(40);
    expect(evicted(office)).toBe(4);
    let rounds = 0;
    for (; office.worker(1).vms.length > 0; rounds++) {
      if (rounds > 100) throw new Error("the drain never ends");
      office.run(1, 2);
      const underWay = office.worker(1).vms.filter((name) => office.vm(name).eviction !== null).length;
      expect(underWay).toBeLessThanOrEqual(4);
    }
    expect(rounds).toBeGreaterThan(9);
    expect(office.worker(2).vms).toHaveLength(40);
  });

  test("what it moved and nobody runs holds it up as long as its patience lasts, though nothing else happens", () => {
    const office = drained(10);
    office.run(1);
    expect(office.worker(2).vms).toHaveLength(1);
    office.takeProposed();
    office.quiet(DRAIN_PATIENCE_MS - 1000, 1, 2);
    expect(evicted(office)).toBe(0);
    office.quiet(1000, 1, 2);
    expect(evicted(office)).toBe(1);
  });

  test("what never ran leaves without anybody waiting for it to run elsewhere", () => {
    const office = officeWith(1);
    for (let n = 0; n < 10; n++) office.create(`vm-${n}`);
    office.join(2);
    office.takeProposed();
    office.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    expect(evicted(office)).toBe(10);
    office.handOver();
    office.quiet(5000, 1, 2);
    expect(office.worker(1).vms).toEqual([]);
    expect(office.worker(2).vms).toHaveLength(10);
  });

  test("a new leader counts those that are leaving already", () => {
    const office = drained(10);
    expect(evicted(office)).toBe(1);
    office.handOver();
    office.quiet(1000, 1, 2);
    expect(evicted(office)).toBe(0);
  });

  test("what finds no place is tried again when there is room, and not before", () => {
    const office = officeWith(1);
    office.create("big", { memoryMiB: 60_000 });
    office.run(1);
    office.join(2, { capacity: { vcpus: 100, memoryMiB: 10_000, diskGiB: 1000 } });
    office.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    office.quiet(60_000, 1, 2);
    expect(evicted(office)).toBe(0);
    office.join(3);
    expect(evicted(office)).toBe(1);
    expect(office.vm("big").targetId).toBe(3);
  });

  test("one that may run nowhere else stays, and does not keep the others from going", () => {
    const office = officeWith(1);
    office.create("a-pinned", { workerId: 1 });
    office.create("b-free");
    office.run(1);
    office.join(2);
    office.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    for (let n = 0; n < 3; n++) office.run(1, 2);
    expect(office.worker(1).vms).toEqual(["a-pinned"]);
    expect(office.vm("a-pinned").state).toBe("Running");
    expect(office.vm("b-free").state).toBe("Running");
  });

  test("one that is stopped leaves too, and needs no room", () => {
    const office = officeWith(1);
    office.create("web");
    office.run(1);
    office.commit({ kind: "setVmDesired", name: "web", desired: "stopped" });
    office.run(1);
    expect(office.vm("web").state).toBe("Stopped");
    office.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    office.run(1);
    expect(office.vm("web")).toMatchObject({ state: "Stopped", workerId: null });
  });

  test("one that the log refused to move does not count as moved", () => {
    const office = drained(10);
    office.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
    office.run(1, 2);
    office.takeProposed();
    let refused = 0;
    office.loses = ({ command }) => command.kind === "evictVm" && refused++ === 0;
    office.commit({ kind: "setAvailability", workerId: 1, availability: "draining" });
    expect(evicted(office)).toBe(2);
  });

  test("a drain that is called off moves nothing more", () => {
    const office = drained(10);
    office.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
    office.takeProposed();
    for (let n = 0; n < 4; n++) office.run(1, 2);
    expect(evicted(office)).toBe(0);
    expect(office.worker(1).vms.length + office.worker(2).vms.length).toBe(10);
  });
});

describe("recovery", () => {
  function failing(spec: Parameters<Office["create"]>[1] = {}, ...others: readonly number[]): Office {
    const office = officeWith(1);
    office.create("web", spec);
    office.run(1);
    for (const id of others) office.join(id);
    return office;
  }

  /** Its machine fails, wherever it is now. */
  function fail(office: Office): void {
    const { workerId, epoch } = office.vm("web");
    office.shows(workerId ?? 0, { machines: [machine("web", epoch, "failed")] });
    office.report(workerId ?? 0);
  }

  /** How long after its failure it is called for again. */
  function backoff(office: Office): number {
    const { epoch } = office.vm("web");
    const sinceMs = office.nowMs;
    while (office.vm("web").epoch === epoch && office.vm("web").eviction === null) {
      if (office.nowMs - sinceMs > 1_000_000) return Number.POSITIVE_INFINITY;
      office.quiet(1000, ...office.hosts.keys());
    }
    return office.nowMs - sinceMs;
  }

  test("it is restarted where it is, each time after twice as long, and then moved", () => {
    const office = failing({}, 2);
    const waits: number[] = [];
    for (let n = 0; n < 3; n++) {
      fail(office);
      waits.push(backoff(office));
      expect(office.vm("web").workerId).toBe(1);
      office.run(1);
      expect(office.vm("web").state).toBe("Running");
    }
    expect(waits).toEqual([5000, 10_000, 20_000]);
    fail(office);
    backoff(office);
    expect(office.vm("web").eviction).toBe("recovery");
    office.run(1, 2);
    expect(office.vm("web")).toMatchObject({ state: "Running", workerId: 2, restarts: 0, relocations: 1 });
  });

  test("the wait has a limit", () => {
    const recovery = {
      restartsMax: 10,
      backoffMs: 5000,
      backoffFactor: 10,
      backoffMaxMs: 60_000,
      resetAfterMs: 3_600_000,
    };
    const office = failing({ recovery });
    const waits: number[] = [];
    for (let n = 0; n < 4; n++) {
      fail(office);
      waits.push(backoff(office));
      office.run(1);
    }
    expect(waits).toEqual([5000, 50_000, 60_000, 60_000]);
  });

  test("one that has been well for long has its restarts back", () => {
    const office = failing();
    for (let n = 0; n < 2; n++) {
      fail(office);
      backoff(office);
      office.run(1);
    }
    expect(office.vm("web").restarts).toBe(2);
    office.quiet(3_600_000, 1);
    fail(office);
    expect(office.vm("web").restarts).toBe(0);
    expect(backoff(office)).toBe(5000);
  });

  test("one that keeps failing wherever it is put is left alone in the end", () => {
    const recovery = { restartsMax: 0, backoffMs: 1000, backoffFactor: 1, backoffMaxMs: 1000, resetAfterMs: 3_600_000 };
    const office = failing({ recovery }, 2);
    for (let n = 0; n < 3; n++) {
      fail(office);
      expect(backoff(office)).toBe(1000);
      office.run(1, 2);
      office.run(1, 2);
      expect(office.vm("web").state).toBe("Running");
    }
    fail(office);
    expect(backoff(office)).toBe(Number.POSITIVE_INFINITY);
    expect(office.vm("web").state).toBe("Failed");
  });

  test("one that may run on one worker only is never moved, and so keeps its disk", () => {
    const office = failing({ workerId: 1 }, 2);
    for (let n = 0; n < 3; n++) {
      fail(office);
      backoff(office);
      office.run(1);
    }
    fail(office);
    expect(backoff(office)).toBe(Number.POSITIVE_INFINITY);
    expect(office.vm("web")).toMatchObject({ state: "Failed", workerId: 1, eviction: null });
  });

  test("a recovery that is due while something else is proposed about the VM is not forgotten", () => {
    const office = failing();
    fail(office);
    let lost = 0;
    office.loses = ({ command }) => command.kind === "recoverVm" && lost++ === 0;
    expect(backoff(office)).toBe(10_000);
  });

  test("a new leader goes on with what its predecessor had begun", () => {
    const office = failing();
    fail(office);
    office.quiet(4000, 1);
    office.handOver();
    expect(backoff(office)).toBe(5000);
  });

  test("nothing of the other VMs and workers is touched", () => {
    const office = failing({}, 2);
    for (const name of ["a", "b", "c"]) office.create(name);
    office.run(1, 2);
    const before = ["a", "b", "c"].map((name) => office.vm(name));
    for (let n = 0; n < 5; n++) {
      const { workerId, epoch } = office.vm("web");
      const others = office.host(workerId ?? 0).machines.filter(({ name }) => name !== "web");
      office.shows(workerId ?? 0, { machines: [...others, machine("web", epoch, "failed")] });
      office.report(workerId ?? 0);
      backoff(office);
      office.run(1, 2);
      office.run(1, 2);
    }
    expect(["a", "b", "c"].map((name) => office.vm(name))).toEqual(before);
  });
});

describe("lost hosts", () => {
  test("its VMs run elsewhere, but for those that wait for it", () => {
    const office = officeWith(1);
    office.create("moves");
    office.create("waits", { onWorkerLost: "wait" });
    office.run(1);
    office.join(2);
    office.quiet(WAIT_MS, 2);
    office.quiet(1000, 2);
    office.run(2);
    expect(office.vm("moves")).toMatchObject({ state: "Running", workerId: 2 });
    expect(office.vm("waits")).toMatchObject({ state: "Lost", workerId: 1 });
    // The host comes back with nothing: what waited for it is run anew.
    office.reboot(1);
    office.shows(1, { machines: [] });
    office.report(1);
    office.report(1);
    office.report(1);
    expect(office.vm("waits")).toMatchObject({ state: "Failed", workerId: 1 });
    office.quiet(6000, 1, 2);
    office.run(1);
    expect(office.vm("waits")).toMatchObject({ state: "Running", workerId: 1 });
    expect(office.host(1).assignment?.vms.map(({ name }) => name)).toEqual(["waits"]);
  });

  test("an operator's word that it is dead ends the wait", () => {
    const office = officeWith(1);
    office.create("waits", { onWorkerLost: "wait" });
    office.run(1);
    office.join(2);
    office.commit({ kind: "confirmWorkerDead", workerId: 1 });
    office.run(2);
    expect(office.vm("waits")).toMatchObject({ state: "Running", workerId: 2 });
  });

  test("one that was removed is told so whenever it says something, and is in nobody's books", () => {
    const office = officeWith(1);
    office.create("web");
    office.run(1);
    office.join(2);
    office.pass(WAIT_MS);
    office.quiet(2000, 2);
    office.run(2);
    expect(office.vm("web")).toMatchObject({ state: "Running", workerId: 2 });
    office.commit({ kind: "removeWorker", workerId: 1 });
    office.takeProposed();
    for (const again of [false, true]) {
      if (again) office.reboot(1);
      expect(office.report(1)).toMatchObject({ kind: "removed", workerId: 1 });
    }
    office.handOver();
    expect(office.report(1)).toMatchObject({ kind: "removed" });
    office.quiet(60_000, 2);
    expect(office.takeProposed()).toEqual([]);
    expect(workerOf(office.state, 1)).toBeNull();
  });

  test("a placement that was under way to one that is removed meanwhile goes elsewhere", () => {
    const office = officeWith(1);
    office.join(2);
    office.commit({ kind: "setAvailability", workerId: 2, availability: "cordoned" });
    // Decided in a state in which it was there.
    office.loses = ({ command }) => {
      if (command.kind !== "placeVm" || command.workerId !== 1) return false;
      office.loses = () => false;
      office.commit(
        { kind: "setAvailability", workerId: 1, availability: "cordoned" },
        { kind: "setAvailability", workerId: 2, availability: "online" },
        { kind: "removeWorker", workerId: 1 },
      );
      return false;
    };
    office.create("web");
    office.run(2);
    expect(office.vm("web")).toMatchObject({ state: "Running", workerId: 2 });
  });

  test("a worker without a driver is told of its VMs, which stay Scheduled", () => {
    const office = officeWith();
    office.join(1, { driver: null });
    office.create("web");
    office.report(1);
    office.quiet(600_000, 1);
    expect(office.vm("web")).toMatchObject({ state: "Scheduled", workerId: 1 });
  });

  test.each(["building", "starting", "running"] as const)("a machine that was %s and is gone has failed", (phase) => {
    const office = officeWith(1);
    office.create("web");
    office.report(1);
    office.shows(1, { machines: [machine("web", office.vm("web").epoch, phase)] });
    office.report(1);
    expect(office.vm("web").state.toLowerCase()).toBe(phase);
    office.shows(1, { machines: [] });
    office.report(1);
    expect(office.vm("web").state).toBe("Failed");
  });
});

describe("tasks", () => {
  function submitted(attemptsMax = 1): Office {
    const office = officeWith(1);
    office.submit("job", attemptsMax);
    office.report(1);
    return office;
  }

  /** What has become of the attempt that worker `id` was told of. */
  function ended(office: Office, id: number, phase: Job["phase"], exitCode: number, output = ""): void {
    const { attempt } = office.assignedTask(id, "job");
    office.shows(id, { jobs: [{ id: "job", attempt, phase, exitCode, output }] });
    office.report(id);
  }

  test("one that ends well has succeeded, and its worker is told of it no more", () => {
    const office = submitted();
    ended(office, 1, "running", 0);
    expect(office.task("job")).toMatchObject({ state: "Running", workerId: 1 });
    ended(office, 1, "exited", 0, "done");
    expect(office.task("job")).toMatchObject({ state: "Succeeded", workerId: null, exitCode: 0, output: "done" });
    expect(office.host(1).assignment?.tasks).toEqual([]);
  });

  test("a failed attempt is followed by another, until there have been enough", () => {
    const office = submitted(3);
    const attempts = new Set<number>();
    for (let n = 1; n <= 3; n++) {
      expect(office.task("job")).toMatchObject({ state: "Running", attempt: n });
      attempts.add(office.assignedTask(1, "job").attempt);
      ended(office, 1, "exited", 7);
      office.report(1);
    }
    expect(office.task("job")).toMatchObject({ state: "Failed", exitCode: 7 });
    expect(attempts.size).toBe(3);
  });

  test("one that took too long has timed out", () => {
    const office = submitted();
    ended(office, 1, "failed", 0, "timed out");
    expect(office.task("job").state).toBe("TimedOut");
  });

  test("with its worker an attempt is lost, and the next one runs elsewhere when nothing of it can run any more", () => {
    const office = submitted(2);
    ended(office, 1, "running", 0);
    office.join(2);
    office.quiet(WAIT_MS - 2000, 2);
    expect(office.task("job")).toMatchObject({ attempt: 1, workerId: 1 });
    office.quiet(3000, 2);
    expect(office.task("job")).toMatchObject({ state: "Running", attempt: 2, workerId: 2 });
  });

  test("one that was cancelled while its worker was lost is over, and runs nowhere again", () => {
    const office = submitted(5);
    ended(office, 1, "running", 0);
    office.join(2);
    office.commit({ kind: "cancelTask", id: "job" });
    office.quiet(WAIT_MS + 1000, 2);
    expect(office.task("job")).toMatchObject({ state: "Cancelled", workerId: null });
  });

  test("one that was cancelled before its worker began it is over once that worker knows", () => {
    const office = officeWith(1);
    office.submit("job", 5);
    office.commit({ kind: "cancelTask", id: "job" });
    expect(office.task("job").state).toBe("Running");
    office.report(1);
    office.report(1);
    expect(office.task("job").state).toBe("Cancelled");
  });

  test("what is left of a task that is forgotten is not taken for the result of another of its name", () => {
    const office = submitted();
    ended(office, 1, "exited", 0, "of the first");
    office.commit({ kind: "cancelTask", id: "job" });
    office.submit("job");
    // The host still shows what the first one left.
    office.report(1);
    office.report(1);
    expect(office.task("job").state).toBe("Running");
    ended(office, 1, "exited", 0, "of the second");
    expect(office.task("job")).toMatchObject({ state: "Succeeded", output: "of the second" });
  });

  test("one that fits nowhere waits, and is placed when there is room", () => {
    const office = officeWith();
    office.submit("job");
    office.pass(60_000);
    expect(office.task("job").state).toBe("Pending");
    office.join(1);
    expect(office.task("job").state).toBe("Running");
  });
});

describe("placing", () => {
  const small = { capacity: { vcpus: 100, memoryMiB: 1000, diskGiB: 1000 } };

  test("what fits nowhere is not tried again until something has changed", () => {
    const office = officeWith(1);
    office.create("big", { memoryMiB: 1_000_000 });
    office.takeProposed();
    office.quiet(60_000, 1);
    expect(office.takeProposed()).toEqual([]);
    office.join(2, { capacity: { vcpus: 100, memoryMiB: 2_000_000, diskGiB: 1000 } });
    expect(office.vm("big").workerId).toBe(2);
  });

  test("higher priorities go first, and within one the first come", () => {
    const office = officeWith();
    for (const [name, priority] of [
      ["c", 100],
      ["b", 500],
      ["a", 500],
      ["d", 900],
    ] as const)
      office.create(name, { priority, memoryMiB: 100, preemptible: false });
    office.join(1, small);
    const placed = office.takeProposed().flatMap((command) => (command.kind === "placeVm" ? [command.name] : []));
    expect(placed).toEqual(["d", "b", "a", "c"]);
  });

  test("a new leader places in the same order", () => {
    const office = officeWith();
    for (const name of ["b", "a", "c"]) office.create(name);
    office.handOver();
    office.join(1, small);
    const placed = office.takeProposed().flatMap((command) => (command.kind === "placeVm" ? [command.name] : []));
    expect(placed).toEqual(["b", "a", "c"]);
  });

  test("room is promised once, however many are decided at a time", () => {
    const office = officeWith();
    for (let n = 0; n < 30; n++) office.create(`vm-${n}`, { memoryMiB: 100, preemptible: false });
    // Nothing gets into the log while they are decided.
    office.join(1, small);
    const placed = office.takeProposed().filter(({ kind }) => kind === "placeVm");
    expect(placed).toHaveLength(9);
    expect(office.worker(1).used.memoryMiB).toBe(900);
  });

  test("room that was promised to one that the log then refuses goes to the next", () => {
    const office = officeWith();
    // Two of these can be promised.
    office.join(1, { capacity: { vcpus: 3, memoryMiB: 100_000, diskGiB: 10_000 } });
    office.commit({ kind: "setAvailability", workerId: 1, availability: "cordoned" });
    const antiAffinity = [{ group: "g", softWeight: null, maxPerDomain: 1, scope: "node" as const }];
    office.create("first", { antiAffinity });
    // Decided before the first one has its place.
    office.create("refused", { antiAffinity });
    office.create("next");
    office.commit({ kind: "setAvailability", workerId: 1, availability: "online" });
    expect(["first", "refused", "next"].map((name) => office.vm(name).workerId)).toEqual([1, null, 1]);
  });

  test("those that nobody has room for do not keep the others from their place, however often room changes", () => {
    const office = officeWith(1);
    for (let n = 0; n < 500; n++) office.create(`big-${n}`, { priority: 900, memoryMiB: 1_000_000 });
    office.create("small", { priority: 1, memoryMiB: 50_000, preemptible: false });
    office.create("smaller", { priority: 1, memoryMiB: 60_000, preemptible: false });
    const waits = office.vm("small").workerId === null ? "small" : "smaller";
    const other = waits === "small" ? "smaller" : "small";
    office.run(1);
    // Room changes at every turn, before all of the important have been tried again.
    office.commit({ kind: "deleteVm", name: other, expectedGeneration: null });
    office.report(1);
    office.shows(1, { machines: [] });
    office.orchestrator.hear(office.reportOf(1), office.nowMs);
    for (let turns = 0; office.vm(waits).workerId === null; turns++) {
      if (turns > 50) throw new Error(`${waits} never has its turn`);
      office.oneTurn();
      office.changeRoom();
    }
  });

  test("who preempts others is placed when they have left, and not before", () => {
    const office = officeWith();
    office.join(1, small);
    for (let n = 0; n < 9; n++) office.create(`low-${n}`, { memoryMiB: 100, priority: 10 });
    office.run(1);
    office.create("high", { memoryMiB: 200, priority: 900 });
    expect(office.vm("high")).toMatchObject({ state: "Pending", targetId: 1 });
    const leaving = office.worker(1).vms.filter((name) => office.vm(name).eviction === "preempted");
    expect(leaving).toHaveLength(2);
    office.quiet(5000, 1);
    expect(office.vm("high").workerId).toBeNull();
    office.run(1);
    expect(office.vm("high").workerId).toBe(1);
    // Whoever stays is as it was.
    expect(
      office
        .worker(1)
        .vms.filter((name) => name.startsWith("low"))
        .every((name) => office.vm(name).state === "Running"),
    ).toBe(true);
  });
});
