/** Whole simulated runs, with oracles on and off in turn, compared with the bare loop. */
import { Run, type Scenario } from "../runtime-sim/index.ts";
import { SCENARIOS } from "../scenarios/index.ts";
import { median, perSecond } from "./figures.ts";
import { bareLoop } from "./loop.ts";

interface Figures {
  readonly events: number;
  readonly virtualSeconds: number;
}

const WARM_UP_SEEDS = 20;
const SEEDS = 24;

function named(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return found;
}

function measure(scenario: Scenario, seed: number, oracles: boolean): Figures {
  const run = new Run(scenario, { seed, oracles });
  const startedMs = performance.now();
  while (!run.advance(1_000_000));
  const elapsedMs = performance.now() - startedMs;
  const report = run.report();
  return { events: perSecond(report.events, elapsedMs), virtualSeconds: report.virtualMs / elapsedMs };
}

export function runs(): void {
  const calm = named("calm");
  const loaded: Scenario = {
    ...calm,
    name: "loaded",
    workload: {
      ...calm.workload,
      clients: [16, 16],
      keys: 64,
      arrivalsPerSecond: [320, 320],
      widthMax: 1,
    },
  };
  const ceiling = bareLoop();
  console.log("run         oracles   events/s    of the bare loop   virtual s per s");
  for (const scenario of [calm, loaded, named("byzantine"), named("swarm")]) {
    for (let seed = 1; seed <= WARM_UP_SEEDS; seed++) measure(scenario, seed, seed % 2 === 0);
    const on: Figures[] = [];
    const off: Figures[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      on.push(measure(scenario, seed, true));
      off.push(measure(scenario, seed, false));
    }
    for (const [label, figures] of [["on", on] as const, ["off", off] as const]) {
      const events = median(figures.map((figure) => figure.events));
      const virtualSeconds = median(figures.map((figure) => figure.virtualSeconds));
      console.log(
        `${scenario.name.padEnd(12)}${label.padEnd(8)}${Math.round(events).toLocaleString("en").padStart(10)}` +
          `${(events / ceiling).toFixed(3).padStart(20)}${Math.round(virtualSeconds).toLocaleString("en").padStart(18)}`,
      );
    }
  }
  console.log("");
}
