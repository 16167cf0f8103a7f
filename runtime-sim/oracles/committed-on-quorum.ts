/**
 * What is committed is durable on a quorum (thesis 3.5, 4.3) at the moment when anybody first knows it to be
 * committed.
 *
 * Checks, whenever the highest index committed anywhere rises, that the disks of a majority of the voters hold the
 * entry with the same chain; in a joint configuration, a majority of either half. What a disk holds is known from the
 * simulator's own records, not from what a node believes. A Byzantine voter's disk is asked like any other: this is
 * how an acknowledgement of what was never stored is found. The configuration is the latest in the node's log, read
 * from its entries: as the log was before the step or as it is after it, since a leader may commit and append the next
 * one in the same step; when not the leader was first to say so, the latest in the log of any honest node that is up.
 * Does not check: that the quorum still holds it later (leader-completeness sees when that matters). An entry that the
 * world has damaged on a disk counts as held there: it was.
 */
import type { Digest, NodeId } from "../../core/index.ts";
import type { OracleContext } from "./context.ts";
import type { PlacedConfiguration } from "./log-configurations.ts";
import type { Oracle } from "./oracle.ts";
import { isQuorum } from "./quorum.ts";

export function committedOnQuorum({ violate, members, findMember, configurations }: OracleContext): Oracle {
  const name = "committed-on-quorum";
  let highest = 0;

  function holds(id: NodeId, index: number, chain: Digest): boolean {
    const member = findMember(id);
    if (member === null) return false;
    if (member.disk.durableLastIndex < index) return false;
    const durable = member.disk.durableChainAt(index);
    return durable === null ? member.disk.faults > 0 : durable === chain;
  }

  function isHeldBy(placed: PlacedConfiguration | null, index: number, chain: Digest): boolean {
    return placed !== null && isQuorum(placed.configuration, (id) => holds(id, index, chain));
  }

  return {
    name,
    summary: "an entry is durable on a quorum of voters before anybody takes it for committed",
    checks: 0,
    committed(watched, node) {
      const index = node.commitIndex;
      if (index <= highest) return;
      highest = index;
      const chain = node.log.chainAt(index);
      if (chain === null) return;
      this.checks += 1;
      const latest = configurations.latest(node.id);
      if (latest === null) return;
      if (isHeldBy(latest, index, chain)) return;
      if (isHeldBy(configurations.upTo(node.id, watched.lastIndex), index, chain)) return;
      if (node.role !== "leader") {
        for (const { id, honest } of members) {
          if (honest && isHeldBy(configurations.latest(id), index, chain)) return;
        }
      }
      violate(name, () => {
        const { voters, outgoing } = latest.configuration;
        const describe = (id: NodeId): string => `${id}${holds(id, index, chain) ? " holds it" : " does not"}`;
        const half = outgoing.length === 0 ? "" : `; outgoing: ${outgoing.map(describe).join(", ")}`;
        return (
          `node ${node.id} (${node.role}, term ${node.term}) took index ${index} for committed without a durable ` +
          `quorum: ${voters.map(describe).join(", ")}${half}`
        );
      });
    },
  };
}
