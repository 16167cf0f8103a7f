/** Where a host stands, and what fails together. */

export const FAILURE_DOMAINS = ["node", "rack", "zone", "datacenter"] as const;
export type FailureDomain = (typeof FAILURE_DOMAINS)[number];

/** Where a host stands. Labels. Names of zones and racks count within what they are in. */
export interface Topology {
  readonly datacenter: string;
  readonly zone: string;
  readonly rack: string;
}

/** The name of the domain of that scope that a worker is in. Names of zones and racks count within what they are in. */
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
