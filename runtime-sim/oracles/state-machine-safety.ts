/**
 * State-machine safety (thesis 3.6.3): every node applies the same entries in the same order and gets the same.
 *
 * Checks every entry that an honest node applies: it is the next one, its chain is the committed one, and its result
 * equals that of the first node to apply it, which in turn equals that of a replay of the committed entries from the
 * empty state. The whole state is compared with the replay, canonical bytes against canonical bytes: after a restart
 * and after a snapshot from elsewhere, as soon as the node has applied as much as the replay; from time to time; and
 * at the end, where nodes that lag are compared with each other. Does not check: that `applyEntries` does what it
 * should (linearizability does); results that have left the ledger's window when a node gets to them; the state in
 * between the comparisons, except by results.
 */
import { momentText, type NodeView } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import { appliedText, committedText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";
import { isSameState } from "./reference.ts";
import { isSameResult } from "./same.ts";

/**
 * Entries from one comparison of whole states to the next one; as many as there are VMs, if they are more: then it
 * costs as much as applying them did.
 */
const COMPARE_EVERY_ENTRIES = 4096;

export function stateMachineSafety({ violate, ledger, reference, members, now }: OracleContext): Oracle {
  const name = "state-machine-safety";
  /** Members whose whole state is to be compared when they have caught up. */
  const due = new Set<number>();
  let nextComparison = COMPARE_EVERY_ENTRIES;

  const oracle: Oracle = {
    name,
    summary: "every node applies the same entries in the same order with the same results",
    checks: 0,
    booted({ member }) {
      due.add(member.id);
    },
    applied(watched, node) {
      checkEntries(watched.appliedIndex, node);
      const { appliedIndex } = node;
      if (appliedIndex < reference.index) return;
      if (appliedIndex < nextComparison && !(due.size > 0 && due.has(node.id))) return;
      nextComparison = Math.max(
        nextComparison,
        appliedIndex + COMPARE_EVERY_ENTRIES,
        appliedIndex + node.state.vmCount,
      );
      compare(node);
    },
    finished() {
      const nodes: NodeView[] = [];
      for (const { honest, node } of members) if (honest && node !== null && !node.halted) nodes.push(node);
      nodes.sort((left, right) => left.appliedIndex - right.appliedIndex);
      let before: NodeView | null = null;
      for (const node of nodes) {
        if (node.appliedIndex >= reference.index) {
          compare(node);
        } else if (before !== null && before.appliedIndex === node.appliedIndex) {
          const other = before;
          oracle.checks += 1;
          if (!isSameState(other.state, node.state)) {
            violate(
              name,
              () => `nodes ${other.id} and ${node.id} have applied ${node.appliedIndex} and hold different states`,
            );
          }
        }
        before = node;
      }
      reference.foldTo(ledger.commitIndex);
    },
  };

  reference.onFold((entry, result) => {
    const first = ledger.resultAt(entry.index);
    if (first === undefined || first === null) return;
    oracle.checks += 1;
    if (isSameResult(first, result)) return;
    violate(
      name,
      () =>
        `entry ${entry.index} gave ${JSON.stringify(first)} on ${appliedText(ledger, entry.index)}, and ` +
        `${JSON.stringify(result)} in a replay`,
    );
  });

  function checkEntries(before: number, node: NodeView): void {
    const applied = node.lastApplied;
    const first = applied[0];
    const { appliedIndex } = node;
    if (first === undefined || first.entry.index !== before + 1) {
      // A snapshot took the place of entries.
      due.add(node.id);
    }
    let next = first?.entry.index ?? 0;
    for (const { entry, result } of applied) {
      oracle.checks += 1;
      const { index } = entry;
      if (index !== next) {
        const expected = next;
        violate(name, () => `node ${node.id} applied entry ${index} where ${expected} was next`);
        return;
      }
      next += 1;
      const chain = ledger.chainAt(index);
      if (chain !== null && chain !== entry.chain) {
        violate(
          name,
          () =>
            `node ${node.id} applied chain ${entry.chain} at index ${index} at ${momentText(now())}, where ` +
            `${chain} was ${committedText(ledger, index)}`,
        );
        return;
      }
      const known = ledger.resultAt(index);
      if (known !== undefined && !isSameResult(known, result)) {
        violate(
          name,
          () =>
            `applying entry ${index} gave ${JSON.stringify(result)} on node ${node.id} at ${momentText(now())}, and ` +
            `${JSON.stringify(known)} on ${appliedText(ledger, index)}`,
        );
        return;
      }
    }
    if (first !== undefined && next !== appliedIndex + 1) {
      violate(
        name,
        () => `node ${node.id} says that it has applied ${appliedIndex}, but the last entry was ${next - 1}`,
      );
    }
  }

  function compare(node: NodeView): void {
    const agrees = reference.agrees(node.appliedIndex, node.state);
    if (agrees === null) return;
    due.delete(node.id);
    oracle.checks += 1;
    if (!agrees) {
      violate(
        name,
        () =>
          `the state of node ${node.id} after entry ${node.appliedIndex} is not what a replay of the committed ` +
          "entries gives",
      );
    }
  }

  return oracle;
}
