/**
 * What the leader does about workers, VMs and tasks, over a real state machine. Every proposal is committed at once:
 * consensus is left out.
 */
import { describe, expect, test } from "vitest";
import { type Job, waitForLeaseMs } from "../agent/index.ts";
import { workerOf } from "../cluster/index.ts";
import { OrchestratorHarness, withWorkers } from "../testing/index.ts";

const WAIT_MS = waitForLeaseMs(0.05);

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

  test("one that was removed is told so whenever it reports, and counts nowhere", () => {
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

  test("one more than there may be is not registered, and nothing is proposed for it", () => {
    const harness = new OrchestratorHarness({ workers: 1 });
    harness.join(1);
    harness.takeProposed();
    harness.join(2);
    expect(harness.report(2)).toMatchObject({ kind: "register" });
    expect(harness.takeProposed()).toEqual([]);
    expect(harness.state.workerCount).toBe(1);
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

  test("an attempt is lost with its worker, and the next runs elsewhere once the first has surely ended", () => {
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
