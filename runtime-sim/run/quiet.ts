/**
 * The phase after the faults: everything is healed that can be healed, and then the cluster has a stated time to be
 * live again. What stays down is what is beyond repair: hosts whose disk is lost or damaged, and processes that
 * stopped themselves over evidence.
 */
import { type ClusterState, isQuorum, LIMITS, type NodeId } from "../../core/index.ts";
import type { Injector } from "../faults/index.ts";
import type { Missing } from "../fleet/index.ts";
import { CALM_LINK } from "../network/index.ts";
import { AtRest, whyNotConverged } from "../oracles/index.ts";
import type { Operator, Workload } from "../workload/index.ts";
import type { SimMember, World } from "../world/index.ts";
import type { FaultView } from "./fault-view.ts";

/** Between two looks at whether the cluster is live. */
const LOOK_EVERY_US = 100_000;

/** The rule of the cluster itself: a leader, equal states, clients served. */
const LIVENESS = "liveness";
/** Nothing that was under way is held for ever. */
const AT_REST = "at-rest";

export type QuietOutcome =
  | { readonly kind: "waiting" }
  | { readonly kind: "live" }
  /** It need not be live: the text says why. */
  | { readonly kind: "excused"; readonly reason: string }
  /** Whose rule it is that the cluster does not come to fulfil. */
  | { readonly kind: "stuck"; readonly oracle: string; readonly reason: string };

export interface QuietParts {
  readonly world: World;
  readonly injector: Injector;
  readonly faults: FaultView;
  readonly operator: Operator;
  readonly workload: Workload;
  readonly fleet: { heal(): void; missing(state: ClusterState): Missing | null } | null;
  readonly boundMs: number;
}

export class QuietPhase {
  readonly #parts: QuietParts;
  readonly #deadlineUs: number;
  /** For what takes as long as there is of it. */
  #progress = 0;
  #progressDeadlineUs: number;
  readonly #atRest = new AtRest();
  outcome: QuietOutcome = { kind: "waiting" };

  constructor(parts: QuietParts) {
    this.#parts = parts;
    this.#deadlineUs = parts.world.loop.nowUs + parts.boundMs * 1000;
    this.#progressDeadlineUs = this.#deadlineUs;
    this.#heal();
    parts.workload.quiet();
    this.#lookLater();
  }

