/** When failed VMs run again, and where. */
import { describe, expect, test } from "vitest";
import { machine, type OrchestratorHarness, withWorkers } from "../testing/index.ts";

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
