/** What `task list` and `task show` print. */
import { expect, test } from "vitest";
import { exampleTask } from "../../testing/index.ts";
import { renderTasks } from "./list.ts";
import { renderTask } from "./show.ts";

const waiting = { ...exampleTask, id: "big", state: "Pending", attempt: 0, workerId: null, features: ["gpu"] } as const;

test("a list shows whole ids, and why a task is not running, in 80 columns", () => {
  const failed = {
    ...exampleTask,
    id: "task-12345678",
    state: "Failed",
    workerId: null,
    reason: "exit code 3",
  } as const;
  const lines = renderTasks([waiting, failed, exampleTask], 80);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines[1]).toMatch(/^big +acme +Pending +- +0\/3 .* waits for a place$/);
  expect(lines[2]).toMatch(/^task-12345678 +acme +Failed +- +2\/3 .* exit code 3$/);
});

test("one that waits says what a worker must have for it", () => {
  const wants = "waits for a worker that offers gpu with 1 vCPU, 256 MiB of memory, 0 GiB of disk free";
  expect(renderTask(waiting).join("\n")).toContain(`Pending: ${wants}`);
  const again = { ...waiting, features: [], attempt: 1, reason: "worker 2 was lost" };
  expect(renderTask(again).join("\n")).toContain("Pending: worker 2 was lost; waits for a worker with 1 vCPU");
});
