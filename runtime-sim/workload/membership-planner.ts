/**
 * The membership changes that an operator may choose from: add, remove, demote and promote members, and replace one by
 * another. It never leaves fewer sound copies of the data than unsound ones.
 */
import type { Configuration, ConfigurationChange, NodeId } from "../../core/index.ts";
import type { FaultAtlas } from "../faults/index.ts";
import type { Stream } from "../random/index.ts";
import type { SimHost, SimMember, World } from "../world/index.ts";
import { isReached, type MembershipJob } from "./membership-job.ts";
import type { OperatorShape } from "./shape.ts";

/**
 * How long a removed process is left running at most. One that does not know yet that it was removed may do harm, and
 * that should be tested.
 */
const REMOVED_RUNS_MAX_US = 20_000_000;

export interface MembershipPlannerParts {
  readonly world: World;
  readonly atlas: FaultAtlas;
  readonly shape: OperatorShape;
  readonly rng: Stream;
  /** Members whose host waits for another in their place. */
  readonly replacements: readonly SimMember[];
}

export class MembershipPlanner {
  readonly #world: World;
  readonly #atlas: FaultAtlas;
  readonly #shape: OperatorShape;
  readonly #rng: Stream;
  readonly #replacements: readonly SimMember[];

  constructor({ world, atlas, shape, rng, replacements }: MembershipPlannerParts) {
    this.#world = world;
    this.#atlas = atlas;
    this.#shape = shape;
    this.#rng = rng;
    this.#replacements = replacements;
  }

  /** A sensible change of the configuration, drawn at random; null when there is none. */
  draw(configuration: Configuration): MembershipJob | null {
    const jobs = [
      () => this.#add(configuration),
      () => this.#remove(configuration),
      () => this.#demote(configuration),
      () => this.#promote(configuration),
      () => this.#swap(configuration),
    ];
    for (const draw of this.#rng.shuffle(jobs)) {
      const job = draw();
      if (job !== null) return job;
    }
    return null;
  }

  /** Puts a new member on a host; the member that lived there before leaves in the same step. */
  newcomer(host: SimHost, formerId: NodeId | null, promote: boolean, isUrgent: boolean): MembershipJob {
    const world = this.#world;
    const id = world.members.takeId();
    const identity = world.members.issueIdentity(host);
    const changes: ConfigurationChange[] = [{ kind: "addLearner", id, peerId: identity.peerId, promote }];
    if (formerId !== null) changes.unshift({ kind: "remove", id: formerId });
    // Until it has caught up its copy is worth nothing.
    this.#atlas.markDamaged(id);
    const voters = world.members.configuration()?.voters ?? [];
    return {
      text: formerId === null ? `add node ${id}` : `replace node ${formerId} by node ${id}`,
      changes,
      voters: [...voters.filter((voter) => voter !== formerId), id],
      isDone: ({ members }) =>
        members.some((member) => member.id === id) && !members.some((member) => member.id === formerId),
      finish: (leader) => {
        if (host.member !== null) return;
        const start = leader.startOf(id);
        if ("refused" in start) throw new RangeError(`node ${id}, which is new, may not start: ${start.refused}`);
        const liar = world.members.withId(leader.id)?.liar ?? null;
        const restored = liar?.admits(start.restored) ?? start.restored;
        world.processes.boot(world.members.moveIn(host, id, identity, restored));
      },
      isUrgent,
      sinceUs: world.loop.nowUs,
    };
  }

  /** Whether a set of voters keeps more sound copies than unsound ones, and is of a size that the scenario allows. */
  #isSensible(voters: readonly NodeId[]): boolean {
    const [fewest, most] = this.#shape.voters;
    if (voters.length < fewest || voters.length > most) return false;
    const worthless = voters.filter(
      (id) => this.#atlas.isDamaged(id) || this.#world.members.withId(id)?.state === "gone",
    );
    return 2 * worthless.length < voters.length;
  }

  #freeHost(): SimHost | null {
    const lost = new Set(this.#replacements.map(({ host }) => host));
    const free = this.#world.members.hosts.filter(
      (host) => host.member === null && !lost.has(host) && this.#isVacant(host),
    );
    return free.length === 0 ? null : this.#rng.pick(free);
  }

  /** No member that ever lived on the host is in the configuration any more. */
  #isVacant(host: SimHost): boolean {
    const members = this.#world.members.configuration()?.members ?? [];
    return !this.#world.members.all.some(
      (member) => member.host === host && members.some(({ id }) => id === member.id),
    );
  }

  #add(configuration: Configuration): MembershipJob | null {
    if (configuration.voters.length + configuration.learners.length >= this.#shape.voters[1]) return null;
    const host = this.#freeHost();
    return host === null ? null : this.newcomer(host, null, this.#rng.chance(0.85), false);
  }

  #remove(configuration: Configuration): MembershipJob | null {
    const member = this.#someone(configuration.members.map(({ id }) => id));
    if (member === null) return null;
    const voters = configuration.voters.filter((id) => id !== member.id);
    if (!this.#isSensible(voters)) return null;
    return this.#plain(`remove node ${member.id}`, [{ kind: "remove", id: member.id }], voters, () =>
      this.#retire(member),
    );
  }

  #demote(configuration: Configuration): MembershipJob | null {
    const member = this.#someone(configuration.voters);
    if (member === null) return null;
    const voters = configuration.voters.filter((id) => id !== member.id);
    if (!this.#isSensible(voters)) return null;
    return this.#plain(`demote node ${member.id}`, [{ kind: "demote", id: member.id }], voters, () => {});
  }

  #promote(configuration: Configuration): MembershipJob | null {
    const member = this.#someone(configuration.learners);
    if (member === null) return null;
    const voters = [...configuration.voters, member.id];
    if (!this.#isSensible(voters)) return null;
    return this.#plain(`promote node ${member.id}`, [{ kind: "promote", id: member.id }], voters, () => {});
  }

  /** One member leaves and another comes, in one step. */
  #swap(configuration: Configuration): MembershipJob | null {
    const host = this.#freeHost();
    const member = this.#someone(configuration.voters);
    if (host === null || member === null || !this.#isSensible(configuration.voters.filter((id) => id !== member.id)))
      return null;
    const job = this.newcomer(host, null, true, false);
    return {
      ...job,
      text: `${job.text}, remove node ${member.id}`,
      changes: [...job.changes, { kind: "remove", id: member.id }],
      voters: job.voters.filter((id) => id !== member.id),
      isDone: (now) => job.isDone(now) && !now.members.some(({ id }) => id === member.id),
      finish: (leader) => {
        job.finish(leader);
        this.#retire(member);
      },
    };
  }

  #plain(
    text: string,
    changes: readonly ConfigurationChange[],
    voters: readonly NodeId[],
    after: () => void,
  ): MembershipJob {
    const isDone = (now: Configuration): boolean => changes.every((change) => isReached(change, now));
    return { text, changes, voters, isDone, finish: after, isUrgent: false, sinceUs: this.#world.loop.nowUs };
  }

  /** A removed process runs on for a while before it is turned off. */
  #retire(member: SimMember): void {
    this.#world.loop.after(this.#rng.integer(0, REMOVED_RUNS_MAX_US), () => {
      if (member.state !== "gone") this.#world.processes.retire(member);
    });
  }

  #someone(ids: readonly NodeId[]): SimMember | null {
    const members = ids.map((id) => this.#world.members.withId(id)).filter((member) => member !== null);
    return members.length === 0 ? null : this.#rng.pick(members);
  }
}
