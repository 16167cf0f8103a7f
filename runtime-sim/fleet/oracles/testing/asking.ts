/** A question of somebody who asks. */
import type { ClusterQuery, ReadConsistency } from "../../../../core/index.ts";
import type { FleetCall } from "../../requests.ts";

export function asking(query: ClusterQuery, consistency: ReadConsistency = "linearizable"): FleetCall {
  return { by: "askers", asked: { kind: "read", query, consistency } };
}
