import { pino } from "pino";
import { expect, test } from "vitest";
import type { NodeSettings } from "../storage/index.ts";
import { RememberedSettings } from "./remembered-settings.ts";
import { SETTINGS } from "./testing/index.ts";

const log = pino({ level: "silent" });

test("what changes is remembered at once, and goes to the disk; what stays the same does not", () => {
  const saved: NodeSettings[] = [];
  const settings = new RememberedSettings(SETTINGS, async (changed) => void saved.push(changed), log);
  settings.change({ peers: [] });
  expect(saved).toEqual([]);
  settings.change({ replaces: 7 });
  expect(settings.current).toEqual({ ...SETTINGS, replaces: 7 });
  expect(saved).toEqual([settings.current]);
});

test("a disk that fails costs a line in the log", async () => {
  const lines: string[] = [];
  const failing = pino({ base: null }, { write: (line) => lines.push(line) });
  const settings = new RememberedSettings(SETTINGS, () => Promise.reject(new Error("disk full")), failing);
  settings.change({ replaces: 7 });
  await new Promise(setImmediate);
  expect(settings.current.replaces).toBe(7);
  expect(lines.join("")).toContain("could not be stored");
});
