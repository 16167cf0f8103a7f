/** The node to which leadership is transferred if the caller names none. */
import type { Node, NodeId } from "../../core/index.ts";

/** The other voter whose log is the longest. */
export function transferTarget(node: Node): NodeId | null {
  let target: NodeId | null = null;
  let most = -1;
  for (const { id, role, matchIndex } of node.memberStatus()) {
    if (role !== "voter" || id === node.id || matchIndex === null || matchIndex <= most) continue;
    [target, most] = [id, matchIndex];
  }
  return target;
}
