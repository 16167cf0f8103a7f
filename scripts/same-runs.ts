/**
 * Whether a change left every run as it was: compares the trace hashes of this checkout with those of another, for the
 * same scenarios and seeds.
 *
 *     node scripts/same-runs.ts CHECKOUT [--seeds 1..20] [--duration 60s] [--scenario NAME]...
 *
 * CHECKOUT is a directory with another version of the project and its dependencies installed (`git worktree add`, then
 * `npm install` there). A refactoring changes no hash. Where one differs, both checkouts run that seed again with
 * traces, and the first event that differs is printed for one seed of each scenario. Exit code 1 when any run differs,
 * or when one side lacks a scenario.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { differingRuns, firstDifference, hashesOf, scenarioNames, usual } from "./trace-hashes.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "1..20" },
    duration: { type: "string" },
    scenario: { type: "string", multiple: true, default: [] },
  },
});
const [checkout] = positionals;
if (checkout === undefined || positionals.length > 1)
  throw new Error("say which checkout to compare with: node scripts/same-runs.ts ../before");

const here = { ...usual, name: "here" };
const there = { ...usual, name: "there", checkout: resolve(checkout) };
const durations = values.duration === undefined ? [] : ["--duration", values.duration];
const options = ["--seeds", values.seeds, ...durations];

const [ours, theirs] = await Promise.all([scenarioNames(here), scenarioNames(there)]);
const asked = values.scenario.length === 0 ? ours : values.scenario;
const onlyOneHas =
  values.scenario.length === 0
    ? [...ours, ...theirs].filter((name) => !(ours.includes(name) && theirs.includes(name)))
    : [];
for (const name of onlyOneHas) console.log(`${name}: only one checkout has it`);

let compared = 0;
let same = 0;
for (const scenario of asked) {
  if (onlyOneHas.includes(scenario)) continue;
  const [left, right] = await Promise.all([here, there].map((setting) => hashesOf(setting, [scenario], options)));
  if (left === undefined || right === undefined) throw new Error("two checkouts were compared");
  const differing = differingRuns(left, right);
  compared += left.size;
  same += left.size - differing.length;
  const seeds = differing.map((run) => run.split(" ")[1]);
  console.log(`${scenario}: ${differing.length === 0 ? "the same" : `differs with seed ${seeds.join(", ")}`}`);
  const [first] = differing;
  if (first !== undefined) for (const line of await firstDifference([here, there], first, durations)) console.log(line);
}
console.log(`${same} of ${compared} runs the same`);
if (same !== compared || onlyOneHas.length > 0 || compared === 0) process.exitCode = 1;
