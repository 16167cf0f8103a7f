import { type Command, InvalidArgumentError, Option } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { parseCount, type Session, UsageError, withExamples } from "../../frame/index.ts";
import { loadPresets, type Presets, renderScheduler, type Settings, STRATEGY_WORDS } from "./settings.ts";

const PRESET_NAMES = ["conservative", "moderate", "aggressive"] as const satisfies readonly (keyof Presets)[];

interface SetOptions extends ClientOptions {
  readonly strategy?: Settings["strategy"];
  readonly overcommit?: keyof Presets;
  readonly cpu?: number;
  readonly memory?: number;
  readonly disk?: number;
  readonly reserve?: number;
  readonly preemption?: "on" | "off";
  readonly spreadScope?: Settings["spreadScope"];
  readonly minDomains?: number;
  readonly costIncrease?: number;
}

export function registerSet(scheduler: Command, { terminal }: Session): void {
  withClientOptions(
    withExamples(scheduler.command("set"), [
      "blixard scheduler set --strategy spread --spread-scope rack --min-domains 3",
      "blixard scheduler set --overcommit moderate",
    ])
      .description("Change how VMs are placed from now on; what is not given stays, and what is placed.")
      .addOption(new Option("--strategy <name>", "which worker is best").choices(Object.keys(STRATEGY_WORDS)))
      .addOption(
        new Option("--overcommit <name>", "how much more than it has a worker may promise").choices(PRESET_NAMES),
      )
      .option("--cpu <factor>", "of CPUs alone, 1 to 10", parseFactor)
      .option("--memory <factor>", "of memory alone, 1 to 10", parseFactor)
      .option("--disk <factor>", "of disk alone, 1 to 10", parseFactor)
      .option("--reserve <percent>", "kept for the host itself, 0 to 90", parseCount)
      .addOption(new Option("--preemption <switch>", "whether VMs of lower priority make room").choices(["on", "off"]))
      .addOption(
        new Option("--spread-scope <scope>", "what strategy spread spreads over").choices([
          "node",
          "rack",
          "zone",
          "datacenter",
        ]),
      )
      .option("--min-domains <n>", "how many of these there must be at least", parseCount)
      .option("--cost-increase <percent>", "how much dearer than the cheapest strategy cost may choose", parseCount),
  ).action(async (options: SetOptions) => {
    const { timeout: timeoutMs } = options;
    const presets = await loadPresets();
    const factors = {
      ...(options.overcommit === undefined ? {} : presets[options.overcommit]),
      ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.disk === undefined ? {} : { disk: options.disk }),
      ...(options.reserve === undefined ? {} : { reservePercent: options.reserve }),
    };
    const others = {
      ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
      ...(options.preemption === undefined ? {} : { preemption: options.preemption === "on" }),
      ...(options.spreadScope === undefined ? {} : { spreadScope: options.spreadScope }),
      ...(options.minDomains === undefined ? {} : { minDomains: options.minDomains }),
      ...(options.costIncrease === undefined ? {} : { costIncreasePercentMax: options.costIncrease }),
    };
    if (Object.keys(factors).length + Object.keys(others).length === 0)
      throw new UsageError("there is nothing to set", "give a setting such as --strategy spread");
    const { answer, settings } = await withNode(options, async (api) => {
      const { scheduler: before, generation } = await api.read("scheduler.get", {}, { timeoutMs });
      const settings = { ...before, ...others, overcommit: { ...before.overcommit, ...factors } };
      // What is not given stays as it was read: a change by somebody else in between is refused, not reset.
      const request = { scheduler: settings, expectedGeneration: generation };
      return { answer: await api.write("scheduler.configure", request, { timeoutMs }), settings };
    });
    if (options.json === true) terminal.out(JSON.stringify({ scheduler: settings, ...answer }));
    else {
      terminal.out(`VMs are placed by these settings from log index ${answer.index}, term ${answer.term}:`);
      for (const line of renderScheduler(settings, presets)) terminal.out(line);
    }
  });
}

/** A factor with at most two decimal places: the cluster stores hundredths. */
function parseFactor(text: string): number {
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(text)) throw new InvalidArgumentError("Give a factor such as 1.5.");
  return Number(text);
}
