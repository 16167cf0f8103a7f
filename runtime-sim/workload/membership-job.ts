/** A membership change that the operator carries out: what it asks for, and when it is done. */
import type { Configuration, ConfigurationChange, Node, NodeId } from "../../core/index.ts";

export interface MembershipJob {
  readonly text: string;
  readonly changes: readonly ConfigurationChange[];
  /** The voters that it aims at, for the fault atlas. */
  readonly voters: readonly NodeId[];
  /** Whether it is done, by this final configuration. */
  isDone(configuration: Configuration): boolean;
  /** `leader`: one that knows it to be done. */
  finish(leader: Node): void;
  readonly isUrgent: boolean;
  readonly sinceUs: number;
}

/** Whether a configuration is as the change would have it. */
export function isReached({ kind, id }: ConfigurationChange, { members, voters, learners }: Configuration): boolean {
  switch (kind) {
    case "remove":
      return !members.some((member) => member.id === id);
    case "promote":
      return voters.includes(id);
    case "demote":
      return learners.includes(id);
    case "addLearner":
      return members.some((member) => member.id === id);
  }
}
