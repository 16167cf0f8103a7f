/**
 * What the agent knows of how the assigned VMs and tasks are to be built and run, and what it lacks. An assignment
 * only names them. The agent asks for the details with its reports, as many at a time as a directive may hold.
 */
import { DEFAULT_VM_SPEC, type HealthCheck } from "../domain/index.ts";
import { type AssignedVm, type Details, HOST_LIMITS, type Report, type TaskDetail, type VmDetail } from "./protocol.ts";

/** All state: what is known, and what is lacking in the order in which it was missed. */
export interface KnownDetailsState extends Details {
  readonly lackedVms: readonly string[];
  readonly lackedTasks: readonly string[];
}

export class KnownDetails {
  /** By name of the VM. */
  readonly #vms = new Map<string, VmDetail>();
  /** By id of the task. */
  readonly #tasks = new Map<string, TaskDetail>();
  readonly #lackedVms = new Set<string>();
  readonly #lackedTasks = new Set<string>();

  learn({ vms, tasks }: Details): void {
    for (const detail of vms) {
      const known = this.#vms.get(detail.name);
      if (known === undefined || isNewer(detail, known)) this.#vms.set(detail.name, detail);
    }
    for (const detail of tasks) {
      if (detail.attempt > (this.#tasks.get(detail.id)?.attempt ?? 0)) this.#tasks.set(detail.id, detail);
    }
  }

  // ---- What is lacking

  get lacksAny(): boolean {
    return this.#lackedVms.size > 0 || this.#lackedTasks.size > 0;
  }

  /** As much of it as one report may ask for. */
  get lacks(): Report["lacks"] {
    return {
      vms: [...this.#lackedVms].slice(0, HOST_LIMITS.vmDetails),
      tasks: [...this.#lackedTasks].slice(0, HOST_LIMITS.taskDetails),
    };
  }

  lacksTask(id: string): boolean {
    return this.#lackedTasks.has(id);
  }

  /** What is needed is found out anew with every look at the assignment. */
  forgetLacks(): void {
    this.#lackedVms.clear();
    this.#lackedTasks.clear();
  }

  // ---- What is known. What is not counts as lacking from then on.

  /** What the VM is to be built from; null: not known. */
  detailOf(vm: AssignedVm): VmDetail | null {
    const detail = this.#vms.get(vm.name);
    if (detail !== undefined && isOf(detail, vm)) return detail;
    this.#lackedVms.add(vm.name);
    return null;
  }

  /** The health checks of the VM, or those of an earlier version, which are better than none. */
  healthChecksOf(vm: AssignedVm): readonly HealthCheck[] {
    const detail = this.#vms.get(vm.name);
    if (detail === undefined || !isOf(detail, vm)) this.#lackedVms.add(vm.name);
    return detail?.spec.healthChecks ?? [];
  }

  /** That of an earlier version where the present one is not known, and that of a VM that says nothing for others. */
  bootTimeoutMsOf(name: string): number {
    return (this.#vms.get(name)?.spec ?? DEFAULT_VM_SPEC).bootTimeoutMs;
  }

  /** What that attempt of a task is to run; null: not known. */
  taskOf(id: string, attempt: number): TaskDetail | null {
    const detail = this.#tasks.get(id);
    if (detail?.attempt === attempt) return detail;
    this.#lackedTasks.add(id);
    return null;
  }

  /** Forgets all VMs and tasks that are not assigned. */
  keepOnly(vms: ReadonlyMap<string, number>, tasks: ReadonlySet<string>): void {
    for (const name of this.#vms.keys()) if (!vms.has(name)) this.#vms.delete(name);
    for (const id of this.#tasks.keys()) if (!tasks.has(id)) this.#tasks.delete(id);
  }

  capture(): KnownDetailsState {
    return {
      vms: [...this.#vms.values()],
      tasks: [...this.#tasks.values()],
      lackedVms: [...this.#lackedVms],
      lackedTasks: [...this.#lackedTasks],
    };
  }

  restore({ vms, tasks, lackedVms, lackedTasks }: KnownDetailsState): void {
    for (const detail of vms) this.#vms.set(detail.name, detail);
    for (const detail of tasks) this.#tasks.set(detail.id, detail);
    for (const name of lackedVms) this.#lackedVms.add(name);
    for (const id of lackedTasks) this.#lackedTasks.add(id);
  }
}

type Version = Pick<VmDetail, "createdIndex" | "generation">;

function isOf(detail: Version, vm: Version): boolean {
  return detail.createdIndex === vm.createdIndex && detail.generation === vm.generation;
}

function isNewer(a: Version, b: Version): boolean {
  return a.createdIndex > b.createdIndex || (a.createdIndex === b.createdIndex && a.generation > b.generation);
}
