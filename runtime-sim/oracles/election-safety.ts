/**
 * Election safety (thesis 3.4): at most one honest leader in a term.
 *
 * Checks every step after which an honest node leads, against every earlier such step of any honest node, over
 * restarts too. Does not check: Byzantine peers, which may claim to lead (other oracles check that nobody follows
 * them); a leadership that begins and ends within one step; terms more than `TERMS_MAX` below
 * the newest one.
 */
import type { OracleContext } from "./context.ts";
import { type Fact, factText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";

const TERMS_MAX = 4096;

export function electionSafety({ violate, now }: OracleContext): Oracle {
  const name = "election-safety";
  const leaders = new Map<number, Fact>();
  let newest = 0;

  return {
    name,
    summary: "at most one honest leader in a term",
    checks: 0,
    elected(watched, node) {
      if (!watched.member.honest) return;
      this.checks += 1;
      const { term, id } = node;
      const leader = leaders.get(term);
      const elected = { nodeId: id, ...now() };
      if (leader !== undefined && leader.nodeId !== id) {
        violate(name, () => `two nodes were elected in term ${term}: ${factText(leader)}, and ${factText(elected)}`);
        return;
      }
      if (leader === undefined) leaders.set(term, elected);
      if (term > newest) newest = term;
      while (leaders.size > TERMS_MAX) {
        const oldest = leaders.keys().next().value;
        if (oldest === undefined || oldest > newest - TERMS_MAX) break;
        leaders.delete(oldest);
      }
    },
  };
}
