/** Who lies in a run, how, and when: data, drawn from the seed with the faults and saved with them. */
import { drawRange, type Range, type Stream } from "../random/index.ts";
import type { HostNumber } from "../world/index.ts";
import { ACT_NAMES, type ActName } from "./verdicts.ts";

export interface PlannedLiar {
  /**
   * A first member, numbered from 1. It runs the real core; from `fromMs` to `untilMs` it changes what that core
   * sends.
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
}

export const ANY_LIAR: LiarShape = { acts: ACT_NAMES, chance: [0.05, 0.5] };

/** Lies begin early and go on for most of the time that faults happen. */
export function drawLiar(shape: LiarShape, nodes: number, durationMs: number, rng: Stream): PlannedLiar {
  const act = rng.pick(shape.acts);
  const fromMs = Math.floor(durationMs * 0.02 * (1 + 9 * rng.nextUnit()));
  return {
    host: rng.integer(1, nodes),
    act,
    fromMs,
    untilMs: Math.floor(fromMs + (durationMs - fromMs) * (0.5 + 0.5 * rng.nextUnit())),
    chance: drawRange(shape.chance, rng, false),
    // A minority, so that the others still decide among themselves.
    audience: rng.integer(1, Math.max(1, Math.floor((nodes - 1) / 2))),
  };
}
