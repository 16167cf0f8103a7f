import { describe, expect, test } from "vitest";
import type { HealthCheck } from "../domain/index.ts";
import { HealthMonitor } from "./health.ts";

function check(name: string, fields: Partial<HealthCheck> = {}): HealthCheck {
  return {
    failures: 3,
    successes: 2,
    name,
    probe: { kind: "tcp", port: 80 },
    intervalMs: 1000,
    timeoutMs: 500,
    initialDelayMs: 0,
    weight: 1,
    critical: false,
    ...fields,
  };
}

/** One machine of epoch 1 that runs since 0. */
class Watched {
  readonly monitor = new HealthMonitor();
  nowMs = 0;
  checks: readonly HealthCheck[];

  constructor(...checks: readonly HealthCheck[]) {
    this.checks = checks;
  }

  /** The names of the checks that are due now. */
  due(atMs = this.nowMs): string[] {
    this.nowMs = atMs;
    return this.monitor.due("vm", 1, this.checks, 0, atMs).map(({ name }) => name);
  }

  /** The next rounds of all checks say so: + is well, - is not. */
  rounds(name: string, results: string): void {
    for (const result of results) {
      this.due(this.nowMs + 1000);
      this.monitor.probed("vm", 1, name, result === "+");
    }
  }

  get complaint(): string {
    return this.monitor.complaint("vm", 1);
  }
}

describe("when checks are due", () => {
  test("after the initial delay, and then at each interval", () => {
    const watched = new Watched(check("a", { initialDelayMs: 5000 }));
    expect(watched.due(0)).toEqual([]);
    expect(watched.monitor.nextDueMs).toBe(5000);
    expect(watched.due(4999)).toEqual([]);
    expect(watched.due(5000)).toEqual(["a"]);
    watched.monitor.probed("vm", 1, "a", true);
    expect(watched.due(5999)).toEqual([]);
    expect(watched.due(6000)).toEqual(["a"]);
  });

  test("one at a time: while a probe is under way there is no other", () => {
    const watched = new Watched(check("a", { timeoutMs: 3000 }));
    expect(watched.due(0)).toEqual(["a"]);
    expect(watched.due(1000)).toEqual([]);
    expect(watched.due(2000)).toEqual([]);
    watched.monitor.probed("vm", 1, "a", true);
    expect(watched.due(3000)).toEqual(["a"]);
  });

  test("the monitor wants to be asked again, and later than now, after each time it was asked", () => {
    const watched = new Watched(check("a", { intervalMs: 700 }), check("b", { timeoutMs: 2000 }));
    for (let n = 0; n < 50; n++) {
      watched.due();
      expect(watched.monitor.nextDueMs).toBeGreaterThan(watched.nowMs);
      watched.nowMs = watched.monitor.nextDueMs;
    }
  });

  test("it forgets all but those that it shall keep", () => {
    const watched = new Watched(check("a"));
    watched.due(0);
    watched.monitor.keepOnly(new Set(["other"]));
    expect(watched.monitor.nextDueMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("what they say", () => {
  test("it is down after that many failures in a row, and up after that many successes in a row", () => {
    const watched = new Watched(check("a", { failures: 3, successes: 2, critical: true }));
    watched.rounds("a", "--+--+");
    expect(watched.complaint).toBe("");
    watched.rounds("a", "---");
    expect(watched.complaint).toBe("health check a is down");
    watched.rounds("a", "+-+");
    expect(watched.complaint).not.toBe("");
    watched.rounds("a", "+");
    expect(watched.complaint).toBe("");
  });

  test("a probe whose result does not come is a failure, once", () => {
    const watched = new Watched(check("a", { failures: 2, critical: true }));
    watched.due(0);
    watched.due(5499);
    watched.due(5500);
    expect(watched.complaint).toBe("");
    expect(watched.due(11_000)).toEqual(["a"]);
    expect(watched.complaint).toBe("");
    watched.due(16_500);
    expect(watched.complaint).toBe("health check a is down");
  });

  test("a result of another run, of a check that there is not, or that nobody asked for, says nothing", () => {
    const watched = new Watched(check("a", { failures: 1, critical: true }));
    watched.monitor.probed("vm", 1, "a", false);
    watched.due(0);
    watched.monitor.probed("vm", 2, "a", false);
    watched.monitor.probed("vm", 1, "b", false);
    watched.monitor.probed("other", 1, "a", false);
    watched.monitor.probed("vm", 1, "a", true);
    watched.monitor.probed("vm", 1, "a", false);
    expect(watched.complaint).toBe("");
  });

  test("half of the weight is enough; what weighs nothing only tells", () => {
    const weights = { a: 5, b: 3, c: 2, d: 0 };
    const names = Object.keys(weights);
    for (let down = 0; down < 16; down++) {
      const watched = new Watched(
        ...Object.entries(weights).map(([name, weight]) => check(name, { weight, failures: 1 })),
      );
      watched.due(1000);
      let weight = 0;
      for (const [at, name] of names.entries()) {
        const isDown = (down & (1 << at)) !== 0;
        watched.monitor.probed("vm", 1, name, !isDown);
        if (isDown) weight += Object.values(weights)[at] ?? 0;
      }
      expect(watched.complaint !== "", `${down}`).toBe(weight >= 5);
    }
  });

  test("a critical one is enough, whatever it weighs", () => {
    const watched = new Watched(check("a", { critical: true, weight: 0, failures: 1 }), check("b", { weight: 1000 }));
    watched.rounds("a", "-");
    expect(watched.complaint).toBe("health check a is down");
  });

  test("another run begins anew; so does a check that was changed, and it alone", () => {
    const watched = new Watched(
      check("a", { failures: 2, critical: true }),
      check("b", { failures: 2, critical: true }),
    );
    watched.due(1000);
    for (const name of ["a", "b"]) watched.monitor.probed("vm", 1, name, false);
    watched.checks = [
      check("a", { failures: 2, critical: true, timeoutMs: 501 }),
      { ...(watched.checks[1] ?? check("b")) },
    ];
    watched.due(2000);
    watched.monitor.probed("vm", 1, "a", false);
    expect(watched.complaint).toBe("");
    watched.monitor.probed("vm", 1, "b", false);
    expect(watched.complaint).toBe("health check b is down");
    watched.monitor.due("vm", 2, watched.checks, 0, 3000);
    expect(watched.monitor.complaint("vm", 2)).toBe("");
    expect(watched.complaint).toBe("");
  });
});
