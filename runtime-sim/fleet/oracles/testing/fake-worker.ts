/** A host made by hand: it executes whatever it is told to. */
import type { Interface, Job, Machine, VmRecord } from "../../../../core/index.ts";
import type { RunningMachine } from "../../hypervisor.ts";
import type { RunningJob } from "../../jobs.ts";
import type { WorkerView } from "../oracle.ts";

/** What a host needs of its fleet. */
interface WorkersFleet {
  vm(name: string): VmRecord;
  /** Of the addresses that the VM holds. */
  interfaces(name: string): readonly Interface[];
  changed(worker: FakeWorker): void;
}

export class FakeWorker implements WorkerView {
  readonly id: number;
  wasDisturbed = false;
  hasMisreported = false;
  isDown = false;
  wasPaused = false;
  process = 1;
  servers: readonly number[] | null = null;
  asksRunningServer = false;
  mayHaveBeenMisled = false;
  downs = 0;
  nowMs = 0;
  leasedAtMs = 0;
  switchAtMs = Number.NEGATIVE_INFINITY;
  readonly #fleet: WorkersFleet;
  #machines: readonly RunningMachine[] = [];
  #runningJobs: readonly RunningJob[] = [];
  /** What is there and does not execute. */
  readonly stopped: Machine[] = [];

  constructor(id: number, fleet: WorkersFleet) {
    this.id = id;
    this.#fleet = fleet;
  }

  readonly hypervisor = {
    running: () => this.#machines,
    machines: (): readonly Machine[] => [
      ...this.#machines.map(({ name, epoch }) => ({ name, epoch, phase: "running" as const, reason: "" })),
      ...this.stopped,
    ],
    jobs: (): readonly Job[] =>
      this.#runningJobs.map((job) => ({ ...job, phase: "running" as const, exitCode: 0, output: "" })),
    runningJobs: this.#runningJobs,
  };

  /** A machine of the VM's spec, in the VM's run unless another is given. */
  run(name: string, epoch = this.#fleet.vm(name).epoch, interfaces = this.#fleet.interfaces(name)): void {
    const { spec } = this.#fleet.vm(name);
    this.#machines = [...this.#machines, { name, epoch, spec, interfaces }];
    this.#fleet.changed(this);
  }

  /** Its power fails, and comes back. */
  reboot(): void {
    this.#machines = [];
    this.downs += 1;
    this.#fleet.changed(this);
  }

  runOrphan(name: string, epoch: number): void {
    this.#machines = [...this.#machines, { name, epoch, spec: null, interfaces: [] }];
    this.#fleet.changed(this);
  }

  end(name: string): void {
    this.#machines = this.#machines.filter((machine) => machine.name !== name);
    this.#fleet.changed(this);
  }

  runJob(id: string, attempt: number): void {
    this.#setJobs([...this.#runningJobs, { id, attempt }]);
  }

  endJob(id: string): void {
    this.#setJobs(this.#runningJobs.filter((job) => job.id !== id));
  }

  #setJobs(jobs: readonly RunningJob[]): void {
    this.#runningJobs = jobs;
    Object.assign(this.hypervisor, { runningJobs: jobs });
    this.#fleet.changed(this);
  }
}
