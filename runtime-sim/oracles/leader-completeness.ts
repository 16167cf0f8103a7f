/**
 * Leader completeness (thesis 3.6): whoever becomes leader has every entry that was committed in an earlier term.
 *
 * Checks, when an honest node becomes leader, that its log or snapshot has the chain of the highest entry that was
 * known to be committed by somebody of an earlier term. The chain stands for all entries before it. Does not check:
 * entries that are committed but that no node knows to be committed yet (committed-on-quorum and state-machine-safety
 * see them when they turn out otherwise); more than a few dozen terms back, for a leader elected that late.
 */

import type { OracleContext } from "./context.ts";
import { factText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";

export function leaderCompleteness({ violate, ledger, now }: OracleContext): Oracle {
  const name = "leader-completeness";
  return {
    name,
    summary: "a new leader has every entry committed in an earlier term",
    checks: 0,
    elected(watched, node) {
      if (!watched.member.honest) return;
      const committed = ledger.boundaryBefore(node.term);
      if (committed === null) return;
      this.checks += 1;
      const { index, chain, known } = committed;
      const lastIndex = node.log.lastIndex;
      if (lastIndex < index) {
        violate(
          name,
          () =>
            `index ${index} was committed by ${factText(known)}, but the log of the leader of term ${node.term} ` +
            `ends at ${lastIndex}: ${factText({ nodeId: node.id, ...now() })}`,
        );
        return;
      }
      const own = node.log.chainAt(index);
      // Null: compacted away, so this node knows it to be committed, and committed-immutable has compared it.
      if (own !== null && own !== chain) {
        violate(
          name,
          () =>
            `chain ${chain} was committed at index ${index} by ${factText(known)}, but the leader of term ` +
            `${node.term} has ${own} there: ${factText({ nodeId: node.id, ...now() })}`,
        );
      }
    },
  };
}
