/**
 * Checks determinism: processes that share nothing but the code run the same seeds and must produce the same trace
 * hashes.
 *
 *     node scripts/determinism.ts [--seeds 1..2] [--duration 60s] [--node PATH]...
 *
 * Each process runs every scenario for every seed. The second has another time zone, language and heap limit, and takes
 * the scenarios in the opposite order; each `--node` adds one on another Node. Where two differ, both are run again
 * with traces, and the first event that differs is printed.
 *
 * It does not check whether the runs hold: `sim` and `sim sweep` do.
 */
import { parseArgs } from "node:util";
import { differingRuns, firstDifference, hashesOf, type Setting, scenarioNames, usual } from "./trace-hashes.ts";

const unusual: Setting = {
  ...usual,
  name: "another time zone, language, heap and order",
  nodeArguments: ["--max-old-space-size=320", "--max-semi-space-size=2"],
  environment: { TZ: "Asia/Kathmandu", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
  reversed: true,
};

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1..2" },
    duration: { type: "string" },
    node: { type: "string", multiple: true, default: [] },
  },
});
const durations = values.duration === undefined ? [] : ["--duration", values.duration];
const settings = [unusual, ...values.node.map((node) => ({ ...usual, name: node, node }))];

const scenarios = await scenarioNames(usual);
const options = ["--seeds", values.seeds, ...durations];
const expected = await hashesOf(usual, scenarios, options);
if (expected.size === 0) throw new Error("there was nothing to compare");
for (const setting of settings) {
  const differing = differingRuns(expected, await hashesOf(setting, scenarios, options));
  console.log(`${setting.name}: ${expected.size - differing.length} of ${expected.size} runs the same`);
  for (const name of differing) console.log(`  differs: ${name}`);
  const [first] = differing;
  if (first === undefined) continue;
  process.exitCode = 1;
  for (const line of await firstDifference([usual, setting], first, durations)) console.log(line);
}
