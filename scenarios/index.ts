/**
 * Every scenario there is, first those of consensus, calm first and swarm last; then those of fleets, likewise. To
 * add one: a file of its own, and a line here.
 */
import type { Scenario } from "../runtime-sim/index.ts";
import addressExhaustion from "./address-exhaustion.ts";
import byzantine from "./byzantine.ts";
import byzantineChurn from "./byzantine-churn.ts";
import byzantineClients from "./byzantine-clients.ts";
import byzantineFleet from "./byzantine-fleet.ts";
import calm from "./calm.ts";
import clockSkew from "./clock-skew.ts";
import contestedTokens from "./contested-tokens.ts";
import crashRestart from "./crash-restart.ts";
import cutOffLeaders from "./cut-off-leaders.ts";
import diskFaults from "./disk-faults.ts";
import drainUnderFire from "./drain-under-fire.ts";
import electionDuels from "./election-duels.ts";
import emptyDisks from "./empty-disks.ts";
import flakyNetwork from "./flaky-network.ts";
import flappingAgents from "./flapping-agents.ts";
import fleetSwarm from "./fleet-swarm.ts";
import hastyTenants from "./hasty-tenants.ts";
import healthFlapping from "./health-flapping.ts";
import hostLoss from "./host-loss.ts";
import lateOrders from "./late-orders.ts";
import lateVotes from "./late-votes.ts";
import leaderChurn from "./leader-churn.ts";
import leaderHunt from "./leader-hunt.ts";
import leaseReads from "./lease-reads.ts";
import lyingClocks from "./lying-clocks.ts";
import membershipChurn from "./membership-churn.ts";
import mixedLevels from "./mixed-levels.ts";
import movedAddresses from "./moved-addresses.ts";
import movedQuorum from "./moved-quorum.ts";
import noisyNeighbourQuotas from "./noisy-neighbour-quotas.ts";
import partialPartition from "./partial-partition.ts";
import partitions from "./partitions.ts";
import pauses from "./pauses.ts";
import preemptionStorm from "./preemption-storm.ts";
import rollingRestart from "./rolling-restart.ts";
import snapshotCatchUp from "./snapshot-catch-up.ts";
import splitBrainVm from "./split-brain-vm.ts";
import swarm from "./swarm.ts";
import thousandWorkers from "./thousand-workers.ts";
import transferStorm from "./transfer-storm.ts";
import wipedDisks from "./wiped-disks.ts";
import wrongWallClocks from "./wrong-wall-clocks.ts";
import zombieVms from "./zombie-vms.ts";

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
  lateOrders,
  lateVotes,
  crashRestart,
  diskFaults,
  wipedDisks,
  emptyDisks,
  clockSkew,
  wrongWallClocks,
  contestedTokens,
  pauses,
  membershipChurn,
  mixedLevels,
  movedAddresses,
  movedQuorum,
  snapshotCatchUp,
  cutOffLeaders,
  byzantine,
  byzantineChurn,
  swarm,
  hostLoss,
  splitBrainVm,
  flappingAgents,
  hastyTenants,
  drainUnderFire,
  rollingRestart,
  noisyNeighbourQuotas,
  preemptionStorm,
  addressExhaustion,
  zombieVms,
  healthFlapping,
  lyingClocks,
  thousandWorkers,
  byzantineFleet,
  byzantineClients,
  fleetSwarm,
];
