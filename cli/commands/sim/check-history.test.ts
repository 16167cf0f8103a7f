import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blixard, type Heard } from "../../testing/index.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Line = readonly [process: number, type: string, f: string, value: unknown, key?: string];

function check(lines: readonly Line[], ...options: readonly string[]): Promise<Heard> {
  const path = join(folder, "history.jsonl");
  const text = lines.map(([process, type, f, value, key], time) =>
    JSON.stringify({ process, type, f, key, value, time }),
  );
  writeFileSync(path, text.join("\n"));
  return blixard(["sim", "check-history", path, ...options]);
}

const good: readonly Line[] = [
  [0, "invoke", "write", 1, "x"],
  [0, "ok", "write", 1, "x"],
  [1, "invoke", "read", null, "x"],
  [2, "invoke", "cas", [1, 2], "x"],
  [1, "ok", "read", 1, "x"],
  [2, "info", "cas", [1, 2], "x"],
  [3, "invoke", "write", 5, "y"],
  [3, "fail", "write", 5, "y"],
];
const stale: readonly Line[] = [...good, [1, "invoke", "read", null, "y"], [1, "ok", "read", 5, "y"]];

test("a history that is linearizable", async () => {
  const { code, out, err } = await check(good);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(
    /^linearizable: 3 operations on 1 key, 1 of unknown outcome; 1 that failed left out; \d+ configurations? explored in .+s$/,
  );
});

test("one that is not says which operation has no place", async () => {
  const { code, out } = await check(stale);
  expect(code).toBe(1);
  expect(out).toContain('key "y" is not linearizable: read -> 5 by process 1');
  expect(out).toMatch(/\nnot linearizable: 4 operations on 2 keys/);
});

test("as JSON", async () => {
  const { code, out } = await check(stale, "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    ok: false,
    verdict: "violated",
    keys: 2,
    operations: 4,
    unknown: 1,
    failed: 1,
    violations: [{ key: '"y"', message: expect.stringContaining("read -> 5") }],
    undecided: [],
  });
});

test("an empty history is linearizable", async () => {
  expect((await check([])).code).toBe(0);
});

test.each<[string, Line]>([
  ['line 9: field "f" must be one of read, write, cas', [4, "invoke", "append", 1]],
  ["line 9: process 4 reports ok without an open operation", [4, "ok", "write", 1]],
])("a line that cannot be read is named: %s", async (message, line) => {
  const { code, out, err } = await check([...good, line]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(`history.jsonl, ${message}`);
  expect(err).toContain("hint: the forms of a history are in docs/simulator.md");
});
