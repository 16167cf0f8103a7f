/** Memory over one virtual day of a calm cluster: it must stay flat. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Run } from "../runtime-sim/index.ts";
import { SCENARIOS } from "../scenarios/index.ts";

const DAY_MS = 24 * 3600 * 1000;
const SAMPLES = 8;

/** The collector without a command line flag, so that `npm run bench` needs none. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("this engine has no collector to call");
  return () => void collect();
}

export function memoryOverADay(): void {
  const collect = collector();
  const calm = SCENARIOS.find(({ name }) => name === "calm");
  if (calm === undefined) throw new Error("there is no scenario calm");
  const run = new Run(calm, { seed: 1, durationMs: DAY_MS });
  console.log("virtual hour   heap MiB   (calm, five nodes, all oracles)");
  const startedMs = performance.now();
  for (let sample = 1; sample <= SAMPLES; sample++) {
    while (run.progress < sample / SAMPLES && !run.advance(100_000));
    collect();
    const heapMiB = process.memoryUsage().heapUsed / 2 ** 20;
    console.log(`${(run.progress * 24).toFixed(1).padStart(12)}${heapMiB.toFixed(1).padStart(11)}`);
  }
  while (!run.advance(100_000));
  const report = run.report();
  const elapsedS = (performance.now() - startedMs) / 1000;
  console.log(
    `${report.ok ? "holds" : "VIOLATED"}; ${report.events.toLocaleString("en")} events, ` +
      `${Math.round(report.virtualMs / 1000 / elapsedS).toLocaleString("en")} virtual s per s\n`,
  );
}
