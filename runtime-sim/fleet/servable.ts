/**
 * Whether a worker can be served at the moment, and the leader can commit, by the simulator's own records of
 * processes, disks and links: what nodes and agents believe is asked only for who leads, and how much it has
 * committed. A leader whose log is far ahead of what is committed, because it has to bring a quorum up to date first,
 * gets nothing decided soon.
 */
import { isQuorum } from "../../core/index.ts";
import type { LinkState } from "../network/index.ts";
import type { SimHost, SimMember, World } from "../world/index.ts";

/** Messages on a good link arrive nearly all, and soon compared with the second that agents and leaders wait. */
const LOSS_MAX = 0.02;
const DELAY_MAX_MS = 50;
/** Rates of clocks that are within any bound that leases rest on. */
const RATE_ERROR_MAX = 0.025;

/** An entry of a leader that can commit takes no longer. */
const COMMIT_MAX_US = 3_000_000;

/** The part of a worker that is looked at. */
export interface ServedHost {
  readonly host: SimHost;
  readonly isDown: boolean;
  /** Null while it does not run. It asks the servers of which it has been told. */
  readonly agent: { readonly servers: readonly number[] } | null;
}

export class Servable {
  readonly #world: World;
  /** Servers from which a worker would be served, and who leads them; as of the last look. */
  #servers: readonly SimMember[] = [];
  #leader: SimMember | null = null;
  #term = 0;
  #boots = 0;
  /** Rises whenever another leader, or another process of it, leads. */
  #leaderships = 0;
  #lookedAtUs = -1;
  /** The last entry that the leader had when it was first seen: until that is committed it answers no worker. */
  #firstIndex = 0;
  /** The last entry that the leader had at some look, and when; another one is awaited when it is committed. */
  #awaitedIndex = 0;
  #awaitedSinceUs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Another number is another leadership. Between two of them nobody may be served. */
  get leaderships(): number {
    this.#look();
    return this.#leaderships;
  }

  /** Whether there is a leader that can commit. */
  get canCommit(): boolean {
    this.#look();
    return this.#servers.length > 0 && this.#world.loop.nowUs - this.#awaitedSinceUs <= COMMIT_MAX_US;
  }

  /** One that was away while all the servers that it knows were replaced asks in vain. */
  isServable({ host, isDown, agent }: ServedHost): boolean {
    if (isDown || agent === null || !this.#isSteady(host)) return false;
    this.#look();
    if ((this.#leader?.node?.commitIndex ?? 0) < this.#firstIndex) return false;
    return this.#servers.some((server) => agent.servers.includes(server.id) && this.#isConnected(host, server.host));
  }

  #look(): void {
    const { nowUs } = this.#world.loop;
    if (nowUs === this.#lookedAtUs) return;
    this.#lookedAtUs = nowUs;
    const leader = this.#world.members.leader();
    const term = leader?.node?.term ?? 0;
    const boots = leader?.boots ?? 0;
    const isAnother = leader !== this.#leader || term !== this.#term || boots !== this.#boots;
    const { commitIndex, log } = leader?.node ?? NO_LOG;
    if (isAnother) {
      this.#leaderships += 1;
      this.#firstIndex = log.lastIndex;
    }
    if (isAnother || commitIndex >= this.#awaitedIndex) {
      this.#awaitedIndex = log.lastIndex;
      this.#awaitedSinceUs = nowUs;
    }
    this.#leader = leader;
    this.#term = term;
    this.#boots = boots;
    this.#servers = leader === null ? [] : this.#serversOf(leader);
  }

  #serversOf(leader: SimMember): readonly SimMember[] {
    const configuration = leader.node?.configuration;
    if (configuration === undefined || !this.#isSound(leader)) return [];
    const near = this.#world.members
      .running()
      .filter((member) => member === leader || (this.#isSound(member) && this.#isConnected(leader.host, member.host)));
    const ids = new Set(near.map(({ id }) => id));
    if (!isQuorum(configuration, (id) => ids.has(id))) return [];
    return near.filter(({ id }) => configuration.voters.includes(id));
  }

  /** Its process runs, on a steady host, and its disk works. */
  #isSound({ node, honest, host, storage }: SimMember): boolean {
    if (node === null || node.halted || !honest) return false;
    return this.#isSteady(host) && storage.hamperedUntilUs <= this.#world.loop.nowUs;
  }

  #isSteady({ pauses, slowness, clock, inbox }: SimHost): boolean {
    if (pauses > 0 || slowness.length > 0 || inbox.length > 0) return false;
    return !clock.isFrozen(this.#world.loop.nowUs) && Math.abs(clock.rate - 1) <= RATE_ERROR_MAX;
  }

  #isConnected(a: SimHost, b: SimHost): boolean {
    return a === b || (this.#carries(a, b) && this.#carries(b, a));
  }

  #carries(from: SimHost, to: SimHost): boolean {
    const { network, links, loop } = this.#world;
    const state: LinkState = network.stateOf(from.index, to.index);
    const { isBlocked, cloggedUntilUs, hasLimit, lossChance, delayMinMs, delayMeanMs, tailChance, tailFactor } = state;
    if (isBlocked || hasLimit || cloggedUntilUs > loop.nowUs) return false;
    const delayMs = delayMinMs + delayMeanMs;
    const isLate = delayMs * tailFactor > DELAY_MAX_MS;
    const lost = lossChance + links.damageChance(from.index, to.index) + (isLate ? tailChance : 0);
    return lost <= LOSS_MAX && delayMs <= DELAY_MAX_MS;
  }
}

const NO_LOG = { commitIndex: 0, log: { lastIndex: 0 } };
