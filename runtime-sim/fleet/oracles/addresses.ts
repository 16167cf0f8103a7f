/**
 * An address, with its MAC and its tap device, has one owner: no two VMs hold it, and while a machine executes
 * anywhere, wanted or not, lost or a zombie, no other VM holds the addresses it answers to: those that its VM held
 * when this run was placed. Its host has set up just these. Each network of a VM has one, of the pool that it names,
 * or of one that carries its tags; and a change of a VM that leaves a network as it is moves no address of it to
 * another pool.
 *
 * Not checked: which of the free addresses a VM gets, and by which strategy a pool is chosen.
 */
import { type ClusterState, type Interface, interfaceOf, poolOf, type VmRecord, vmOf } from "../../../core/index.ts";
import { type Moment, momentText } from "../../world/index.ts";
import type { FleetContext, FleetOracle, WorkerView } from "./oracle.ts";

const NONE: readonly string[] = [];

/** Whose an address is, and since when. */
interface Owner {
  readonly name: string;
  readonly since: Moment;
}

export function addresses({ now, violate, violateLease }: FleetContext): FleetOracle {
  const owners = new Map<string, Owner>();
  const held = new Map<string, readonly string[]>();
  /** As each VM was last asked for. */
  const last = new Map<string, VmRecord>();
  /** What each run answers to. */
  const answers = new Map<string, readonly string[]>();
  /** Who answers to an address by executing. */
  const executing = new Map<string, Map<WorkerView, Owner>>();

  const release = (name: string): void => {
    for (const key of held.get(name) ?? NONE) if (owners.get(key)?.name === name) owners.delete(key);
    held.delete(name);
  };

  return {
    name: "addresses",
    summary: "no address has two owners, or is given away while somebody answers to it",
    checks: 0,
    happened(event, state) {
      switch (event.kind) {
        case "vmCreated":
        case "vmUpdated": {
          const { name } = event;
          const vm = vmOf(state, name);
          release(name);
          if (vm === null) return;
          const wrong = firstUnserved(state, vm);
          if (wrong !== null) violate(() => `${name} has no address that serves its network ${wrong + 1}`);
          const before = last.get(name);
          last.set(name, vm);
          if (event.kind === "vmUpdated" && before !== undefined && hasMovedForNothing(before, vm))
            violate(() => `${name} has another address than by entry ${before.updatedIndex}, and the same networks`);
          if (vm.addresses.length === 0) return;
          const keys = keysOf(state, vm);
          held.set(name, keys);
          const since = now();
          for (const key of keys) {
            this.checks += 1;
            const owner = owners.get(key);
            if (owner !== undefined)
              violateLease(
                () => `${key} belongs to ${owner.name} since ${momentText(owner.since)}, and is given to ${name}`,
              );
            owners.set(key, { name, since });
            for (const [worker, other] of executing.get(key) ?? []) {
              if (other.name !== name)
                violateLease(
                  () =>
                    `${key} is given to ${name} while ${other.name} answers to it on worker ${worker.id} since ` +
                    momentText(other.since),
                );
            }
          }
          return;
        }
        case "vmState": {
          const keys = held.get(event.name);
          if (keys !== undefined && event.epoch > 0) answers.set(runOf(event.name, event.epoch), keys);
          return;
        }
        case "vmDeleted":
          release(event.name);
          last.delete(event.name);
          return;
        default:
          return;
      }
    },
    began(worker, { name, epoch, spec, interfaces }) {
      const held = answers.get(runOf(name, epoch));
      const since = now();
      if (spec !== null && held !== undefined) {
        this.checks += 1;
        const set = interfaces.flatMap(keysOfInterface);
        if (set.join() !== held.join())
          violate(() => `${name} runs on worker ${worker.id} with ${set.join()}, and holds ${held.join()}`);
      }
      for (const key of held ?? NONE) {
        const there = executing.get(key) ?? new Map<WorkerView, Owner>();
        executing.set(key, there.set(worker, { name, since }));
        this.checks += 1;
        const owner = owners.get(key);
        if (owner !== undefined && owner.name !== name)
          violateLease(
            () =>
              `${name} answers to ${key} on worker ${worker.id}, which belongs to ${owner.name} since ` +
              momentText(owner.since),
          );
      }
    },
    ended(worker, { name, epoch }) {
      for (const key of answers.get(runOf(name, epoch)) ?? NONE) {
        const there = executing.get(key);
        if (there?.get(worker)?.name === name) there.delete(worker);
        if (there?.size === 0) executing.delete(key);
      }
    },
  };
}

function runOf(name: string, epoch: number): string {
  return `${name} ${epoch}`;
}

/** Which of its networks has no address, or one of a pool that it did not ask for; null: none. */
function firstUnserved(state: ClusterState, { spec, addresses: list }: VmRecord): number | null {
  const found = spec.networks.findIndex((network, at) => {
    const pool = poolOf(state, list[at]?.pool ?? "");
    if (pool === null) return true;
    if (network.pool !== null) return network.pool !== pool.spec.name;
    return network.tags.some((tag) => !pool.spec.tags.includes(tag));
  });
  return found < 0 ? null : found;
}

function hasMovedForNothing(before: VmRecord, after: VmRecord): boolean {
  return (
    JSON.stringify(before.spec.networks) === JSON.stringify(after.spec.networks) &&
    JSON.stringify(before.addresses) !== JSON.stringify(after.addresses)
  );
}

function keysOf(state: ClusterState, { addresses: list }: VmRecord): readonly string[] {
  const keys: string[] = [];
  for (const { pool: name, index } of list) {
    const pool = poolOf(state, name);
    if (pool === null) continue;
    keys.push(...keysOfInterface(interfaceOf(pool, index)));
  }
  return keys;
}

function keysOfInterface({ address, vlan, mac, tap }: Interface): readonly string[] {
  return [`${address} of VLAN ${vlan ?? "none"}`, mac, tap];
}
