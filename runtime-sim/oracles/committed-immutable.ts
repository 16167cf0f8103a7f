/**
 * What is committed stays: every node that knows an index to be committed has the same entry there, for ever.
 *
 * Checks, when an honest node's commit index moves, that its chain there is the one committed first by anybody;
 * whenever the end of its log changed, that the log still holds what this node knew to be committed; and that a node
 * never knows more to be committed than it has. Does not check: Byzantine peers; an index that has left the ledger's
 * window when a node comes to know it.
 */

import { momentText } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import { committedText, factText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";

export function committedImmutable({ violate, ledger, now }: OracleContext): Oracle {
  const name = "committed-immutable";
  return {
    name,
    summary: "a committed entry is the same on every node, for ever",
    checks: 0,
    logged(watched, node) {
      const { commitIndex, commitChain } = watched;
      this.checks += 1;
      if (node.log.lastIndex < commitIndex) {
        const last = node.log.lastIndex;
        violate(
          name,
          () =>
            `node ${node.id} cut its log back to ${last}, below its commit index ${commitIndex}: ` +
            `${committedText(ledger, commitIndex)}, cut off at ${momentText(now())}`,
        );
        return;
      }
      const chain = node.log.chainAt(commitIndex);
      if (chain !== null && commitChain !== null && chain !== commitChain) {
        violate(
          name,
          () =>
            `node ${node.id} replaced the entry at its commit index ${commitIndex}: chain ${commitChain}, ` +
            `${committedText(ledger, commitIndex)}, is ${chain} at ${momentText(now())}`,
        );
      }
    },
    committed(_watched, node) {
      const index = node.commitIndex;
      this.checks += 1;
      if (index > node.log.lastIndex) {
        const last = node.log.lastIndex;
        violate(name, () => `node ${node.id} knows ${index} to be committed, but its log ends at ${last}`);
        return;
      }
      const first = ledger.chainAt(index);
      const chain = node.log.chainAt(index);
      if (first !== null && chain !== first) {
        violate(
          name,
          () =>
            `two entries were committed at index ${index}: chain ${first}, ${committedText(ledger, index)}, and ${chain} by ` +
            factText({ nodeId: node.id, ...now() }),
        );
      }
    },
  };
}
