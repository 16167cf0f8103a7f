/**
 * Log matching (thesis 3.5): two honest logs that have an entry of the same index and term are the same up to it; and
 * terms never fall along a log.
 *
 * Checks the end of a log whenever it changed: each entry that no log had before is remembered by (index, term) with
 * its chain, and an entry that some log had must have the same chain. The chain stands for everything before it, so
 * one comparison covers the whole log. Does not check: that a chain was computed from its entry's content
 * (state-machine-safety sees what an entry does); entries of a term that a Byzantine peer led, which may tell two
 * followers different things (committed-immutable sees whether that is ever committed); entries more than `WINDOW`
 * below the newest one.
 */
import type { Digest, NodeId } from "../../core/index.ts";
import type { NodeView } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import { type Fact, factText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";

/** Entries that are remembered: a power of two, well above what a follower may lag before it is sent a snapshot. */
const WINDOW = 8192;
const MASK = WINDOW - 1;
/** Indexes with entries of several terms that are remembered before those that left the window are swept out. */
const RIVALS_SWEEP = 1024;

/** Terms led by Byzantine peers that are remembered. */
const TERMS_MAX = 4096;

interface Known {
  readonly index: number;
  readonly term: number;
  readonly chain: Digest;
  /** Whose log had it first. */
  readonly had: Fact;
}

export function logMatching({ violate, conditions, now }: OracleContext): Oracle {
  const name = "log-matching";
  const indexes: number[] = [];
  const terms: number[] = [];
  const chains: Digest[] = [];
  /** Whose log had it first, and when. */
  const holders: NodeId[] = [];
  const events: number[] = [];
  const timesMs: number[] = [];
  for (let at = 0; at < WINDOW; at++) {
    indexes.push(-1);
    terms.push(-1);
    chains.push("");
    holders.push(0);
    events.push(0);
    timesMs.push(0);
  }
  /** Entries that were once in a log and have the same index as a newer one. */
  const rivals = new Map<number, Known[]>();
  const termsLedByLiars = new Set<number>();
  let newest = 0;

  function find(index: number, term: number): Digest | null {
    const at = index & MASK;
    if (indexes[at] !== index) return null;
    if (terms[at] === term) return chains[at] ?? null;
    if (rivals.size === 0) return null;
    return rivals.get(index)?.find((known) => known.term === term)?.chain ?? null;
  }

  function factAt(at: number): Fact {
    return { nodeId: holders[at] ?? 0, event: events[at] ?? 0, atMs: timesMs[at] ?? 0 };
  }

  /** Whose log first had what `find` has found. */
  function hadFirst(index: number, term: number): Fact {
    const at = index & MASK;
    return rivals.get(index)?.find((known) => known.term === term && terms[at] !== term)?.had ?? factAt(at);
  }

  function remember(nodeId: NodeId, index: number, term: number, chain: Digest): void {
    const at = index & MASK;
    if (indexes[at] === index) {
      const older = rivals.get(index) ?? [];
      older.push({ index, term: terms[at] ?? 0, chain: chains[at] ?? "", had: factAt(at) });
      rivals.set(index, older);
      if (rivals.size > RIVALS_SWEEP) {
        for (const known of rivals.keys()) if (known <= newest - WINDOW) rivals.delete(known);
      }
    } else {
      rivals.delete(index);
    }
    indexes[at] = index;
    terms[at] = term;
    chains[at] = chain;
    holders[at] = nodeId;
    events[at] = conditions.events;
    timesMs[at] = conditions.nowUs / 1000;
    if (index > newest) newest = index;
  }

  /** Walks down from the end of the log to the first entry that is known already. */
  function walk(oracle: Oracle, node: NodeView): void {
    const log = node.log;
    const last = log.lastIndex;
    const lowest = Math.max(log.firstIndex, Math.max(newest, last) - WINDOW + 1);
    let termAbove = Number.POSITIVE_INFINITY;
    for (let index = last; index >= lowest; index--) {
      const term = log.termAt(index);
      const chain = log.chainAt(index);
      if (term === null || chain === null) return;
      oracle.checks += 1;
      if (term > termAbove) {
        const above = termAbove;
        violate(
          name,
          () => `node ${node.id} has term ${above} at index ${index + 1} after term ${term} at index ${index}`,
        );
        return;
      }
      termAbove = term;
      const known = find(index, term);
      if (known === chain) return;
      if (known === null) {
        remember(node.id, index, term, chain);
      } else if (!termsLedByLiars.has(term)) {
        violate(
          name,
          () =>
            `two logs differ at index ${index} of term ${term}: chain ${known} in that of ` +
            `${factText(hadFirst(index, term))}, and ${chain} in that of ${factText({ nodeId: node.id, ...now() })}`,
        );
        return;
      }
    }
  }

  return {
    name,
    summary: "logs with the same entry at an index are the same up to it",
    checks: 0,
    booted(_watched, node) {
      walk(this, node);
    },
    elected(watched, node) {
      if (watched.member.honest) return;
      termsLedByLiars.add(node.term);
      for (const term of termsLedByLiars) {
        if (termsLedByLiars.size <= TERMS_MAX) break;
        termsLedByLiars.delete(term);
      }
    },
    logged(_watched, node) {
      walk(this, node);
    },
  };
}
