/** Who lies in a run, how, and when: data, drawn from the seed with the faults and saved with them. */
import { drawRange, type Range, type Stream } from "../random/index.ts";
import type { HostNumber } from "../world/index.ts";
import { type ActName, actsTo } from "./verdicts.ts";

export interface PlannedLiar {
  /**
   * A host, numbered from 1. The first member that ever lives there runs the real core; from `fromMs` to `untilMs` it
   * changes what that core sends. One on a spare host begins when it joins.
   */
  readonly host: HostNumber;
  readonly act: ActName;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Probability, in [0, 1], that it lies when it could. */
  readonly chance: number;
  /** At most so many members get a false message, for acts that choose their receivers. */
  readonly audience: number;
}

/** What may be drawn from the seed. */
export interface LiarShape {
  readonly acts: readonly ActName[];
  readonly chance: Range;
  /** Share of seeds in which the liar is none of the first members, but joins later. None where it is left out. */
  readonly joins?: number;
}

export const ANY_LIAR: LiarShape = { acts: actsTo("members"), chance: [0.05, 0.5] };

/**
 * Lies begin early and go on for most of the time that faults happen. The first members live on the first hosts,
 * `nodes` of them; `spares` hosts follow, where members may join.
 */
export function drawLiar(
  shape: LiarShape,
  { nodes, spares, durationMs }: { readonly nodes: number; readonly spares: number; readonly durationMs: number },
  rng: Stream,
): PlannedLiar {
  const act = rng.pick(shape.acts);
  const fromMs = Math.floor(durationMs * 0.02 * (1 + 9 * rng.nextUnit()));
  const plan = {
    host: rng.integer(1, nodes),
    act,
    fromMs,
    untilMs: Math.floor(fromMs + (durationMs - fromMs) * (0.5 + 0.5 * rng.nextUnit())),
    chance: drawRange(shape.chance, rng, false),
    // A minority, so that the others still decide among themselves.
    audience: rng.integer(1, Math.max(1, Math.floor((nodes - 1) / 2))),
  };
  // Drawn last, and only where it is asked for: all else stays the same.
  if (shape.joins === undefined || spares === 0 || !rng.chance(shape.joins)) return plan;
  return { ...plan, host: nodes + rng.integer(1, spares) };
}
