/** One run of a machine under QEMU, as this node knows it: its phase, its monitor, and how it is brought to an end. */
import type { Logger } from "pino";
import type { Machine as HostMachine, Interface, MachinePhase } from "../../core/index.ts";
import { causeOf } from "./end-cause.ts";
import type { MachineFiles, RunPath } from "./files.ts";
import { lastLines } from "./last-lines.ts";
import { MONITOR_SOCKET } from "./qemu-command.ts";
import { Qmp } from "./qmp.ts";
import { TERMINATE_MS } from "./supervisor-protocol.ts";

/** A monitor that does not answer within this time is taken for one that hangs. */
const COMMAND_TIMEOUT_MS = 2000;

export interface MachineParts {
  readonly run: RunPath;
  readonly interfaces: readonly Interface[];
  readonly stopTimeoutMs: number;
  readonly files: MachineFiles;
  readonly log: Logger;
  /** `shown` is another one now. */
  changed(): void;
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

export class QemuMachine {
  readonly run: RunPath;
  readonly interfaces: readonly Interface[];
  readonly #parts: MachineParts;
  #shown: HostMachine;
  #monitor: Qmp | null = null;
  #hasLived = false;
  /** Ends what waits for the monitor, when the process has ended. */
  readonly #life = new AbortController();
  #escalation: NodeJS.Timeout | null = null;

  constructor(parts: MachineParts, phase: MachinePhase) {
    this.#parts = parts;
    this.run = parts.run;
    this.interfaces = parts.interfaces;
    this.#shown = { ...parts.run, phase, reason: "" };
  }

  get shown(): HostMachine {
    return this.#shown;
  }

  get phase(): MachinePhase {
    return this.#shown.phase;
  }

  /** Its process lives, or is about to. */
  get executes(): boolean {
    return this.phase === "starting" || this.phase === "running" || this.phase === "stopping";
  }

  /** Its process has been seen alive. */
  get hasLived(): boolean {
    return this.#hasLived;
  }

  enter(phase: MachinePhase, reason = ""): void {
    if (this.phase === phase && this.#shown.reason === reason) return;
    this.#shown = { ...this.run, phase, reason };
    this.#parts.log.info({ vm: this.run.name, epoch: this.run.epoch, phase, reason }, "a machine has changed");
    this.#parts.changed();
  }

  /** Its process lives: found so after a start, or by a node that has just come up. */
  lives(): void {
    if (this.#hasLived || this.#life.signal.aborted) return;
    this.#hasLived = true;
    this.enter(this.#parts.files.isAskedToStop(this.run) ? "stopping" : "starting");
    void this.#watch();
  }

  async #watch(): Promise<void> {
    const { files, log } = this.#parts;
    const { signal } = this.#life;
    try {
      const monitor = await Qmp.open(files.workFolder(this.run), MONITOR_SOCKET, () => undefined, signal);
      this.#monitor = monitor;
      if (this.phase === "stopping") await this.#powerDown();
      else if (this.phase === "starting") {
        await monitor.execute("query-status", AbortSignal.any([signal, AbortSignal.timeout(COMMAND_TIMEOUT_MS)]));
        if (this.phase === "starting") this.enter("running");
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, vm: this.run.name }, "the monitor of a machine does not answer");
    }
  }

  /** Its process has ended; `end.json` says how, unless nobody saw it. */
  ended(): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    if (this.#escalation !== null) clearTimeout(this.#escalation);
    this.#monitor?.close();
    this.#monitor = null;
    const { files } = this.#parts;
    const end = files.end(this.run);
    const { isOrderly, reason } = causeOf(end, files.isAskedToStop(this.run));
    // Of a crash that the guest has caused, its console may say why.
    const words = !isOrderly && end?.cause?.startsWith("guest-") === true ? lastLines(files.path(this.run)) : "";
    this.enter(isOrderly ? "stopped" : "failed", words === "" ? reason : `${reason}; its console ends: ${words}`);
  }

  /** Asks the guest to power off; ends it when it has not after its `stopTimeoutMs`. */
  stop(): void {
    if (!this.executes || this.#escalation !== null) return;
    this.#parts.files.markAskedToStop(this.run);
    this.enter("stopping");
    this.#escalation = setTimeout(() => {
      this.#parts.signal("SIGTERM");
      this.#escalation = setTimeout(() => this.#parts.signal("SIGKILL"), TERMINATE_MS);
    }, this.#parts.stopTimeoutMs);
    void this.#powerDown();
  }

  async #powerDown(): Promise<void> {
    const { name } = this.run;
    try {
      // Without a monitor yet: `#watch` asks once there is one.
      await this.#monitor?.execute("system_powerdown", AbortSignal.timeout(COMMAND_TIMEOUT_MS));
    } catch (error) {
      this.#parts.log.warn({ err: error, vm: name }, "a machine could not be asked to power off");
    }
  }

  /** This node lets go of it: it goes on. */
  release(): void {
    this.#life.abort();
    if (this.#escalation !== null) clearTimeout(this.#escalation);
    this.#monitor?.close();
  }
}
