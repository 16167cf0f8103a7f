/**
 * The tap devices of a host's machines. Traffic to a guest is routed to its own device, to its address alone (/32 or
 * /128); no bridge joins guests. Each device says by its alias whose it is, so that a stranger's is never touched, and
 * what an earlier process has left behind is found.
 */
import { execa } from "execa";
import { z } from "zod";
import type { Interface } from "../../core/index.ts";

/** What guests send through if their pool names no gateway: link-local, so it is nobody's address elsewhere. */
const OWN_GATEWAY = { v4: "169.254.1.1", v6: "fe80::1" } as const;

const linksSchema = z.array(z.object({ ifname: z.string().optional(), ifalias: z.string().optional() }));

export class TapError extends Error {
  override readonly name = "TapError";
}

export function gatewayOf({ address, gateway }: Interface): string {
  return gateway ?? (address.includes(":") ? OWN_GATEWAY.v6 : OWN_GATEWAY.v4);
}

export class Taps {
  readonly #alias: string;
  /** One change at a time: a device may be removed and made again at once. */
  #last: Promise<void> = Promise.resolve();

  /** @param owner no other owner of taps on this host has the same: the directory of its machines. */
  constructor(owner: string) {
    this.#alias = `blixard ${owner}`.slice(0, 255);
  }

  async #list(): Promise<readonly string[]> {
    const links = linksSchema.parse(JSON.parse(await ip("-json", "link", "show")));
    return links
      .flatMap(({ ifname, ifalias }) => (ifname !== undefined && ifalias === this.#alias ? [ifname] : []))
      .sort();
  }

  /** In place of one of that name. @throws TapError */
  async create(network: Interface): Promise<void> {
    await this.#next(async () => await this.#create(network));
  }

  /** Removes those of this owner that nobody needs when their turn has come. @throws TapError */
  async keepOnly(needed: () => ReadonlySet<string>): Promise<void> {
    await this.#next(async () => {
      for (const tap of await this.#list()) if (!needed().has(tap)) await this.#remove(tap);
    });
  }

  async #next(change: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(change);
    this.#last = mine.catch(() => undefined);
    await mine;
  }

  async #create(network: Interface): Promise<void> {
    const { tap, address } = network;
    const family = address.includes(":") ? "-6" : "-4";
    if ((await this.#list()).includes(tap)) await this.#remove(tap);
    await ip("tuntap", "add", "dev", tap, "mode", "tap", "vnet_hdr");
    try {
      await ip("link", "set", "dev", tap, "alias", this.#alias, "up");
      await ip(family, "address", "add", gatewayOf(network), "dev", tap);
      await ip(family, "route", "replace", address, "dev", tap);
    } catch (error) {
      await this.#remove(tap);
      throw error;
    }
  }

  /** Its address and its route go with it. @throws TapError */
  async #remove(tap: string): Promise<void> {
    await ip("link", "delete", "dev", tap);
  }
}

async function ip(...args: readonly string[]): Promise<string> {
  const { failed, stdout, stderr, shortMessage } = await execa("ip", args, { reject: false });
  if (failed) throw new TapError(`ip ${args.join(" ")}: ${stderr.trim() === "" ? shortMessage : stderr.trim()}`);
  return stdout;
}
