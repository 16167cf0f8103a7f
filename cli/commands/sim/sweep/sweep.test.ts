import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blixard } from "../../../testing/index.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const short = ["sim", "sweep", "calm", "crash-restart", "--seeds", "1..3", "--duration", "2s", "--jobs", "2"];

async function hashes(args: readonly string[]): Promise<string[]> {
  const { code, out } = await blixard([...args, "--json"]);
  expect(code).toBe(0);
  const lines = out === "" ? [] : out.split("\n");
  return lines.map((line) => {
    const { scenario, seed, traceHash }: Record<string, unknown> = JSON.parse(line);
    return `${String(scenario)} ${String(seed)} ${String(traceHash)}`;
  });
}

test("every scenario with every seed, with totals at the end", async () => {
  const junit = join(folder, "sweep.xml");
  const { code, out } = await blixard([...short, "--junit", junit]);
  expect(code).toBe(0);
  expect(out).toMatch(/^calm +3 +0 /m);
  expect(out).toMatch(/^crash-restart +3 +0 /m);
  expect(out).toMatch(/^all +6 +0 /m);
  expect(out).toMatch(/\n6 runs in .* with 2 jobs: /);
  expect(out).toMatch(/\nresult {2}holds$/);
  const xml = readFileSync(junit, "utf8");
  expect(xml).toContain('tests="6" failures="0"');
  expect(xml.match(/<testcase /g)).toHaveLength(6);
});

test("shards come to the same as the whole, and a thread to the same as this process", async () => {
  const whole = await hashes(short);
  const parts = [await hashes([...short, "--shard", "1/2"]), await hashes([...short, "--shard", "2/2"])];
  expect(parts.flat().toSorted()).toEqual(whole.toSorted());
  expect(parts.map((part) => part.length)).toEqual([4, 2]);

  const { out } = await blixard(["sim", "calm", "--seed", "2", "--duration", "2s", "--json"]);
  const { traceHash }: Record<string, unknown> = JSON.parse(out);
  expect(whole).toContain(`calm 2 ${String(traceHash)}`);
});

test("a shard that no seed falls to holds", async () => {
  expect(await hashes([...short, "--shard", "9/9"])).toEqual([]);
});

test("out of time, it starts no more runs and says how many it made", async () => {
  const { code, out } = await blixard([
    "sim",
    "sweep",
    "calm",
    "--seeds",
    "1..1000000",
    "--time",
    "300ms",
    "--jobs",
    "1",
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/\nout of time: \d+ of 1,000,000 runs made(, 1 more cut short)?\n/);
});

test("--time holds inside a run: one that is under way is cut short", async () => {
  const args = ["sim", "sweep", "calm", "--seeds", "1", "--duration", "300d", "--time", "1s", "--jobs", "1"];
  const { code, out } = await blixard(args);
  expect(code).toBe(0);
  expect(out).toMatch(/\nout of time: 0 of 1 run made, 1 more cut short\n/);
});

test("a run that exceeds the limit of wall time is a violation that says what its events are", async () => {
  const args = ["sim", "sweep", "calm", "--seeds", "1", "--duration", "300d", "--wall-limit", "1s", "--json"];
  const { code, out } = await blixard(args);
  expect(code).toBe(1);
  const message = expect.stringMatching(/^it takes longer than 1\.00 s by the wall clock\nof the next 2000 events:\n/);
  expect(JSON.parse(out)).toMatchObject({ ok: false, violations: [{ oracle: "runaway", message }] });
});

test("interrupted, it prints what was done so far", async () => {
  const args = ["sim", "sweep", "calm", "--seeds", "1..1000000", "--duration", "1s"];
  const { code, out } = await blixard(args, AbortSignal.timeout(1000));
  expect(code).toBe(130);
  expect(out).toMatch(/\ninterrupted: [\d,]+ of 1,000,000 runs made\n/);
});
