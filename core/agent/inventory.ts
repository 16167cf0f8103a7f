/**
 * The inventory as it is reported. It gets a new version whenever something in it changes, and is sent until the
 * leader has seen the newest.
 */
import { assert } from "../domain/index.ts";
import type { Inventory, ReportedMachine } from "./protocol.ts";
import type { Job } from "./types.ts";

interface FirstIn {
  readonly epoch: number;
  readonly version: number;
}

/** The whole state, for capture and restore. */
export interface VersionedInventoryState {
  readonly current: Inventory;
  readonly version: number;
  readonly heardVersion: number;
  readonly firstIn: readonly (readonly [string, FirstIn])[];
}

export class VersionedInventory {
  #current: Inventory = { machines: [], jobs: [] };
  /** 0: the host has not been looked at yet. */
  #version = 0;
  /** The version that the leader has seen. */
  #heardVersion = 0;
  /** For each machine in it, by name: its epoch, and the version that first had it. */
  readonly #firstIn = new Map<string, FirstIn>();

  get current(): Inventory {
    return this.#current;
  }

  get version(): number {
    return this.#version;
  }

  /** Whether the leader has seen the newest version. */
  get isHeard(): boolean {
    return this.#heardVersion === this.#version;
  }

  get heardVersion(): number {
    return this.#heardVersion;
  }

  heard(version: number): void {
    this.#heardVersion = version;
  }

  /** Whether the leader has seen that machine. */
  hasHeardOf({ name, epoch }: Pick<ReportedMachine, "name" | "epoch">): boolean {
    const first = this.#firstIn.get(name);
    return first?.epoch === epoch && first.version <= this.#heardVersion;
  }

  /** What is reported from now on, sorted by name and id. */
  update(machines: readonly ReportedMachine[], jobs: readonly Job[]): void {
    const isSame = sameJobs(this.#current.jobs, jobs) && sameMachines(this.#current.machines, machines);
    if (isSame && this.#version > 0) return;
    this.#current = { machines, jobs };
    this.#version += 1;
    const names = new Set<string>();
    for (const { name, epoch } of machines) {
      assert(!names.has(name), `one machine of a name is reported: ${name}, epoch`, epoch);
      names.add(name);
      if (this.#firstIn.get(name)?.epoch !== epoch) this.#firstIn.set(name, { epoch, version: this.#version });
    }
    for (const name of this.#firstIn.keys()) if (!names.has(name)) this.#firstIn.delete(name);
  }

  capture(): VersionedInventoryState {
    return {
      current: this.#current,
      version: this.#version,
      heardVersion: this.#heardVersion,
      firstIn: [...this.#firstIn],
    };
  }

  restore({ current, version, heardVersion, firstIn }: VersionedInventoryState): void {
    this.#current = current;
    this.#version = version;
    this.#heardVersion = heardVersion;
    for (const [name, first] of firstIn) this.#firstIn.set(name, first);
  }
}

function sameJobs(a: readonly Job[], b: readonly Job[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((one, at) => {
      const other = b[at];
      return one.id === other?.id && one.attempt === other.attempt && one.phase === other.phase;
    })
  );
}

function sameMachines(a: readonly ReportedMachine[], b: readonly ReportedMachine[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, at) => {
      const other = b[at];
      return (
        other !== undefined &&
        one.name === other.name &&
        one.epoch === other.epoch &&
        one.phase === other.phase &&
        one.reason === other.reason &&
        one.isUnhealthy === other.isUnhealthy
      );
    })
  );
}