  #heal(): void {
    const { world, injector, operator } = this.#parts;
    operator.stop();
    injector.stop();
    world.network.heal();
    this.#parts.fleet?.heal();
    world.links.setAllBase(CALM_LINK);
    for (const host of world.members.hosts) {
      host.clock.thaw(world.loop.nowUs);
      host.clock.setRate(1, world.loop.nowUs);
      world.processes.clockChanged(host);
      const { member } = host;
      if (member === null) continue;
      if (!member.honest) {
        // From here on the others must do without it.
        world.processes.retire(member);
        continue;
      }
      member.storage.heal(world.loop.nowUs);
      world.processes.armDisk(member);
      // A supervisor would have done it sooner or later.
      if (member.node?.halted === true && !member.failStopped) world.processes.crash(member);
      world.processes.boot(member);
    }
  }

  #lookLater(): void {
    this.#parts.world.loop.after(LOOK_EVERY_US, () => {
      const missing = this.#missing();
      if (missing === null) this.outcome = { kind: "live" };
      else if (this.#isOverdue(missing)) this.outcome = this.#stuck(missing);
      else this.#lookLater();
    });
  }

  #isOverdue({ progress }: Missing): boolean {
    const { world, boundMs } = this.#parts;
    const { nowUs } = world.loop;
    if (progress === undefined) return nowUs >= this.#deadlineUs;
    if (progress > this.#progress) {
      this.#progress = progress;
      this.#progressDeadlineUs = nowUs + boundMs * 1000;
    }
    return nowUs >= this.#progressDeadlineUs;
  }

  /** What the cluster still lacks; null when it is live. */
  #missing(): Missing | null {
    const { world, workload, fleet } = this.#parts;
    const lacks = (what: string): Missing => ({ oracle: LIVENESS, what });
    const leader = world.members.leader();
    if (leader === null || leader.node === null) return lacks("nobody leads");
    const { configuration, state } = leader.node;
    if (configuration.outgoing.length > 0) return lacks("a membership change has not ended");
    const ids = new Set(configuration.members.map(({ id }) => id));
    const live = world.members.running().filter(({ id }) => ids.has(id));
    // With as many voters as a cluster may have, a learner waits until one leaves.
    const hasRoom = configuration.voters.length < LIMITS.voters;
    const waiting = live.find(
      ({ id }) =>
        hasRoom &&
        configuration.members.some((member) => member.id === id && member.promote) &&
        configuration.learners.includes(id),
    );
    if (waiting !== undefined) return lacks(`learner ${waiting.id} has not been promoted`);
    if (workload.waitsFor !== null) return lacks(workload.waitsFor);
    const ofFleet = fleet?.missing(state) ?? null;
    if (ofFleet !== null) return ofFleet;
    const lost = world.addresses.whyNotFound(live, state);
    if (lost !== null) return lacks(lost);
    // Last, because it costs as much as the state is large.
    const different = whyNotConverged(live);
    if (different !== null) return lacks(different);
    const held = this.#atRest.whyNot(live.map(({ node }) => node).filter((node) => node !== null));
    return held === null ? null : { oracle: AT_REST, what: held };
  }

  #stuck({ oracle, what, progress }: Missing): QuietOutcome {
    const reason = this.#excuse();
    if (reason !== null) return { kind: "excused", reason };
    const since = progress === undefined ? "the last fault ended" : "the last progress";
    const after = `${this.#parts.boundMs / 1000} s after ${since} ${what}`;
    return { kind: "stuck", oracle, reason: `${after}\n${this.#describe()}` };
  }

  /**
   * Proof that nobody can be elected, if so: each process that runs and has a vote needs a quorum of the configuration
   * it acts by, and the members that are left are too few for one. A configuration counts from its entry on, committed
   * or not.
   */
  #excuse(): string | null {
    const running = this.#parts.world.members.running();
    const isRunning = (id: NodeId): boolean => running.some((member) => member.id === id);
    let proof = "no honest process that has a vote is left";
    for (const { id, node } of running) {
      if (node === null) continue;
      const { configuration } = node;
      const voters = [...new Set([...configuration.voters, ...configuration.outgoing])];
      if (!voters.includes(id)) continue;
      if (isQuorum(configuration, isRunning)) return null;
      const lost = voters.filter((voter) => !isRunning(voter));
      const reasons = lost.map((voter) => `node ${voter} ${fateOf(this.#parts.world.members.withId(voter))}`);
      proof = `no quorum is left of ${voters.join(", ")}: ${reasons.join("; ")}`;
    }
    return proof;
  }

  #describe(): string {
    return this.#parts.world.members.all.map(described).join("\n");
  }
}

function fateOf(member: SimMember | null): string {
  if (member === null) return "was never started";
  if (!member.honest) return "lies";
  if (member.state === "gone") return "lost its disk";
  if (member.diskEmptied) return "has forgotten everything";
  if (member.damageFound) return "has a damaged disk";
  if (member.failStopped) return "has stopped itself over evidence";
  return member.state === "up" ? "has stopped itself" : "does not start";
}

function described(member: SimMember): string {
  const { node } = member;
  if (node === null || node.halted) return `node ${member.id}: ${fateOf(member)}`;
  const { term, role, leaderId, commitIndex, appliedIndex, log, configuration, configurationIndex } = node;
  const { voters, outgoing, learners } = configuration;
  const joint = outgoing.length === 0 ? "" : ` from ${outgoing.join(",")}`;
  const learning = learners.length === 0 ? "" : ` learners ${learners.join(",")}`;
  return (
    `node ${member.id}: ${role} in term ${term}, follows ${leaderId}, commit ${commitIndex}, applied ` +
    `${appliedIndex}, last ${log.lastIndex}, voters ${voters.join(",")}${joint}${learning} since ` +
    `${configurationIndex}`
  );
}
