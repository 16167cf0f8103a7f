/** How an agent is run on a real host: what becomes of it when it halts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Agent } from "../../core/index.ts";
import { AgentLoop } from "./agent-loop.ts";
import { DEFAULT_WORKER, probeFacts } from "./facts.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

test("planted: an assertion of the agent fails; its host is told why, once, and nothing is reported any more", async () => {
  const lines: string[] = [];
  const halted: string[] = [];
  let reports = 0;
  vi.spyOn(Agent.prototype, "step")
    .mockReturnValue([])
    .mockReturnValueOnce([{ kind: "halt", reason: "assertion failed: planted" }]);
  const loop = await AgentLoop.start({
    workerId: 1,
    dataDir: folder,
    facts: await probeFacts(folder, DEFAULT_WORKER, [], []),
    driver: null,
    servers: [1],
    log: pino({ level: "fatal" }, { write: (line: string) => void lines.push(line) }),
    report: () => {
      reports += 1;
      return Promise.resolve(null);
    },
    ended: () => undefined,
    startedByHand: () => undefined,
    halted: (reason) => halted.push(reason),
  });
  loop.removed();
  await loop.stop();
  expect(halted).toEqual(["assertion failed: planted"]);
  expect(lines.join("")).toContain("the agent has halted: assertion failed: planted");
  expect(reports).toBe(0);
});
