/**
 * Trace hashes of runs in processes of their own, and the first event in which two such processes differ. Shared by
 * `determinism.ts`, which compares settings of one checkout, and `same-runs.ts`, which compares two checkouts.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One way of starting the process. */
export interface Setting {
  readonly name: string;
  readonly node: string;
  readonly nodeArguments: readonly string[];
  /** Root of the checkout that runs. */
  readonly checkout: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Takes the scenarios in the opposite order. */
  readonly reversed: boolean;
}

export const thisCheckout = dirname(dirname(fileURLToPath(import.meta.url)));

export const usual: Setting = {
  name: "the usual settings",
  node: process.execPath,
  nodeArguments: [],
  checkout: thisCheckout,
  environment: { TZ: "UTC", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" },
  reversed: false,
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

/** The output of `blixard sim`. @throws on an exit code other than 0 and 1: 1 means that an oracle fired. */
async function sim(setting: Setting, args: readonly string[]): Promise<string> {
  const { node, nodeArguments, checkout, environment } = setting;
  const child = spawn(node, [...nodeArguments, join(checkout, "cli", "blixard.js"), "sim", ...args], {
    env: { ...process.env, NODE_OPTIONS: "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  const [stdout, stderr, status] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended]);
  if (status !== 0 && status !== 1)
    throw new Error(`sim ${args.join(" ")}, with ${setting.name}, ended with ${status}:\n${stderr}`);
  return stdout;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`not an object: ${text.slice(0, 100)}`);
  return { ...value };
}

export async function scenarioNames(setting: Setting): Promise<string[]> {
  const { scenarios } = parsed(await sim(setting, ["list", "--json"]));
  if (!Array.isArray(scenarios)) throw new Error("sim list --json lists no scenarios");
  return scenarios.map(({ name }: { readonly name: string }) => name);
}

/** @param options of `sim sweep`, such as `--seeds` and `--duration`. */
export async function hashesOf(
  setting: Setting,
  scenarios: readonly string[],
  options: readonly string[],
): Promise<Hashes> {
  const order = setting.reversed ? scenarios.toReversed() : scenarios;
  const lines = (await sim(setting, ["sweep", ...order, "--jobs", "1", "--json", ...options])).trimEnd().split("\n");
  return new Map(
    lines
      .map(parsed)
      .map(({ scenario, seed, traceHash }) => [`${String(scenario)} ${String(seed)}`, String(traceHash)]),
  );
}

/** In words: the first event in which `run` ("scenario seed") differs between two settings. */
export async function firstDifference(
  settings: readonly [Setting, Setting],
  run: string,
  durations: readonly string[],
): Promise<string[]> {
  const [scenario = "", seed = ""] = run.split(" ");
  const folder = mkdtempSync(join(tmpdir(), "blixard-hashes-"));
  try {
    const [leftTrace, rightTrace] = [join(folder, "left.jsonl"), join(folder, "right.jsonl")] as const;
    const traced = (setting: Setting, trace: string): Promise<string> =>
      sim(setting, [scenario, "--seed", seed, ...durations, "--json", "--trace", trace]);
    await Promise.all([traced(settings[0], leftTrace), traced(settings[1], rightTrace)]);
    const difference = await firstDifferentLine(leftTrace, rightTrace);
    if (difference === null)
      return ["  their traces are the same: only the hash differs, or something outlives the run before it"];
    return [
      `  the first event that differs is number ${difference.line}:`,
      `    ${settings[0].name}: ${difference.left ?? "none: the run is over"}`,
      `    ${settings[1].name}: ${difference.right ?? "none: the run is over"}`,
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
