import { describe, expect, test } from "vitest";
import { FAULTS } from "../faults/index.ts";
import { drawSchedule } from "./draw.ts";
import { FaultScheduleError, parseFaultSchedule } from "./parse-schedule.ts";
import { scenario } from "./scenario.ts";

const everything = scenario({
  name: "everything",
  summary: "One of each. For tests.",
  nodes: [5],
  spares: 1,
  network: {
    lossChance: [0, 0.1],
    duplicateChance: [0, 0.1],
    delayMinMs: [0, 1],
    delayMeanMs: [0, 1],
    tailChance: [0, 0.1],
    tailFactor: [1, 2],
    oddLinks: [2, 4],
  },
  faults: FAULTS.map(({ name }) => ({
    kind: name,
    everyMs: [10_000, 20_000],
    targets: ["any", "all", "leader", "worker"],
  })),
});

function drawn(seed: number): ReturnType<typeof drawSchedule> {
  return drawSchedule(everything, { seed, nodes: null, durationMs: null });
}

/** The schedule as JSON, with one field replaced. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const json: unknown = JSON.parse(JSON.stringify(drawn(1)));
  let at = json;
  for (const step of path.slice(0, -1)) at = Reflect.get(Object(at), step);
  const last = path.at(-1);
  if (last !== undefined && value === undefined) Reflect.deleteProperty(Object(at), last);
  else if (last !== undefined) Reflect.set(Object(at), last, value);
  return json;
}

function errorOf(json: unknown): FaultScheduleError {
  try {
    parseFaultSchedule(json);
  } catch (error) {
    if (error instanceof FaultScheduleError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("a fault schedule", () => {
  test.each([1, 2, 3, 4, 5])("drawn from seed %d comes back from JSON as it was", (seed) => {
    const schedule = drawn(seed);
    expect(schedule.faults.length).toBeGreaterThan(50);
    expect(parseFaultSchedule(JSON.parse(JSON.stringify(schedule)))).toEqual(schedule);
  });

  test("has faults in order of time, each with an id of its own", () => {
    const { faults } = drawn(7);
    expect(new Set(faults.map(({ id }) => id)).size).toBe(faults.length);
    expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).sort((a, b) => a - b));
  });

  test("one kind of fault less leaves all others as they were", () => {
    const without = { ...everything, faults: everything.faults.filter(({ kind }) => kind !== "swizzle-clog") };
    const all = drawn(3).faults.filter(({ kind }) => kind === "loss");
    const fewer = drawSchedule(without, { seed: 3, nodes: null, durationMs: null }).faults.filter(
      ({ kind }) => kind === "loss",
    );
    expect(fewer).toEqual(all);
  });

  test("a mix may have several durations to pick from", () => {
    const kind = "pause";
    const durationsMs = [
      [10, 20],
      [1000, 1010],
    ] as const;
    const mixed = { ...everything, faults: [{ kind, everyMs: [500, 500], durationsMs }] } as const;
    const { faults } = drawSchedule(mixed, { seed: 3, nodes: null, durationMs: null });
    const short = faults.filter(({ durationMs }) => durationMs >= 10 && durationMs <= 20).length;
    const long = faults.filter(({ durationMs }) => durationMs >= 1000 && durationMs <= 1010).length;
    expect(short + long).toBe(faults.length);
    expect(Math.min(short, long)).toBeGreaterThan(faults.length / 4);
  });

  test.each([
    [["version"], 2, "version"],
    [["seed"], 1.5, "seed"],
    [["seed"], undefined, "seed"],
    [["nodes"], 0, "nodes"],
    [["nodes"], 8, "nodes"],
    [["durationMs"], -1, "durationMs"],
    [["surprise"], 1, "surprise"],
    [["base", "byteLinksOneIn"], -1, "base.byteLinksOneIn"],
    [["base", "network", "lossChance"], 1.01, "base.network.lossChance"],
    [["base", "network", "capacityBytesPerSecond"], "fast", "base.network.capacityBytesPerSecond"],
    [["base", "clocks"], [], "base.clocks"],
    [["base", "clocks", 2, "rate"], 0, "base.clocks[2].rate"],
    [["base", "disk", "syncMinMs"], Number.NaN, "base.disk.syncMinMs"],
    [["base", "links", 0, "from"], 99, "base.links[0].from"],
    [["faults"], {}, "faults"],
    [["faults", 0, "kind"], "gremlin", "faults[0].kind"],
    [["faults", 0, "atMs"], -1, "faults[0].atMs"],
    [["faults", 0, "target"], "nobody", "faults[0].target"],
    [["faults", 0, "target"], [], "faults[0].target"],
    [["faults", 0, "target"], [7], "faults[0].target[0]"],
    [["faults", 0, "parameters"], null, "faults[0].parameters"],
    [["faults", 0, "parameters", "extra"], 1, "faults[0].parameters.extra"],
  ])("%j = %j is refused by name", (path, value, field) => {
    const error = errorOf(changed(path, value));
    expect(error.field).toBe(field);
    expect(error.message).toContain(field);
    expect(error.message).toContain(error.limit);
  });

  test("two faults with one id are refused", () => {
    const { faults } = drawn(1);
    const error = errorOf(changed(["faults", 1, "id"], faults[0]?.id));
    expect(error.field).toBe("faults[1].id");
  });

  test.each([null, 3, "schedule", []])("%j is none", (json) => {
    expect(errorOf(json).message).toContain("the fault schedule must be an object");
  });

  test("a parameter beyond its limit is refused", () => {
    const json = changed(
      ["faults"],
      [{ id: 0, atMs: 0, kind: "loss", durationMs: 1, target: "all", parameters: { chance: 1.5 } }],
    );
    const error = errorOf(json);
    expect(error.field).toBe("faults[0].parameters.chance");
    expect(error.limit).toBe("a number from 0 to 1");
  });
});
