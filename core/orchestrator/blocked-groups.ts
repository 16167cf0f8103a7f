/**
 * VMs that are blocked by a hard rule of anti-affinity: every domain of the rule's scope has as many of the group as
 * it may have. They wait until a member of the group leaves its place, or until there is another domain, and are not
 * tried whenever room changes.
 */
import { type AntiAffinity, domainOf, type Topology, type VmRecord, type WorkerRecord } from "../domain/index.ts";
import type { PlacementContext, PlacementRequest } from "../scheduler/index.ts";
import { count } from "./counts.ts";

const SCOPES = ["rack", "zone", "datacenter"] as const;
type Scope = (typeof SCOPES)[number];

/** A placed VM that is of the groups of its rules. */
interface Member {
  readonly workerId: number;
  readonly antiAffinity: readonly AntiAffinity[];
}

type Domains = Readonly<Record<Scope, Map<string, number>>>;

export class BlockedGroups {
  #topologies = new Map<number, Topology>();
  /** How many workers are in each domain. */
  #domains: Domains = {
    rack: new Map(),
    zone: new Map(),
    datacenter: new Map(),
  };
  /** By name. */
  #members = new Map<string, Member>();
  /** By group, the VMs that it blocks; and by name, the group. */
  #blocked = new Map<string, Set<string>>();
  #blockedBy = new Map<string, string>();
  /** Blocking groups that may have become open since `takeUnblocked` was last called. */
  #changed = new Set<string>();
  /** By rule, whether all its domains are full, in the state that this context reads. */
  readonly #full = new Map<string, boolean>();
  #fullIn: PlacementContext | null = null;

  workerChanged({ id, topology }: WorkerRecord): void {
    const before = this.#topologies.get(id);
    if (before === topology) return;
    this.#topologies.set(id, topology);
    for (const group of this.#blocked.keys()) this.#changed.add(group);
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

  vmChanged({ name, spec: { antiAffinity }, workerId }: VmRecord): void {
    this.#unblock(name);
    this.#setMember(name, workerId === null || antiAffinity.length === 0 ? undefined : { workerId, antiAffinity });
  }

  vmGone(name: string): void {
    this.#unblock(name);
    this.#setMember(name, undefined);
  }

  #setMember(name: string, member: Member | undefined): void {
    const before = this.#members.get(name);
    if (before !== undefined && (before.workerId !== member?.workerId || before.antiAffinity !== member.antiAffinity)) {
      for (const { group } of before.antiAffinity) if (this.#blocked.has(group)) this.#changed.add(group);
    }
    if (member !== undefined) this.#members.set(name, member);
    else if (before !== undefined) this.#members.delete(name);
  }

  #unblock(name: string): void {
    const group = this.#blockedBy.get(name);
    if (group === undefined) return;
    this.#blockedBy.delete(name);
    const others = this.#blocked.get(group);
    others?.delete(name);
    if (others?.size === 0) this.#blocked.delete(group);
  }

  /** The VMs that may find a place again. They are not blocked any more, and are to be tried. */
  takeUnblocked(): readonly string[] {
    if (this.#changed.size === 0) return NOBODY;
    const names = [...this.#changed].flatMap((group) => [...(this.#blocked.get(group) ?? NOBODY)]);
    this.#changed.clear();
    for (const name of names) this.#unblock(name);
    return names;
  }

  /** Blocks the VM if one of its rules has no open domain in the state that `context` reads. */
  block(context: PlacementContext, name: string, rules: PlacementRequest["antiAffinity"]): boolean {
    if (rules.length === 0) return false;
    if (this.#fullIn !== context) {
      this.#fullIn = context;
      this.#full.clear();
    }
    const full = rules.find((rule) => rule.softWeight === null && this.#isFull(context, rule));
    if (full === undefined) return false;
    this.#blockedBy.set(name, full.group);
    const others = this.#blocked.get(full.group);
    if (others === undefined) this.#blocked.set(full.group, new Set([name]));
    else others.add(name);
    return true;
  }

  #isFull({ groupCount }: PlacementContext, { group, scope, maxPerDomain }: AntiAffinity): boolean {
    if (scope === "node") return false;
    // Many VMs wait behind one rule.
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

  /** Which rules are full is looked up again. */
  capture() {
    return {
      topologies: new Map(this.#topologies),
      domains: copyOfDomains(this.#domains),
      members: new Map(this.#members),
      blocked: copyOfSets(this.#blocked),
      blockedBy: new Map(this.#blockedBy),
      changed: new Set(this.#changed),
    };
  }

  restore(captured: ReturnType<BlockedGroups["capture"]>): void {
    this.#topologies = new Map(captured.topologies);
    this.#domains = copyOfDomains(captured.domains);
    this.#members = new Map(captured.members);
    this.#blocked = copyOfSets(captured.blocked);
    this.#blockedBy = new Map(captured.blockedBy);
    this.#changed = new Set(captured.changed);
    this.#full.clear();
    this.#fullIn = null;
  }
}

const NOBODY: readonly string[] = [];

function copyOfDomains({ rack, zone, datacenter }: Domains): Domains {
  return { rack: new Map(rack), zone: new Map(zone), datacenter: new Map(datacenter) };
}

function copyOfSets<K, V>(sets: ReadonlyMap<K, ReadonlySet<V>>): Map<K, Set<V>> {
  return new Map([...sets].map(([key, set]) => [key, new Set(set)]));
}
