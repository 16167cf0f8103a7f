/**
 * The gate of determinism: the same seeds in processes that have nothing in common but the code, and the same trace hashes out of each.
 *
 *     node scripts/determinism.ts [--seeds 1..2] [--duration 60s] [--node PATH]...
 *
 * Each process runs every scenario for every seed. The second has another time zone, language and heap limit, and takes the scenarios in the
 * opposite order; each `--node` adds one on another Node. Where two differ, both are run again with traces, and the first event that
 * is not the same is printed.
 *
 * It does not look at whether the runs hold: that is for `sim` and `sim sweep`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const command = join(dirname(dirname(fileURLToPath(import.meta.url))), "cli", "blixard.js");
const OUTPUT_MAX_BYTES = 1024 * 1024 * 1024;

/** One way of starting the process. */
interface Setting {
  readonly name: string;
  readonly node: string;
  readonly nodeArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly reversed: boolean;
}

const usual: Setting = {
  name: "the usual settings",
  node: process.execPath,
  nodeArguments: [],
  environment: { TZ: "UTC", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" },
  reversed: false,
};

const unusual: Setting = {
  name: "another time zone, language, heap and order",
  node: process.execPath,
  nodeArguments: ["--max-old-space-size=320", "--max-semi-space-size=2"],
  environment: { TZ: "Asia/Kathmandu", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
  reversed: true,
};

/** "scenario seed" to trace hash. */
export type Hashes = ReadonlyMap<string, string>;

/** The runs whose hashes differ, or that only one side has. */
export function differingRuns(left: Hashes, right: Hashes): string[] {
  const runs = new Set([...left.keys(), ...right.keys()]);
  return [...runs].filter((run) => left.get(run) !== right.get(run));
}

/** The first line in which two files differ, from 1; null when they are equal. A side that has ended is null. */
export async function firstDifferentLine(
  leftPath: string,
  rightPath: string,
): Promise<{ readonly line: number; readonly left: string | null; readonly right: string | null } | null> {
  await using leftFile = await open(leftPath);
  await using rightFile = await open(rightPath);
  const rightLines = rightFile.readLines()[Symbol.asyncIterator]();
  let line = 0;
  for await (const left of leftFile.readLines()) {
    line += 1;
    const next = await rightLines.next();
    const right = next.done === true ? null : next.value;
    if (left !== right) return { line, left, right };
  }
  const next = await rightLines.next();
  return next.done === true ? null : { line: line + 1, left: null, right: next.value };
}

function run(setting: Setting, args: readonly string[]): string {
  const { node, nodeArguments, environment } = setting;
  const { status, signal, stdout, stderr, error } = spawnSync(node, [...nodeArguments, command, "sim", ...args], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", ...environment },
    maxBuffer: OUTPUT_MAX_BYTES,
  });
  if (error !== undefined) throw error;
  // 1 means that an oracle fired, which is no matter of this gate.
  if (status !== 0 && status !== 1) {
    throw new Error(`sim ${args.join(" ")}, with ${setting.name}, ended with ${status ?? signal}:\n${stderr}`);
  }
  return stdout;
}

function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`not an object: ${text.slice(0, 100)}`);
  return { ...value };
}

function scenarioNames(): string[] {
  const { scenarios } = parsed(run(usual, ["list", "--json"]));
  if (!Array.isArray(scenarios)) throw new Error("sim list --json lists no scenarios");
  return scenarios.map(({ name }: { readonly name: string }) => name);
}

function hashesOf(setting: Setting, scenarios: readonly string[], options: readonly string[]): Hashes {
  const order = setting.reversed ? scenarios.toReversed() : scenarios;
  const lines = run(setting, ["sweep", ...order, "--jobs", "1", "--json", ...options])
    .trimEnd()
    .split("\n");
  return new Map(
    lines
      .map(parsed)
      .map(({ scenario, seed, traceHash }) => [`${String(scenario)} ${String(seed)}`, String(traceHash)]),
  );
}

async function explain(
  settings: readonly [Setting, Setting],
  name: string,
  durations: readonly string[],
): Promise<string[]> {
  const [scenario = "", seed = ""] = name.split(" ");
  const folder = mkdtempSync(join(tmpdir(), "blixard-determinism-"));
  try {
    const [leftTrace, rightTrace] = [join(folder, "left.jsonl"), join(folder, "right.jsonl")] as const;
    const traced = (setting: Setting, trace: string): string =>
      run(setting, [scenario, "--seed", seed, ...durations, "--json", "--trace", trace]);
    traced(settings[0], leftTrace);
    traced(settings[1], rightTrace);
    const difference = await firstDifferentLine(leftTrace, rightTrace);
    if (difference === null) return ["  alone in its process it is the same: something outlives a run before it"];
    return [
      `  the first event that differs is number ${difference.line}:`,
      `    ${settings[0].name}: ${difference.left ?? "none: the run is over"}`,
      `    ${settings[1].name}: ${difference.right ?? "none: the run is over"}`,
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1..2" },
      duration: { type: "string" },
      node: { type: "string", multiple: true, default: [] },
    },
  });
  const durations = values.duration === undefined ? [] : ["--duration", values.duration];
  const settings = [unusual, ...values.node.map((node) => ({ ...usual, name: node, node }))];

  const scenarios = scenarioNames();
  const options = ["--seeds", values.seeds, ...durations];
  const expected = hashesOf(usual, scenarios, options);
  let differences = 0;
  for (const setting of settings) {
    const differing = differingRuns(expected, hashesOf(setting, scenarios, options));
    console.log(`${setting.name}: ${expected.size - differing.length} of ${expected.size} runs the same`);
    differences += differing.length;
    const [first] = differing;
    for (const name of differing) console.log(`  differs: ${name}`);
    if (first === undefined) continue;
    for (const line of await explain([usual, setting], first, durations)) console.log(line);
  }
  if (expected.size === 0) throw new Error("there was nothing to compare");
  return differences === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
