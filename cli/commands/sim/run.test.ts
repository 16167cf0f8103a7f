import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Run } from "../../../runtime-sim/index.ts";
import { blixard } from "../../testing/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

const at = (name: string): string => join(folder, name);
const short = ["sim", "crash-restart", "--seed", "7", "--duration", "5s"];

function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`not an object: ${text}`);
  return { ...value };
}

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  const { out } = await blixard([...args, "--json"]);
  return parsed(out);
}

describe("sim", () => {
  test("the summary of a run that holds", async () => {
    const { code, out, err } = await blixard(short);
    expect([code, err]).toEqual([0, ""]);
    for (const part of ["scenario      crash-restart", "seed          7", "trace hash", "result      holds"]) {
      expect(out).toContain(part);
    }
  });

  test("--json is one object with what the summary says", async () => {
    const { code, out, err } = await blixard([...short, "--json", "--nodes", "3"]);
    expect([code, err]).toEqual([0, ""]);
    expect(parsed(out)).toMatchObject({
      scenario: "crash-restart",
      seed: 7,
      ok: true,
      traceHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      nodes: 3,
      virtualMs: expect.any(Number),
      wallMs: expect.any(Number),
      events: expect.any(Number),
      commits: expect.any(Number),
      elections: expect.any(Number),
      faults: expect.any(Object),
      oracles: expect.any(Object),
      verdicts: [],
      violations: [],
      version: expect.stringMatching(/^\d/),
    });
  });

  test("options may stand before the scenario", async () => {
    expect(await json(["sim", "--seed", "12345", "--duration", "2s", "byzantine"])).toMatchObject({
      scenario: "byzantine",
      seed: 12345,
    });
  });

  test("without a seed one is drawn, and said", async () => {
    const runs = [await json(["sim", "calm", "--duration", "1s"]), await json(["sim", "calm", "--duration", "1s"])];
    const seeds = runs.map(({ seed }) => seed);
    expect(seeds[0]).toBeTypeOf("number");
    expect(seeds[0]).not.toBe(seeds[1]);
  });

  test("faults that were saved are the faults that were drawn, and may be edited", async () => {
    const stormy = ["sim", "swarm", "--seed", "7"];
    const drawn = await json([...stormy, "--duration", "15s", "--save-faults", at("faults.json")]);
    const replayed = await json([...stormy, "--faults", at("faults.json")]);
    expect(replayed["traceHash"]).toBe(drawn["traceHash"]);

    const schedule = parsed(readFileSync(at("faults.json"), "utf8"));
    writeFileSync(at("none.json"), JSON.stringify({ ...schedule, faults: [] }));
    const without = await json([...stormy, "--faults", at("none.json")]);
    expect(without).toMatchObject({ ok: true, faults: {} });
    expect(without["traceHash"]).not.toBe(drawn["traceHash"]);
    expect(readdirSync(folder).toSorted()).toEqual(["faults.json", "none.json"]);
  });

  test("a trace has every event and changes none", async () => {
    const traced = await json([...short, "--trace", at("trace.jsonl")]);
    const lines = readFileSync(at("trace.jsonl"), "utf8").trimEnd().split("\n").map(parsed);
    expect(lines.length).toBe(traced["events"]);
    expect(lines.map(({ event }) => event)).toEqual(lines.map((_, index) => index + 1));
    expect(traced["traceHash"]).toBe((await json(short))["traceHash"]);
  });

  test("--verbose prints a line for each transition, and keeps them out of --json", async () => {
    const { out } = await blixard([...short, "--verbose"]);
    expect(out).toMatch(/^ +\d+\.\d{6} +\d+ +(n\d+|-) /m);
    const both = await blixard([...short, "--verbose", "--json"]);
    expect(parsed(both.out)["seed"]).toBe(7);
    expect(both.err).toMatch(/ n\d+ /);
  });

  test("--check-determinism runs twice and agrees", async () => {
    const { code, out } = await blixard([...short, "--check-determinism"]);
    expect(code).toBe(0);
    expect(out).not.toContain("violated");
  });

  test("a run that throws is violated, with the report so far and the command that shows it again", async () => {
    vi.spyOn(Run.prototype, "advance").mockImplementation(() => {
      throw new Error("the queue is out of order");
    });
    const { code, out } = await blixard([...short, "--nodes", "3"]);
    expect(code).toBe(1);
    expect(out).toMatch(/\nviolated: exception\n {2}at {6}event 0, .*\n {2}saw {5}Error: the queue is out of order\n/);
    expect(out).toContain("\n  replay  npm run sim -- --seed 7 --nodes 3 --duration 5s crash-restart\n");
    expect(out).toMatch(/\nresult {6}violated \(1 violation\)$/);
  });

  test("options that do not go together are wrong usage", async () => {
    await blixard([
      "sim",
      "calm",
      "--seed",
      "1",
      "--nodes",
      "3",
      "--duration",
      "1s",
      "--save-faults",
      at("faults.json"),
    ]);
    const { code, err } = await blixard(["sim", "calm", "--seed", "1", "--nodes", "7", "--faults", at("faults.json")]);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: the fault schedule is for 3 hosts, not for 7 nodes\nhint: leave --nodes/);
  });

  test("interrupted, it prints what was done so far", async () => {
    const { code, out } = await blixard(short, AbortSignal.abort());
    expect(code).toBe(130);
    expect(out).toMatch(/result +interrupted at virtual time 0\.000 s/);
  });
});

describe("sim list", () => {
  test("names every scenario with what it is about", async () => {
    const { code, out } = await blixard(["sim", "list"]);
    expect(code).toBe(0);
    for (const name of ["calm", "byzantine", "swarm"])
      expect(out).toMatch(new RegExp(`^${name}: .*\\n  [A-Z].*\\.$`, "m"));
    expect(out).toMatch(/^calm: 5 nodes, 2 min 00 s of faults$/m);
    expect(out).toMatch(/^thousand-workers: 3 members and 1,000 hosts that run machines, /m);
    expect(out).toMatch(/^fleet-swarm: .* members and 1 to \d+ hosts that run machines, .* to .* of faults$/m);
  });

  test("--faults names every kind with its parameters and their limits", async () => {
    const { code, out } = await blixard(["sim", "list", "--faults"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^loss \(network\): .*\n {2}chance {2}0 to 1 {2}[a-z]/m);
    const { faults } = await json(["sim", "list", "--faults"]);
    expect(faults).toContainEqual(expect.objectContaining({ name: "crash", family: "process" }));
  });

  test("as JSON", async () => {
    const { scenarios } = await json(["sim", "list"]);
    expect(scenarios).toContainEqual({
      name: "calm",
      summary: expect.any(String),
      nodes: expect.any(Array),
      workers: 0,
      durationMs: expect.any(Number),
      variety: null,
      expectedToFail: null,
    });
    expect(scenarios).toContainEqual(
      expect.objectContaining({ name: "fleet-swarm", variety: expect.objectContaining({ fleet: expect.any(Object) }) }),
    );
  });
});

test("sim byzantine --verdicts prints the table and runs nothing", async () => {
  const { code, out } = await blixard(["sim", "byzantine", "--verdicts"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^two-votes: .*evicted, or .*\n {2}does +It grants /m);
  const { verdicts } = await json(["sim", "byzantine", "--verdicts"]);
  expect(verdicts).toContainEqual(expect.objectContaining({ act: "two-votes", outcomes: expect.any(Array) }));
});
