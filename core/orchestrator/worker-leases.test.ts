/** Until when a leader counts on a worker that it hears nothing of. */
import { describe, expect, test } from "vitest";
import { LEASE_TTL_MS, waitForLeaseMs } from "../agent/index.ts";
import { withWorkers } from "../testing/index.ts";

const WAIT_MS = waitForLeaseMs(0.05);

describe("leases", () => {
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
});
