/** The settings in words, and the named factors of overcommitment. */
import type * as Core from "../../../core/domain/index.ts";
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { plural, table } from "../../output/index.ts";

export type Settings = AnswerOf<"scheduler.get">["scheduler"];

export type Presets = typeof Core.OVERCOMMIT;

/** Loads the core only when its presets are needed, so that help stays fast. */
export const loadPresets = async (): Promise<Presets> => (await import("../../../core/domain/index.ts")).OVERCOMMIT;

export const STRATEGY_WORDS = {
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
