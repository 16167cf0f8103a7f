/**
 * Whether a set of nodes agrees and is at rest. Not an oracle: the quiet phase asks it of the nodes that must be live,
 * until it is so or the bound has passed.
 */
import type { MemberView, NodeView } from "../world/index.ts";
import { isSameConfiguration } from "./log-configurations.ts";
import { isSameState } from "./reference.ts";

/**
 * Null when exactly one of them leads, all follow it in its term, act by the same configuration, and have applied as
 * much and hold equal states; otherwise what is missing.
 */
export function whyNotConverged(members: readonly MemberView[]): string | null {
  const nodes: NodeView[] = [];
  for (const { id, node } of members) {
    if (node === null) return `node ${id} is down`;
    if (node.halted) return `node ${id} has stopped itself`;
    nodes.push(node);
  }
  const leader = nodes.find((node) => node.role === "leader");
  if (leader === undefined) return "nobody leads";
  for (const node of nodes) {
    if (node !== leader && node.role === "leader") return `nodes ${leader.id} and ${node.id} both lead`;
    if (node.leaderId !== leader.id || node.term !== leader.term) {
      return `node ${node.id} follows ${node.leaderId} in term ${node.term}, not ${leader.id} in term ${leader.term}`;
    }
    if (node.appliedIndex !== leader.appliedIndex) {
      return `node ${node.id} has applied ${node.appliedIndex} and its leader ${leader.appliedIndex}`;
    }
  }
  const other = nodes.find((node) => !isSameConfiguration(node.configuration, leader.configuration));
  if (other !== undefined || nodes.some((node) => node.configurationIndex !== leader.configurationIndex)) {
    const at = nodes.map((node) => `node ${node.id} that of index ${node.configurationIndex}`).join(", ");
    return `not all act by the same configuration: ${at}`;
  }
  if (leader.commitIndex !== leader.log.lastIndex) {
    return `the leader has committed ${leader.commitIndex} of ${leader.log.lastIndex}`;
  }
  // Last, because it costs as much as the state is large.
  const different = nodes.find((node) => !isSameState(node.state, leader.state));
  return different === undefined ? null : `nodes ${different.id} and ${leader.id} hold different states`;
}
