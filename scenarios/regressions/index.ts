/**
 * Every failure that a simulated run has found in the core, by the seed that found it. A seed keeps drawing the same
 * faults; what the core does under them changes with the core, so the cause of each also has a unit test beside the
 * code that was wrong.
 */
export interface Regression {
  readonly scenario: string;
  readonly seed: number;
  /** What went wrong then. */
  readonly was: string;
}

export const REGRESSIONS: readonly Regression[] = [
  { scenario: "flaky-network", seed: 2, was: "a request that had timed out was answered a second time" },
  { scenario: "membership-churn", seed: 2, was: "an introduction stopped at the laggard's own joint configuration" },
  { scenario: "membership-churn", seed: 43, was: "the only node with the entry that removes it would not campaign" },
  { scenario: "election-duels", seed: 59, was: "a duplicated forward was refused after its twin had been appended" },
  { scenario: "leader-churn", seed: 47, was: "an acknowledgement left after its entry had been cut" },
  {
    scenario: "snapshot-catch-up",
    seed: 100,
    was: "a follower that restarted within a snapshot never got its first chunk again",
  },
  { scenario: "membership-churn", seed: 102, was: "a learner that had never answered was promoted" },
  {
    scenario: "membership-churn",
    seed: 117,
    was: "a restarted node could not follow links beyond the configurations in its own log",
  },
  {
    scenario: "membership-churn",
    seed: 5002,
    was: "a leader took itself for gone while it alone could commit its own removal",
  },
  { scenario: "byzantine", seed: 104, was: "a member that was never asked told which entry holds a client's write" },
  { scenario: "byzantine", seed: 127, was: "an entry that goes back in terms halted an honest node" },
  { scenario: "byzantine", seed: 372, was: "a liar answered each refusal with more lies, and the run never ended" },
  { scenario: "swarm", seed: 66, was: "a pipeline that overtook itself was sent again and again, ever more of it" },
  { scenario: "fleet-swarm", seed: 103181, was: "a VM whose host gave no reason had failed without one" },
  { scenario: "swarm", seed: 100984, was: "a member that was away did not answer a leader it knew by proof alone" },
  {
    scenario: "fleet-swarm",
    seed: 103202,
    was: "one member joined, the other left at once, and workers knew only the one that had left",
  },
  {
    scenario: "fleet-swarm",
    seed: 301877,
    was: "whom a limit of its tenant had kept waiting was only tried on workers that had changed",
  },
  {
    scenario: "swarm",
    seed: 207127,
    was: "voters since replaced had brought some to a term that one knowing the replacement never accepted",
  },
  {
    scenario: "swarm",
    seed: 601644,
    was: "an entry that was answered without effect stood for one of unknown outcome, and the search gave up",
  },
  {
    scenario: "fleet-swarm",
    seed: 709689,
    was: "a drain that was called off and begun again forgot whom it was about to move",
  },
];
