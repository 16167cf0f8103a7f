/** For oracles that judge how long something has been so while one leader led. */
import type { FakeFleet } from "./fake-fleet.ts";

/** What happens in a test, by its name. */
export type Interruption = readonly [string, (fleet: FakeFleet) => unknown];

/** Breaks in what such an oracle knows of the leader: each has its time begin anew. */
export const INTERRUPTIONS: readonly Interruption[] = [
  [
    "another leads",
    (fleet) => {
      fleet.term += 1;
    },
  ],
  [
    "nobody could commit",
    (fleet) => {
      fleet.canCommit = false;
      fleet.lookFor(0.25);
      fleet.canCommit = true;
    },
  ],
  [
    "nobody has looked",
    (fleet) => {
      fleet.nowMs += 4000;
    },
  ],
];
