/**
 * All that a host sets up so that its guests can send and are reached: for each a tap device with its route, rules on
 * what it may send, and an answer on the local network. It is there before the guest is, and goes with it.
 */
import type { Logger } from "pino";
import type { Interface } from "../../core/index.ts";
import type { Guests, HostNetwork } from "./host-network.ts";
import { type RuleOptions, Rules } from "./rules.ts";
import { Taps } from "./taps.ts";
import { Uplink, withdrawStaleAnswers } from "./uplink.ts";

/** When a guest is announced, from when it is set up: frames are lost. */
const ANNOUNCE_AT_MS = [0, 1000, 3000];

export interface GuestNetworkOptions extends RuleOptions {
  /** The interface on whose network the host answers for its guests; null: on none. */
  readonly uplink: string | null;
}

export class GuestNetwork implements HostNetwork {
  readonly #taps: Taps;
  readonly #rules: Rules;
  readonly #uplink: Uplink | null;
  readonly #log: Logger;
  /** One change at a time: a device may be removed and made again at once. */
  #last: Promise<void> = Promise.resolve();
  readonly #announcements = new Set<NodeJS.Timeout>();

  /** @param owner no other on this host has the same: the directory of its machines. */
  constructor(owner: string, options: GuestNetworkOptions, log: Logger) {
    this.#taps = new Taps(owner);
    this.#rules = new Rules(owner, options);
    this.#uplink = options.uplink === null ? null : new Uplink(options.uplink);
    this.#log = log;
    const failed = this.#uplink?.configure() ?? [];
    if (failed.length > 0)
      log.warn({ settings: failed }, "settings of the uplink could not be made: set them by sysctl");
  }

  interfacesFor(asked: readonly Interface[]): Promise<readonly Interface[]> {
    return Promise.resolve(this.#withGateways(asked));
  }

  /** On the network of an uplink the gateway of the pool is somebody else: this host must not take its address. */
  #withGateways(asked: readonly Interface[]): readonly Interface[] {
    return this.#uplink === null ? asked : asked.map((one) => ({ ...one, gateway: null }));
  }

  async create(networks: readonly Interface[], all: () => Guests): Promise<void> {
    await this.#next(async () => {
      // Before the device: no guest sends a packet that they do not see.
      await this.#rules.apply([...all().values()]);
      for (const network of this.#withGateways(networks)) await this.#taps.create(network);
      const addresses = networks.map(({ address }) => address);
      await this.#uplink?.answerFor(addresses);
      this.#announce(addresses, all);
    });
  }

  async keepOnly(needed: () => Guests): Promise<void> {
    await this.#next(async () => {
      for (const tap of await this.#taps.list()) if (!needed().has(tap)) await this.#taps.remove(tap);
      await withdrawStaleAnswers();
      const guests = [...needed().values()];
      await this.#rules.apply(guests);
      await this.#uplink?.answerFor(guests.map(({ address }) => address));
    });
  }

  close(): void {
    for (const timer of this.#announcements) clearTimeout(timer);
    this.#announcements.clear();
  }

  async #next(change: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(change);
    this.#last = mine.catch(() => undefined);
    await mine;
  }

  #announce(addresses: readonly string[], all: () => Guests): void {
    const uplink = this.#uplink;
    if (uplink === null || addresses.length === 0) return;
    for (const delayMs of ANNOUNCE_AT_MS) {
      const timer = setTimeout(() => {
        this.#announcements.delete(timer);
        const here = new Set([...all().values()].map(({ address }) => address));
        uplink.announce(addresses.filter((address) => here.has(address))).catch((error: unknown) => {
          this.#log.warn({ err: error, uplink: uplink.device }, "guests could not be announced: is socat installed?");
        });
      }, delayMs);
      this.#announcements.add(timer);
    }
  }
}
