/** The network of guests on this host, by what this process may do there. */
import { readFileSync } from "node:fs";
import type { Logger } from "pino";
import { GuestNetwork, type GuestNetworkOptions } from "./guest-network.ts";
import type { HostNetwork } from "./host-network.ts";
import { PreparedNetwork } from "./prepared-network.ts";

/** In the set of capabilities: see capabilities(7). */
const CAP_NET_ADMIN = 12n;

/** @param owner no other on this host has the same: the directory of its machines. */
export function openGuestNetwork(owner: string, options: GuestNetworkOptions, log: Logger): HostNetwork {
  if (mayChangeNetwork(readFileSync("/proc/self/status", "utf8"))) return new GuestNetwork(owner, options, log);
  log.info("this node may make no tap devices: guests get those that root has made in advance");
  return new PreparedNetwork();
}

/** @param status of the process, as Linux shows it. */
export function mayChangeNetwork(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}
