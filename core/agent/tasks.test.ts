/** What an agent does about the jobs of its host. */
import { describe, expect, test } from "vitest";
import { wantedTask as task } from "../testing/index.ts";
import { settled, told } from "./testing/index.ts";

describe("jobs", () => {
  test("an attempt is begun once, and told of as running from then on", () => {
    const harness = settled();
    harness.obeys = false;
    harness.wants([], [task("job", 1)]);
    harness.pass(9000);
    expect(told(harness)).toEqual(["job/1 running"]);
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual(["runJob job/1"]);
    expect(told(harness)).toEqual([]);
    harness.wants([], [task("job", 2)]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["runJob job/2"]);
  });

  test("an attempt that another process may have begun is not begun again", () => {
    const harness = settled();
    harness.wants([], [task("job", 1, false, true)]);
    harness.pass(60_000);
    expect(harness.takeActs()).toEqual([]);
    expect(told(harness)).toEqual([]);
  });

  test("an attempt that is over is told of until nobody wants it", () => {
    const harness = settled();
    harness.wants([], [task("job", 1)]);
    harness.pass(1000);
    harness.endJob("job", 1, "exited", "done");
    harness.pass(60_000);
    expect(told(harness)).toEqual(["job/1 exited"]);
    harness.wants([]);
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["runJob job/1", "forgetJob job/1"]);
  });

  test("a cancelled attempt is ended, and never begins if it had not begun, whatever earlier one is there", () => {
    const harness = settled();
    harness.wants([], [task("job", 1)]);
    harness.pass(1000);
    harness.wants([], [task("job", 2, true)]);
    harness.pass(3000);
    expect(harness.takeActs()).toEqual(["runJob job/1", "endJob job/1", "forgetJob job/1"]);
    expect(told(harness)).toEqual([]);
    expect(harness.lastSent.report.assignedIndex).toBe(harness.assignment.index);
  });

  test("an attempt that shows late is ended while another runs: there are never two", () => {
    const harness = settled();
    harness.obeys = false;
    harness.wants([], [task("job", 1)]);
    harness.pass(12_000);
    harness.obeys = true;
    harness.wants([], [task("job", 2)]);
    harness.pass(1000);
    harness.takeActs();
    harness.perform({ kind: "runJob", ...task("job", 1) });
    harness.pass(1000);
    expect(harness.takeActs()).toEqual(["endJob job/1", "forgetJob job/1"]);
    expect(harness.jobs).toMatchObject([{ attempt: 2, phase: "running" }]);
  });

  test("a job of an earlier task of that name goes before the new one begins", () => {
    const harness = settled();
    harness.jobs = [{ id: "job", attempt: 3, phase: "exited", exitCode: 0, output: "of the earlier" }];
    harness.wants([], [task("job", 1)]);
    harness.pass(2000);
    expect(harness.takeActs()).toEqual(["forgetJob job/3", "runJob job/1"]);
  });

  test("jobs that nobody wants end", () => {
    const harness = settled();
    harness.jobs = [
      { id: "a", attempt: 1, phase: "running", exitCode: 0, output: "" },
      { id: "b", attempt: 1, phase: "exited", exitCode: 0, output: "" },
    ];
    harness.pass(2000);
    expect(harness.takeActs()).toEqual(["endJob a/1", "forgetJob b/1", "forgetJob a/1"]);
  });
});
