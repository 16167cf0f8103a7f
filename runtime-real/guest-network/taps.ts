/**
 * The tap devices of a host's machines. Traffic to a guest is routed to its own device, to its address alone (/32 or
 * /128); no bridge joins guests. Each device says by its alias whose it is, so that a stranger's is never touched, and
 * what an earlier process has left behind is found.
 */
import { writeFileSync } from "node:fs";
import { z } from "zod";
import type { Interface } from "../../core/index.ts";
import { IpError, ip, ipJson } from "../iproute/index.ts";

/** What guests send through if their pool names no gateway: link-local, so it is nobody's address elsewhere. */
const OWN_GATEWAY = { v4: "169.254.1.1", v6: "fe80::1" } as const;

/**
 * A device whose QEMU has ended has no carrier, and then the kernel takes its route for none: so it answers ARP for
 * the guest no more, whoever else has ended. And a guest shall not configure its host.
 */
const SETTINGS = {
  "ipv4/conf/TAP/ignore_routes_with_linkdown": "1",
  "ipv4/conf/TAP/accept_redirects": "0",
  "ipv6/conf/TAP/accept_redirects": "0",
  "ipv6/conf/TAP/accept_ra": "0",
} as const;

const linksSchema = z.array(z.object({ ifname: z.string().optional(), ifalias: z.string().optional() }));

export function gatewayOf({ address, gateway }: Interface): string {
  return gateway ?? (address.includes(":") ? OWN_GATEWAY.v6 : OWN_GATEWAY.v4);
}

export class Taps {
  readonly #alias: string;

  /** @param owner no other owner of taps on this host has the same: the directory of its machines. */
  constructor(owner: string) {
    this.#alias = `blixard ${owner}`.slice(0, 255);
  }

  /** The names of those of this owner. @throws IpError */
  async list(): Promise<readonly string[]> {
    const links = await ipJson(linksSchema, "link", "show");
    return links
      .flatMap(({ ifname, ifalias }) => (ifname !== undefined && ifalias === this.#alias ? [ifname] : []))
      .sort();
  }

  /** In place of one of that name. @throws IpError */
  async create(network: Interface): Promise<void> {
    const { tap, address } = network;
    const family = address.includes(":") ? "-6" : "-4";
    if ((await this.list()).includes(tap)) await this.remove(tap);
    await ip("tuntap", "add", "dev", tap, "mode", "tap", "vnet_hdr");
    try {
      configure(tap);
      await ip("link", "set", "dev", tap, "alias", this.#alias, "up");
      await ip(family, "address", "add", gatewayOf(network), "dev", tap);
      await ip(family, "route", "replace", address, "dev", tap);
    } catch (error) {
      await this.remove(tap);
      throw error;
    }
  }

  /** Its address and its route go with it. @throws IpError */
  async remove(tap: string): Promise<void> {
    try {
      await ip("link", "delete", "dev", tap);
    } catch (error) {
      // The supervisor may have been faster.
      if (!(error instanceof IpError && error.isGone)) throw error;
    }
  }
}

function configure(tap: string): void {
  for (const [path, value] of Object.entries(SETTINGS)) {
    try {
      writeFileSync(`/proc/sys/net/${path.replace("TAP", tap)}`, value);
    } catch {
      // A kernel without IPv6, or a container whose settings cannot be written. The guest works all the same.
    }
  }
}
