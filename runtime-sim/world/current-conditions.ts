/**
 * What hosts and links are like at the moment, by the simulator's own records. For oracles: nodes know nothing of it.
 */
import type { LinkState, Links, Network } from "../network/index.ts";
import type { Addresses } from "./addresses.ts";
import type { EventLoop } from "./event-loop.ts";
import type { SimHost } from "./host.ts";
import type { ConditionsView, HostCondition, LinkCondition, MemberView } from "./observer.ts";

/** A process that is not told of time, or not of the right one, is hampered: how much its clock may be off. */
const RATE_ERROR_MAX = 0.1;

export class CurrentConditions implements ConditionsView {
  onChange: (() => void) | null = null;
  readonly #loop: EventLoop;
  readonly #network: Network;
  readonly #links: Links;
  readonly #hosts: readonly SimHost[];
  readonly #addresses: Addresses;

  constructor(loop: EventLoop, network: Network, links: Links, hosts: readonly SimHost[], addresses: Addresses) {
    this.#loop = loop;
    this.#network = network;
    this.#links = links;
    this.#hosts = hosts;
    this.#addresses = addresses;
  }

  /** Something may have broken or been put back. */
  changed(): void {
    this.onChange?.();
  }

  get nowUs(): number {
    return this.#loop.nowUs;
  }

  get events(): number {
    return this.#loop.events;
  }

  host({ hostIndex }: MemberView): HostCondition {
    const { clock, pauses, slowness, clockChanges, inbox, member } = this.#hostAt(hostIndex);
    const hamperedUntilUs =
      pauses > 0 || slowness.length > 0 || Math.abs(clock.rate - 1) > RATE_ERROR_MAX
        ? Infinity
        : Math.max(clock.frozenUntilUs, member?.storage.hamperedUntilUs ?? 0);
    return {
      hamperedUntilUs,
      clockChanges,
      clockMs: clock.monotonicMs(this.nowUs),
      keepsInputsWaiting: inbox.length > 0,
    };
  }

  link(from: MemberView, to: MemberView): LinkCondition {
    const state: LinkState = this.#network.stateOf(from.hostIndex, to.hostIndex);
    const sender = this.#hostAt(from.hostIndex).member;
    const receiver = this.#hostAt(to.hostIndex).member;
    // As good as cut: the receiver has moved, and the sender does not know where it is.
    const isLost = sender !== null && receiver !== null && !this.#addresses.reaches(sender, receiver);
    return {
      ...state,
      isBlocked: state.isBlocked || isLost,
      damageChance: this.#links.damageChance(from.hostIndex, to.hostIndex),
    };
  }

  #hostAt(index: number): SimHost {
    const host = this.#hosts[index];
    if (host === undefined) throw new RangeError(`there is no host ${index}`);
    return host;
  }
}
