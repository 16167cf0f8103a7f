/** To whom leadership is handed over when nobody is named. */
import type { Node, NodeId } from "../../core/index.ts";

/** The other voter with the most of the log. */
export function transferTarget(node: Node): NodeId | null {
  let target: NodeId | null = null;
  let most = -1;
  for (const { id, role, matchIndex } of node.memberStatus()) {
    if (role !== "voter" || id === node.id || matchIndex === null || matchIndex <= most) continue;
    [target, most] = [id, matchIndex];
  }
  return target;
}
