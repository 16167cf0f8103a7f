/**
 * Plants known bugs, one at a time, in a copy of the sources, and counts the seeds that a sweep needs to find each:
 * this shows that the oracles find bugs. A violation that the same seed shows without the bug does not count.
 * Some bugs are real ones of other systems, others were made up; production code has no switch for any of them.
 *
 * A plant may name several scenarios; each is swept until one finds it. One that is argued to be masked must not be
 * found.
 *
 *     npm run plants                 all of them, at most 200 seeds of each scenario
 *     npm run plants -- NAME ...     only these
 *     --seeds N                      fewer or more seeds of each scenario than 200
 *     --jobs N                       runs at once; unless given, as many as there are processors
 */
import { spawn, spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PLANTS, type Plant } from "./planted-bugs.ts";

const { values: options, positionals: wanted } = parseArgs({
  options: { jobs: { type: "string" }, seeds: { type: "string", default: "200" } },
  allowPositionals: true,
});
const SEEDS = Number(options.seeds);
if (!Number.isSafeInteger(SEEDS) || SEEDS < 1) {
  console.error("error: --seeds must be a whole number, such as 200");
  process.exit(2);
}
const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function plantIn(folder: string, plant: Plant): Promise<void> {
  for (const part of ["core", "runtime-sim", "runtime-real", "scenarios", "cli", "package.json"]) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const file = join(folder, plant.file);
  let planted = await readFile(file, "utf8");
  for (const { find, replace } of plant.edits) {
    if (planted.split(find).length !== 2) throw new Error(`${plant.name}: "${find}" is not once in ${plant.file}`);
    planted = planted.replace(find, () => replace);
  }
  await writeFile(file, planted);
}

interface Found {
  readonly scenario: string;
  readonly seeds: number;
  readonly seed: number;
  readonly oracle: string;
  readonly message: string;
}

/** Whether the seed holds in the sources as they are. */
function holdsWithout(scenario: string, seed: number): boolean {
  const args = ["cli/blixard.js", "sim", scenario, "--seed", String(seed), "--json"];
  return spawnSync(process.execPath, args, { cwd: root, stdio: "ignore" }).status === 0;
}

/** Runs the sweep of the copy and stops it at the first seed that fails because of the bug. */
async function sweep(folder: string, scenario: string): Promise<Found | null> {
  const args = ["cli/blixard.js", "sim", "sweep", scenario, "--seeds", `1..${SEEDS}`, "--json"];
  if (options.jobs !== undefined) args.push("--jobs", options.jobs);
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  let seeds = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const report: unknown = JSON.parse(line);
    if (typeof report !== "object" || report === null || !("ok" in report) || !("violations" in report)) continue;
    seeds++;
    if (report.ok === true) continue;
    const seed = "seed" in report ? Number(report.seed) : 0;
    if (!holdsWithout(scenario, seed)) {
      console.error(`${scenario} seed ${seed} fails without a bug planted too`);
      continue;
    }
    child.kill();
    const [first]: readonly unknown[] = Array.isArray(report.violations) ? report.violations : [];
    const violation = typeof first === "object" && first !== null ? first : {};
    return {
      scenario,
      seeds,
      seed,
      oracle: "oracle" in violation ? String(violation.oracle) : "?",
      message: "message" in violation ? String(violation.message) : JSON.stringify(report),
    };
  }
  if (seeds < SEEDS)
    throw new Error(`only ${seeds} of ${SEEDS} seeds of ${scenario} were run: does the planted code start?`);
  return null;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

/** Of the first scenario whose sweep finds it. */
async function search(folder: string, { scenario }: Plant): Promise<Found | null> {
  for (const name of typeof scenario === "string" ? [scenario] : scenario) {
    const found = await sweep(folder, name);
    if (found !== null) return found;
  }
  return null;
}

function outcome({ masked }: Plant, found: Found | null): string {
  if (found === null) return masked === undefined ? `NOT FOUND in ${SEEDS} seeds` : "not found, as argued";
  const { scenario, seeds, seed, oracle, message } = found;
  const what = `${scenario.padEnd(22)} ${seeds} seeds (${seed}), ${oracle}: ${firstLine(message)}`;
  return masked === undefined ? what : `FOUND, although it is said to be masked: ${what}`;
}

const unknown = wanted.filter((name) => !PLANTS.some((plant) => plant.name === name));
if (unknown.length > 0) {
  console.error(`no such plant: ${unknown.join(", ")}; there are ${PLANTS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
let wrong = 0;
for (const plant of PLANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const folder = await mkdtemp(join(tmpdir(), "blixard-plant-"));
  try {
    await plantIn(folder, plant);
    const found = await search(folder, plant);
    if ((found === null) === (plant.masked === undefined)) wrong++;
    console.log(`${plant.name.padEnd(34)} ${outcome(plant, found)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
process.exitCode = wrong === 0 ? 0 : 1;
