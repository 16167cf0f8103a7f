/** Every scenario there is, calm first, swarm last. To add one: a file of its own, and a line here. */
import type { Scenario } from "../runtime-sim/index.ts";
import byzantine from "./byzantine.ts";
import calm from "./calm.ts";
import clockSkew from "./clock-skew.ts";
import crashRestart from "./crash-restart.ts";
import diskFaults from "./disk-faults.ts";
import electionDuels from "./election-duels.ts";
import flakyNetwork from "./flaky-network.ts";
import hostLoss from "./host-loss.ts";
import leaderChurn from "./leader-churn.ts";
import leaderHunt from "./leader-hunt.ts";
import leaseReads from "./lease-reads.ts";
import membershipChurn from "./membership-churn.ts";
import partialPartition from "./partial-partition.ts";
import partitions from "./partitions.ts";
import pauses from "./pauses.ts";
import snapshotCatchUp from "./snapshot-catch-up.ts";
import swarm from "./swarm.ts";
import transferStorm from "./transfer-storm.ts";
import wipedDisks from "./wiped-disks.ts";

export const SCENARIOS: readonly Scenario[] = [
  calm,
  flakyNetwork,
  partitions,
  partialPartition,
  leaderHunt,
  leaderChurn,
  electionDuels,
  transferStorm,
  leaseReads,
  crashRestart,
  diskFaults,
  wipedDisks,
  clockSkew,
  pauses,
  membershipChurn,
  snapshotCatchUp,
  byzantine,
  swarm,
  hostLoss,
];
