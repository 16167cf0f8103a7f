/** A simulated hypervisor with its own time, for tests of it: actions go in, and time is moved by hand. */
import { DEFAULT_VM_SPEC, type HostAction, type Job, type Machine } from "../../../core/index.ts";
import { Streams } from "../../random/index.ts";
import { Hypervisor } from "../hypervisor.ts";
import { type HypervisorConditions, type HypervisorFaults, noHypervisorFaults } from "../hypervisor-faults.ts";

export const CONDITIONS: HypervisorConditions = {
  buildMeanMs: 1000,
  bootMeanMs: 500,
  stopMeanMs: 300,
  jobMeanMs: 2000,
};
export const SECOND_US = 1_000_000;
/** Far beyond all that is to come. */
export const LONG_US = 1000 * SECOND_US;
export const SPEC = DEFAULT_VM_SPEC;

/** A host, and the time there. */
export class Bench {
  readonly host: Hypervisor;
  nowUs = 0;

  constructor(faults: Partial<HypervisorFaults> = {}, seed = 1) {
    this.host = new Hypervisor(CONDITIONS, new Streams(seed).stream("hypervisor/0"));
    this.host.faults = { ...noHypervisorFaults(), ...faults };
  }

  do(...actions: HostAction[]): this {
    for (const action of actions) this.host.perform(action, this.nowUs);
    return this;
  }

  wait(us = LONG_US): boolean {
    this.nowUs += us;
    return this.host.advance(this.nowUs);
  }

  /** Until the next thing that happens has happened. */
  step(): boolean {
    this.nowUs = this.host.nextUs;
    return this.host.advance(this.nowUs);
  }

  machine(name = "vm"): Machine | undefined {
    return this.host.inventory().find((machine) => machine.name === name);
  }

  get phase(): string {
    return this.machine()?.phase ?? "absent";
  }

  get job(): Job | undefined {
    return this.host.jobs()[0];
  }

  /** With `vm` of that epoch running. */
  run(epoch = 1, name = "vm"): this {
    this.do(build(epoch, name)).wait();
    this.do(start(epoch, name)).step();
    return this;
  }
}

export function build(epoch = 1, name = "vm", spec = SPEC): HostAction {
  return { kind: "build", name, epoch, spec, interfaces: [] };
}
export function start(epoch = 1, name = "vm"): HostAction {
  return { kind: "start", name, epoch };
}
export function stop(epoch = 1, name = "vm"): HostAction {
  return { kind: "stop", name, epoch };
}
export function remove(epoch = 1, name = "vm"): HostAction {
  return { kind: "delete", name, epoch };
}
export function probe(epoch = 1, name = "vm", timeoutMs = 60_000): HostAction {
  return { kind: "probe", name, epoch, check: "alive", probe: { kind: "guestAgent" }, timeoutMs };
}
export function runJob(attempt = 1, id = "job", timeoutMs = 3_600_000): HostAction {
  return { kind: "runJob", id, attempt, command: "make", args: ["all"], timeoutMs };
}
export function endJob(attempt = 1, id = "job"): HostAction {
  return { kind: "endJob", id, attempt };
}
export function forgetJob(attempt = 1, id = "job"): HostAction {
  return { kind: "forgetJob", id, attempt };
}
