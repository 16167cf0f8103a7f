/** Where a host stands, and what fails together. */
import { type Infer, record } from "../schema/index.ts";
import { nameSchema } from "./identity.ts";

export const FAILURE_DOMAINS = ["node", "rack", "zone", "datacenter"] as const;
export type FailureDomain = (typeof FAILURE_DOMAINS)[number];

/** Names of zones and racks count within what they are in. */
export const topologySchema = record({ datacenter: nameSchema, zone: nameSchema, rack: nameSchema });
/** Where a host stands. */
export type Topology = Infer<typeof topologySchema>;

/**
 * The name of the domain of that scope that a worker is in. Names of zones and racks count within what they are in.
 */
export function domainOf(
  scope: FailureDomain,
  { id, topology }: { readonly id: number; readonly topology: Topology },
): string {
  switch (scope) {
    case "node":
      return String(id);
    case "rack":
      return `${topology.datacenter}/${topology.zone}/${topology.rack}`;
    case "zone":
      return `${topology.datacenter}/${topology.zone}`;
    case "datacenter":
      return topology.datacenter;
  }
}
