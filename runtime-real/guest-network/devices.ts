/** The devices of guests that a host has, for whoever looks for what is wrong with them. */
import { z } from "zod";
import { ipJson } from "../iproute/index.ts";

/** The alias of those that scripts/setup-tap-networking.sh has made. */
export const PREPARED_ALIAS = "blixard prepared";
const OWN_ALIAS = "blixard ";

export interface GuestDevice {
  readonly name: string;
  /** Made in advance, for a node that is not root. */
  readonly isPrepared: boolean;
  readonly hasManyQueues: boolean;
  /** An address is routed to it. */
  readonly hasRoute: boolean;
  /** The directory of the machines that it belongs to; null: it was made in advance. */
  readonly owner: string | null;
}

const linksSchema = z.array(
  z.object({
    ifname: z.string().optional(),
    ifalias: z.string().optional(),
    linkinfo: z.object({ info_data: z.object({ multi_queue: z.boolean().optional() }).optional() }).optional(),
  }),
);
const routesSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/** A route to one address: the kernel makes others by itself. */
const ONE_ADDRESS = /^[0-9a-f.:]+$/;

/** Sorted by name. @throws IpError */
export async function guestDevices(): Promise<readonly GuestDevice[]> {
  const links = await ipJson(linksSchema, "-details", "link", "show", "type", "tun");
  const routed = new Set<string>();
  for (const family of ["-4", "-6"] as const)
    for (const { dst, dev } of await ipJson(routesSchema, family, "route", "show", "table", "main"))
      if (dev !== undefined && ONE_ADDRESS.test(dst)) routed.add(dev);
  return links
    .flatMap(({ ifname: name, ifalias: alias, linkinfo }): GuestDevice[] => {
      if (name === undefined || alias === undefined || !alias.startsWith(OWN_ALIAS)) return [];
      const isPrepared = alias === PREPARED_ALIAS;
      return [
        {
          name,
          isPrepared,
          hasManyQueues: linkinfo?.info_data?.multi_queue === true,
          hasRoute: routed.has(name),
          owner: isPrepared ? null : alias.slice(OWN_ALIAS.length),
        },
      ];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
