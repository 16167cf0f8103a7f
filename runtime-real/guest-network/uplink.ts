/**
 * Guests on the local network of their host: the host answers ARP and neighbour solicitations for them on one of its
 * interfaces, and says so when a guest comes. An entry that the kernel shall answer for carries blixard's protocol
 * number; it stands for a guest only while the host routes its address to a tap device.
 */
import { writeFileSync } from "node:fs";
import { execa } from "execa";
import { z } from "zod";
import { ipBatch, ipJson, ROUTE_PROTOCOL } from "../iproute/index.ts";
import { announcement } from "./announcement.ts";

const SEND_LIMIT_MS = 2000;

/** Names of devices of guests: see `addressOf` in the core. */
export const GUEST_DEVICE = /^bx-/;

/** An answer leaves at once, and not after a random time. */
const SETTINGS = {
  "ipv4/neigh/UPLINK/proxy_delay": "0",
  "ipv6/neigh/UPLINK/proxy_delay": "0",
  "ipv6/conf/UPLINK/proxy_ndp": "1",
} as const;

const proxiesSchema = z.array(
  z.object({ dst: z.string(), dev: z.string(), protocol: z.union([z.string(), z.number()]).optional() }),
);
const routesSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));
const linksSchema = z.array(z.object({ address: z.string() }));

export class Uplink {
  readonly device: string;

  constructor(device: string) {
    this.device = device;
  }

  /** Returns those of its settings that could not be made. */
  configure(): readonly string[] {
    return Object.entries(SETTINGS).flatMap(([path, value]) => {
      const setting = path.replace("UPLINK", this.device);
      try {
        writeFileSync(`/proc/sys/net/${setting}`, value);
        return [];
      } catch {
        return [`net.${setting.replaceAll("/", ".")}=${value}`];
      }
    });
  }

  /** From now on the host answers for them. @throws IpError */
  async answerFor(addresses: readonly string[]): Promise<void> {
    await ipBatch(
      addresses.map((address) => `neigh replace proxy ${address} dev ${this.device} protocol ${ROUTE_PROTOCOL}`),
    );
  }

  /** Tells the network that they are here. @throws Error */
  async announce(addresses: readonly string[]): Promise<void> {
    const [link] = await ipJson(linksSchema, "link", "show", "dev", this.device);
    if (link === undefined) return;
    for (const address of addresses)
      await execa("socat", ["-u", "STDIN", `INTERFACE:${this.device}`], {
        input: announcement(address, link.address),
        cleanup: false,
        timeout: SEND_LIMIT_MS,
        killSignal: "SIGKILL",
      });
  }
}

/**
 * Removes the entries of guests whose device is gone, whoever has made them.
 * @throws IpError
 */
export async function withdrawStaleAnswers(): Promise<void> {
  const proxies = [
    ...(await ipJson(proxiesSchema, "-4", "neigh", "show", "proxy")),
    ...(await ipJson(proxiesSchema, "-6", "neigh", "show", "proxy")),
  ].filter(({ protocol }) => String(protocol) === String(ROUTE_PROTOCOL));
  if (proxies.length === 0) return;
  const here = new Set<string>();
  for (const family of ["-4", "-6"] as const)
    for (const { dst, dev } of await ipJson(routesSchema, family, "route", "show", "table", "main"))
      if (dev !== undefined && GUEST_DEVICE.test(dev)) here.add(dst);
  await ipBatch(proxies.flatMap(({ dst, dev }) => (here.has(dst) ? [] : [`neigh delete proxy ${dst} dev ${dev}`])));
}
