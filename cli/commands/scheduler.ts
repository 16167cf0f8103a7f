/** `blixard scheduler` and `blixard rebalance`: how VMs are placed, and moves that even out what came of it. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type * as Core from "../../core/index.ts";
import type { AnswerOf } from "../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../client/index.ts";
import { type CommandGroup, parseCount, type Session, UsageError, withExamples } from "../frame/index.ts";
import { fitTable, plural, table } from "../output/index.ts";

type Settings = AnswerOf<"scheduler.get">["scheduler"];
type Presets = typeof Core.OVERCOMMIT;

/** The core is loaded when its numbers are wanted: help is there at once. */
const loadPresets = async (): Promise<Presets> => (await import("../../core/index.ts")).OVERCOMMIT;

export const registerScheduler: CommandGroup = (program, session) => {
  const scheduler = withExamples(program.command("scheduler"), [
    "blixard scheduler show",
    "blixard scheduler set --strategy spread --overcommit moderate",
  ]).description("How the cluster chooses a worker for a VM.");
  registerShow(scheduler, session);
  registerSet(scheduler, session);
};

function registerShow(scheduler: Command, { terminal }: Session): void {
  withClientOptions(withExamples(scheduler.command("show"), ["blixard scheduler show"]))
    .description("The strategy and its settings.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("scheduler.get", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderScheduler(answer.scheduler, await loadPresets())) terminal.out(line);
    });
}

const STRATEGY_WORDS = {
  "most-available": "the worker with most room",
  "least-available": "the fullest worker that has room",
  "round-robin": "one worker after the other",
  locality: "the preferred zone, then the preferred datacenter",
  spread: "the failure domain with the fewest VMs",
  cost: "the cheapest worker that fits",
} as const satisfies Record<Settings["strategy"], string>;

export function renderScheduler(settings: Settings, presets: Presets): string[] {
  const { strategy, overcommit, preemption, spreadScope, minDomains, costIncreasePercentMax } = settings;
  const { cpu, memory, disk, reservePercent } = overcommit;
  const named = nameOf(overcommit, presets);
  return table("<<", [
    ["strategy", `${strategy}: ${STRATEGY_WORDS[strategy]}`],
    [
      "overcommit",
      `${named === null ? "" : `${named}: `}CPU × ${cpu}, memory × ${memory}, disk × ${disk}, less ${reservePercent} % for the host`,
    ],
    ["preemption", preemption ? "VMs of lower priority make room when nothing else fits" : "off"],
    [
      "spread",
      `over each ${spreadScope}, at least ${plural(minDomains, "domain")}${strategy === "spread" ? "" : " (with strategy spread)"}`,
    ],
    [
      "cost",
      `up to ${costIncreasePercentMax} % over the cheapest${strategy === "cost" ? "" : " (with strategy cost)"}`,
    ],
  ]);
}

function nameOf(overcommit: Settings["overcommit"], presets: Presets): string | null {
  const same = Object.entries(presets).find(
    ([, { cpu, memory, disk, reservePercent }]) =>
      cpu === overcommit.cpu &&
      memory === overcommit.memory &&
      disk === overcommit.disk &&
      reservePercent === overcommit.reservePercent,
  );
  return same?.[0] ?? null;
}

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

function registerSet(scheduler: Command, { terminal }: Session): void {
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
      const { scheduler: before } = await api.read("scheduler.get", {}, { timeoutMs });
      const settings = { ...before, ...others, overcommit: { ...before.overcommit, ...factors } };
      return { answer: await api.write("scheduler.configure", { scheduler: settings }, { timeoutMs }), settings };
    });
    if (options.json === true) terminal.out(JSON.stringify({ scheduler: settings, ...answer }));
    else {
      terminal.out(`VMs are placed by these settings from log index ${answer.index}, term ${answer.term}:`);
      for (const line of renderScheduler(settings, presets)) terminal.out(line);
    }
  });
}

/** In hundredths, as the cluster keeps it. */
function parseFactor(text: string): number {
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(text)) throw new InvalidArgumentError("Give a factor such as 1.5.");
  return Number(text);
}

// ---- Rebalance

type Plan = AnswerOf<"rebalance.plan">;

export const registerRebalance: CommandGroup = (program, { terminal }) => {
  withClientOptions(
    withExamples(program.command("rebalance"), ["blixard rebalance", "blixard rebalance --moves 3 --apply"])
      .description(
        "Show moves that would even out how full the workers are; with --apply, make them. Each moved VM stops and starts again. Not more often than every ten minutes.",
      )
      .option("--moves <n>", "at most so many", parseCount, 10)
      .option("--apply", "make the moves"),
  ).action(async (options: ClientOptions & { readonly moves: number; readonly apply?: true }) => {
    const { moves: movesMax, timeout: timeoutMs } = options;
    await withNode(options, async (api) => {
      const plan = await api.read("rebalance.plan", { movesMax }, { timeoutMs });
      const moves = plan.moves.map(({ name, epoch, to }) => ({ name, epoch, to }));
      const isApplied = options.apply === true && moves.length > 0;
      const applied = isApplied ? await api.write("rebalance.apply", { moves }, { timeoutMs }) : null;
      if (options.json === true) {
        const { index: planIndex, ...rest } = plan;
        terminal.out(JSON.stringify({ planIndex, ...rest, ...(applied ?? NOT_APPLIED) }));
        return;
      }
      for (const line of renderRebalance(plan, terminal.columns)) terminal.out(line);
      if (applied !== null) terminal.out(`${movedWords(applied)}: log index ${applied.index}, term ${applied.term}`);
      else if (moves.length > 0) terminal.err("nothing is moved yet: --apply makes these moves");
    });
  });
};

const NOT_APPLIED = { index: null, term: null, moved: null, refused: null };

export function movedWords({ moved, refused }: Pick<AnswerOf<"rebalance.apply">, "moved" | "refused">): string {
  if (moved === null || refused === null || refused === 0) return "these moves are under way";
  return `${plural(moved, "move")} under way, ${refused} could not be made any more: a VM has changed, or has no room where it should go`;
}

export function renderRebalance({ before, after, moves }: Plan, columns: number): string[] {
  if (moves.length === 0) return [`imbalance ${percent(before)}: no move of a running VM would make it clearly better`];
  const rows = moves.map(({ name, from, to, gain }) => [name, `${from}`, `${to}`, percent(gain)]);
  return [
    `imbalance ${percent(before)}, ${percent(after)} after ${plural(moves.length, "move")}`,
    "",
    ...fitTable("<>>>", [["VM", "FROM", "TO", "GAIN"], ...rows], columns),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
