/**
 * Who need not be asked. A VM that nobody would take is tried again when something has changed, and most of what changes is no help to it: so it asks only
 * those workers that have changed since; and where every domain is full of its group already, it waits until one of the group leaves, or there is another
 * domain. What is passed over here would have refused.
 */
import {
  type AntiAffinity,
  domainOf,
  intentOf,
  type Topology,
  type VmRecord,
  type WorkerRecord,
} from "../domain/index.ts";
import type { PlacementContext, PlacementRequest } from "../scheduler/index.ts";

/** Changes of workers that are remembered. */
const CHANGES_MAX = 1024;
/** If more have changed, all are asked. */
const CANDIDATES_MAX = 64;

const SCOPES = ["rack", "zone", "datacenter"] as const;
type Scope = (typeof SCOPES)[number];

export class Prospects {
  /** The workers that changed last, in a ring, and how many changes there ever were. */
  readonly #changed: number[] = [];
  #changes = 0;
  /** How many changes there had been when a VM was last refused by everybody. */
  readonly #refusedAt = new Map<string, number>();
  readonly #topologies = new Map<number, Topology>();
  /** How many workers are in each domain. */
  readonly #domains: Readonly<Record<Scope, Map<string, number>>> = {
    rack: new Map(),
    zone: new Map(),
    datacenter: new Map(),
  };
  /** By rule, whether all its domains are full, and the state of which that is so. */
  readonly #full = new Map<string, boolean>();
  #fullIn: PlacementContext | null = null;
  /** By name: the priorities of VMs that may be made to give way, and how many there are of each. */
  readonly #priorities = new Map<string, number>();
  readonly #victims = new Map<number, number>();
  /** By group, whom it shuts out; and by name, which group that is. */
  readonly #shutOut = new Map<string, Set<string>>();
  readonly #shutOutBy = new Map<string, string>();
  /** By name, where the members of groups are. */
  readonly #members = new Map<string, Member>();
  /** Groups that have lost a member since `takeReadmitted` was last asked. */
  readonly #left = new Set<string>();

  clear(): void {
    this.#changed.length = 0;
    this.#changes = 0;
    this.#refusedAt.clear();
    this.#topologies.clear();
    for (const scope of SCOPES) this.#domains[scope].clear();
    this.#full.clear();
    this.#fullIn = null;
    this.#priorities.clear();
    this.#victims.clear();
    this.#shutOut.clear();
    this.#shutOutBy.clear();
    this.#members.clear();
    this.#left.clear();
  }

  workerChanged({ id, topology }: WorkerRecord): void {
    this.roomCameBack(id);
    const before = this.#topologies.get(id);
    if (before === topology) return;
    this.#topologies.set(id, topology);
    for (const group of this.#shutOut.keys()) this.#left.add(group);
    for (const scope of SCOPES) {
      if (before !== undefined) count(this.#domains[scope], domainOf(scope, { id, topology: before }), -1);
      count(this.#domains[scope], domainOf(scope, { id, topology }), 1);
    }
  }

  workerGone(id: number): void {
    const topology = this.#topologies.get(id);
    if (topology === undefined) return;
    this.#topologies.delete(id);
    for (const scope of SCOPES) count(this.#domains[scope], domainOf(scope, { id, topology }), -1);
  }

  /** There may be more room on a worker than there was. */
  roomCameBack(workerId: number): void {
    this.#changed[this.#changes % CHANGES_MAX] = workerId;
    this.#changes += 1;
  }

  /** Other rules: whoever refused may think again. */
  rulesChanged(): void {
    this.#refusedAt.clear();
  }

  vmChanged(vm: VmRecord): void {
    const { name, spec, workerId } = vm;
    this.#refusedAt.delete(name);
    this.#admit(name);
    const { antiAffinity } = spec;
    this.#setMember(name, workerId === null || antiAffinity.length === 0 ? undefined : { workerId, antiAffinity });
    const isVictim = spec.preemptible && workerId !== null && intentOf(vm) === "run";
    this.#setVictim(name, isVictim ? spec.priority : undefined);
  }

  vmGone(name: string): void {
    this.#refusedAt.delete(name);
    this.#admit(name);
    this.#setMember(name, undefined);
    this.#setVictim(name, undefined);
  }

  #setVictim(name: string, priority: number | undefined): void {
    const before = this.#priorities.get(name);
    if (before === priority) return;
    if (before !== undefined) count(this.#victims, before, -1);
    if (priority === undefined) {
      this.#priorities.delete(name);
      return;
    }
    this.#priorities.set(name, priority);
    count(this.#victims, priority, 1);
  }

  #setMember(name: string, member: Member | undefined): void {
    const before = this.#members.get(name);
    if (before !== undefined && (before.workerId !== member?.workerId || before.antiAffinity !== member.antiAffinity)) {
      for (const { group } of before.antiAffinity) if (this.#shutOut.has(group)) this.#left.add(group);
    }
    if (member !== undefined) this.#members.set(name, member);
    else if (before !== undefined) this.#members.delete(name);
  }

  #admit(name: string): void {
    const group = this.#shutOutBy.get(name);
    if (group === undefined) return;
    this.#shutOutBy.delete(name);
    const others = this.#shutOut.get(group);
    others?.delete(name);
    if (others?.size === 0) this.#shutOut.delete(group);
  }

  /** Those who may find a place now that others of their group have left theirs. */
  takeReadmitted(): readonly string[] {
    if (this.#left.size === 0) return NOBODY;
    const names = [...this.#left].flatMap((group) => [...(this.#shutOut.get(group) ?? NOBODY)]);
    this.#left.clear();
    for (const name of names) this.#admit(name);
    return names;
  }

  /** Everybody was asked, and refused; nor would it help if others left. */
  refused(name: string): void {
    this.#refusedAt.set(name, this.#changes);
  }

  /** Whether there is anybody who might give way to that priority. */
  hasVictims(priority: number): boolean {
    for (const other of this.#victims.keys()) if (other < priority) return true;
    return false;
  }

  /**
   * Whether each domain of some hard rule's scope has as many of the group as it may have, in the state that `context` reads. If so, `takeReadmitted` tells
   * when that may have changed.
   */
  isShutOut(context: PlacementContext, name: string, rules: PlacementRequest["antiAffinity"]): boolean {
    if (rules.length === 0) return false;
    if (this.#fullIn !== context) {
      this.#fullIn = context;
      this.#full.clear();
    }
    const full = rules.find((rule) => rule.softWeight === null && this.#isFull(context, rule));
    if (full === undefined) return false;
    this.#shutOutBy.set(name, full.group);
    const others = this.#shutOut.get(full.group);
    if (others === undefined) this.#shutOut.set(full.group, new Set([name]));
    else others.add(name);
    return true;
  }

  #isFull({ groupCount }: PlacementContext, { group, scope, maxPerDomain }: AntiAffinity): boolean {
    if (scope === "node") return false;
    // Many wait behind one rule.
    const key = `${group} ${scope} ${maxPerDomain}`;
    const known = this.#full.get(key);
    if (known !== undefined) return known;
    let isFull = true;
    for (const domain of this.#domains[scope].keys()) {
      isFull = groupCount(group, scope, domain) >= maxPerDomain;
      if (!isFull) break;
    }
    this.#full.set(key, isFull);
    return isFull;
  }

  /** The workers that may take a VM now; null: all have to be asked. */
  candidates(context: PlacementContext, request: PlacementRequest): readonly number[] | null {
    const since = this.#refusedAt.get(request.name);
    if (since === undefined || !dependsOnWorkersAlone(context, request)) return null;
    if (this.#changes - since > CHANGES_MAX) return null;
    const ids = new Set<number>();
    for (let at = since; at < this.#changes; at++) {
      const id = this.#changed[at % CHANGES_MAX];
      if (id !== undefined) ids.add(id);
      if (ids.size > CANDIDATES_MAX) return null;
    }
    return [...ids];
  }
}

/** Whether what a worker says changes with that worker alone, and not with what happens on others. */
function dependsOnWorkersAlone(
  { settings, tenantPerWorkerMax }: PlacementContext,
  { tenant, antiAffinity }: PlacementRequest,
): boolean {
  if (settings.strategy === "cost" || settings.strategy === "spread") return false;
  if (antiAffinity.some(({ softWeight, scope }) => softWeight === null && scope !== "node")) return false;
  return tenantPerWorkerMax(tenant) === Number.POSITIVE_INFINITY;
}

/** Of the groups of its rules. */
interface Member {
  readonly workerId: number;
  readonly antiAffinity: readonly AntiAffinity[];
}

const NOBODY: readonly string[] = [];

function count<K>(counts: Map<K, number>, key: K, change: 1 | -1): void {
  const after = (counts.get(key) ?? 0) + change;
  if (after === 0) counts.delete(key);
  else counts.set(key, after);
}
