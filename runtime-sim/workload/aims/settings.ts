/** Settings of the scheduler, and the stream of events. */
import { DEFAULT_SCHEDULER, type SchedulerSettings, STRATEGIES } from "../../../core/index.ts";
import type { Stream } from "../../random/index.ts";
import { type Aim, read, write } from "./aim.ts";

function otherSettings(rng: Stream): SchedulerSettings {
  return { ...DEFAULT_SCHEDULER, strategy: rng.pick(STRATEGIES), minDomains: rng.integer(1, 100) };
}

export const settingsAims: readonly Aim[] = [
  read(2, () => ({ kind: "getScheduler" })),
  write("ok", 2, ({ rng, belief }) => ({
    kind: "configureScheduler",
    settings: otherSettings(rng),
    expectedGeneration: rng.chance(0.5) ? belief.schedulerGeneration : null,
  })),
  // Somebody who has read them before others have changed them, or what nobody has written yet.
  write("generationMismatch", 1, ({ rng, belief: { schedulerGeneration: known } }) => ({
    kind: "configureScheduler",
    settings: otherSettings(rng),
    expectedGeneration: known > 1 && rng.chance(0.7) ? rng.integer(1, known - 1) : known + 1,
  })),
  // Somebody who follows, who comes late, who has lost his place, and who is ahead of the node that he asks.
  read(8, ({ rng, belief }) => ({
    kind: "listEvents",
    afterIndex: belief.eventsUpTo,
    limit: rng.pick([1, 2, 5, 100, 1000]),
  })),
  read(4, ({ rng, belief }) => ({
    kind: "listEvents",
    afterIndex: rng.integer(0, belief.eventsUpTo + 20),
    limit: rng.pick([1, 2, 5, 100]),
  })),
  read(3, ({ rng }) => ({ kind: "listEvents", afterIndex: 0, limit: rng.pick([1, 64, 65, 1000]) })),
];
