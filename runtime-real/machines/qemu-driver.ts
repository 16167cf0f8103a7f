/**
 * Runs machines under QEMU. Their processes belong to the supervisor (supervisor.ts), so they outlive this node. What
 * is known of them is in their directories (files.ts), so the next node finds them as they are.
 */
import { chmodSync } from "node:fs";
import type { Logger } from "pino";
import type { Interface, Machine, VmSpec } from "../../core/index.ts";
import {
  type GuestNetworkOptions,
  type HostNetwork,
  NoDeviceError,
  openGuestNetwork,
  RulesError,
} from "../guest-network/index.ts";
import { type BootImage, emptyQcow2, type HostImages, ImageError } from "../images/index.ts";
import { IpError } from "../iproute/index.ts";
import { killAll, markOf } from "../processes/index.ts";
import type {
  Accelerator,
  ConsoleRun,
  Driver,
  DriverListener,
  MachineAction,
  MachineConsole,
} from "../worker/index.ts";
import { type Confinement, confinementOf } from "./confinement.ts";
import { ConsoleFileReader } from "./console-reader.ts";
import { causeOf } from "./end-cause.ts";
import { MachineFiles } from "./files.ts";
import { type MachineParts, QemuMachine } from "./machine.ts";
import type { Manager } from "./manager.ts";
import { isHealthy } from "./probes.ts";
import {
  type Boot,
  demandSupported,
  openedFor,
  qemuArguments,
  rootDiskBytes,
  UnsupportedSpec,
} from "./qemu-command.ts";
import { SupervisorClient, type SupervisorListener } from "./supervisor-client.ts";
import type { News, Order } from "./supervisor-protocol.ts";
import { type Start, startAsUnit, startDetached } from "./supervisor-start.ts";
import { UnitFiles, type UnitOwner } from "./unit-files.ts";

export interface QemuDriverParts {
  /** Absolute: the directory of all machines of this host. */
  readonly folder: string;
  readonly images: Pick<HostImages, "store" | "fetches">;
  readonly accelerator: Accelerator;
  readonly network: GuestNetworkOptions;
  /** The program. */
  readonly qemu: string;
  /** What its machines are units of; null: they are processes of the supervisor. */
  readonly manager: Manager | null;
  readonly owner: UnitOwner;
  readonly log: Logger;
}

export class QemuDriver implements Driver {
  readonly name = "qemu";
  readonly features: readonly string[];
  readonly #files: MachineFiles;
  readonly #parts: QemuDriverParts;
  readonly #machines = new Map<string, QemuMachine>();
  #listener: DriverListener | null = null;
  #supervisor: SupervisorClient | null = null;
  /** The start or the end of a supervisor that is under way: orders wait for it. */
  #settled: Promise<void> = Promise.resolve();
  readonly #network: HostNetwork;
  /** Ends what is being built, by name. */
  readonly #builds = new Map<string, AbortController>();
  /** Those of its machines and of their supervisor; null: there are none. */
  #units: UnitFiles | null;
  #fenceAtMs: number | null = null;
  #isClosed = false;

  private constructor(parts: QemuDriverParts) {
    this.#parts = parts;
    this.features = parts.accelerator === "kvm" ? ["kvm", "qemu"] : ["qemu"];
    this.#files = new MachineFiles(parts.folder);
    this.#network = openGuestNetwork(parts.folder, parts.network, parts.log);
    this.#units = parts.manager === null ? null : UnitFiles.find(parts.manager, parts.folder);
  }

  /** Resolves when it knows every machine on the host. */
  static async open(parts: QemuDriverParts): Promise<QemuDriver> {
    const driver = new QemuDriver(parts);
    await driver.#adopt();
    return driver;
  }

  async #adopt(): Promise<void> {
    for (const run of this.#files.list()) {
      const isOver = this.#files.isStarted(run) || this.#files.end(run) !== null;
      // Whether it lives or has ended is known once the supervisor has spoken, or is not there.
      const { interfaces, stopTimeoutMs } = this.#files.read(run);
      this.#add({ run, interfaces, stopTimeoutMs }, isOver ? "starting" : "built");
    }
    const first = Promise.withResolvers<void>();
    const listener = this.#supervisorListener(() => first.resolve());
    this.#supervisor = await SupervisorClient.find(this.#parts.folder, listener);
    if (this.#supervisor === null) await this.#endAll();
    else await first.promise;
    this.#removeNetworks();
  }

  /** @param heard is called at each news, and when there will be none. */
  #supervisorListener(heard: () => void): SupervisorListener {
    return {
      told: (news) => {
        this.#told(news);
        heard();
      },
      gone: (client) => {
        this.#supervisorGone(client);
        heard();
      },
    };
  }

  listen(listener: DriverListener): void {
    this.#listener = listener;
  }

  inventory(): readonly Machine[] {
    return [...this.#machines.values()].map(({ shown }) => shown).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  fenceAt(atMs: number): void {
    this.#fenceAtMs = atMs;
    this.#supervisor?.order({ kind: "fenceAt", atMs });
  }

  perform(action: MachineAction): void {
    const { name, epoch } = action;
    const machine = this.#machines.get(name);
    switch (action.kind) {
      case "build":
        if (machine === undefined || (machine.run.epoch < epoch && !isAlive(machine))) this.#build(action);
        return;
      case "start":
        if (machine?.run.epoch === epoch && machine.phase === "built") this.#start(machine);
        return;
      case "stop":
        if (machine?.run.epoch !== epoch) return;
        if (machine.phase === "building") this.#endBuild(machine, "the build was ended");
        else machine.stop();
        return;
      case "delete":
        if (machine === undefined || machine.run.epoch > epoch || machine.executes) return;
        this.#builds.get(name)?.abort(new Error("it is deleted"));
        machine.release();
        this.#machines.delete(name);
        this.#files.remove(name);
        this.#units?.remove(name);
        this.#dismissSupervisor();
        this.#listener?.changed();
        return;
      case "probe":
        void this.#probe(action);
        return;
    }
  }

  console(name: string, run: ConsoleRun): MachineConsole | null {
    const machine = this.#machines.get(name);
    if (machine === undefined) return null;
    if (run === "last") return this.#consoleOf(machine);
    const earlier = this.#files.previous(name);
    if (earlier === null) return null;
    const { epoch, folder, end, isAskedToStop } = earlier;
    return {
      epoch,
      read: (linesMax) => new ConsoleFileReader(folder, linesMax),
      end: () => causeOf(end, isAskedToStop).reason,
      type: () => undefined,
    };
  }

  #consoleOf(machine: QemuMachine): MachineConsole {
    const { run } = machine;
    return {
      epoch: run.epoch,
      read: (linesMax) => new ConsoleFileReader(this.#files.path(run), linesMax),
      end: () => {
        if (this.#machines.get(run.name) !== machine) return "it was removed from its host";
        return machine.phase === "stopped" || machine.phase === "failed" ? machine.shown.reason : null;
      },
      type: (bytes) => {
        if (machine.executes) this.#supervisor?.type(run, bytes);
      },
    };
  }

  /** Lets go of all machines: they go on. */
  close(): void {
    this.#isClosed = true;
    this.#parts.images.fetches.close();
    for (const machine of this.#machines.values()) machine.release();
    this.#network.close();
    this.#supervisor?.close();
  }

  #add(
    { run, interfaces, stopTimeoutMs }: Pick<MachineParts, "run" | "interfaces" | "stopTimeoutMs">,
    phase: Machine["phase"],
  ): QemuMachine {
    const machine = new QemuMachine(
      {
        run,
        interfaces,
        stopTimeoutMs,
        files: this.#files,
        log: this.#parts.log,
        changed: () => this.#listener?.changed(),
        signal: (signal) => this.#supervisor?.order({ kind: "signal", ...run, signal }),
      },
      phase,
    );
    this.#machines.set(run.name, machine);
    return machine;
  }

  async #probe({ name, epoch, check, probe, timeoutMs }: Extract<MachineAction, { readonly kind: "probe" }>) {
    const machine = this.#machines.get(name);
    const isRunning = (): boolean => machine?.run.epoch === epoch && machine.phase === "running";
    const address = machine?.interfaces[0]?.address ?? null;
    const folder = this.#files.path({ name, epoch });
    const passes = isRunning() && (await isHealthy(probe, address, folder, timeoutMs));
    // A guest that has gone meanwhile does not answer.
    this.#listener?.probed(name, epoch, check, passes && isRunning());
  }

  #build(action: BuildAction): void {
    const { name, epoch, interfaces } = action;
    this.#machines.get(name)?.release();
    const { stopTimeoutMs } = action.spec;
    const machine = this.#add({ run: { name, epoch }, interfaces, stopTimeoutMs }, "building");
    const end = new AbortController();
    this.#builds.set(name, end);
    this.#make(machine, action, end.signal)
      .catch((error: unknown) => {
        if (end.signal.aborted || machine.phase !== "building") return;
        if (!(error instanceof UnsupportedSpec || error instanceof ImageError || error instanceof NoDeviceError))
          this.#parts.log.error({ err: error, vm: name }, "a machine could not be built");
        machine.enter("failed", error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        if (this.#builds.get(name) === end) this.#builds.delete(name);
      });
  }

  /** Fetches its image if this host lacks it, and writes down what to start. */
  async #make(machine: QemuMachine, { name, epoch, spec, interfaces: asked }: BuildAction, signal: AbortSignal) {
    const { qemu, accelerator, images } = this.#parts;
    demandSupported({ spec, interfaces: asked });
    const interfaces = await this.#network.interfacesFor(asked);
    signal.throwIfAborted();
    const named = imageOf(spec);
    const digest = images.store.digestOf(named);
    if (digest === null)
      throw new ImageError(`this host knows no image by the name ${named}: by its digest it is found elsewhere, too`);
    if (!images.store.has(digest)) {
      await images.fetches.fetch(digest, signal, (words) => {
        if (machine.phase === "building") machine.enter("building", words);
      });
      signal.throwIfAborted();
    }
    const image = images.store.find(digest);
    const confinement = confinementOf(this.#parts.folder, name, spec, accelerator);
    const boot = this.#bootOf(name, spec, image, confinement);
    const args = qemuArguments({ name, spec, interfaces, boot, accelerator });
    this.#files.make({
      version: 1,
      name,
      epoch,
      command: qemu,
      args,
      opened: openedFor({ interfaces, boot }),
      confinement,
      stopTimeoutMs: spec.stopTimeoutMs,
      interfaces: interfaces.map((one) => ({ ...one, dns: [...one.dns] })),
    });
    machine.enter("built");
  }

  /** With the disk of the machine, where the image is one. */
  #bootOf(name: string, spec: VmSpec, image: BootImage, { uid }: Confinement): Boot {
    const paths = image.kind === "kernel" ? [image.kernelPath, image.initrdPath] : [image.diskPath];
    // Its user opens them by the descriptors that it gets: nobody else comes as far as to their directory.
    if (uid !== null) for (const path of paths) chmodSync(path, 0o444);
    if (image.kind === "kernel") return image;
    const sizeBytes = rootDiskBytes(spec, image);
    return { ...image, rootDisk: this.#files.makeRootDisk(name, image.digest, () => emptyQcow2(sizeBytes), uid) };
  }

  #endBuild(machine: QemuMachine, reason: string): void {
    this.#builds.get(machine.run.name)?.abort(new Error(reason));
    machine.enter("failed", reason);
  }

  #start(machine: QemuMachine): void {
    const { run } = machine;
    machine.enter("starting");
    void this.#setUp(machine).catch((error: unknown) => {
      this.#parts.log.error({ err: error, vm: run.name }, "a machine could not be started");
      if (machine.phase === "starting" && !(error instanceof IpError || error instanceof RulesError))
        machine.enter("built");
      else if (machine.executes)
        this.#notStarted(machine, `it could not be started: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  async #setUp(machine: QemuMachine): Promise<void> {
    const { run } = machine;
    if (machine.interfaces.length > 0) await this.#network.create(machine.interfaces, () => this.#guests());
    if (machine.phase === "starting") await this.#order({ kind: "start", ...run });
    else this.#notStarted(machine, "it was told to stop before it was started");
  }

  #notStarted(machine: QemuMachine, detail: string): void {
    this.#files.writeEnd(machine.run, { how: "notStarted", cause: null, detail });
    this.#ended(machine);
  }

  #ended(machine: QemuMachine): void {
    machine.ended();
    this.#removeNetworks();
  }

  /** What machines that have ended needed. */
  #removeNetworks(): void {
    this.#network
      .keepOnly(() => this.#guests())
      .catch((error: unknown) =>
        this.#parts.log.warn({ err: error }, "the network of guests could not be brought up to date"),
      );
  }

  /** What the guests need that run, by tap device. */
  #guests(): ReadonlyMap<string, Interface> {
    return new Map(
      [...this.#machines.values()].flatMap(({ executes, interfaces }) =>
        executes ? interfaces.map((one) => [one.tap, one] as const) : [],
      ),
    );
  }

  /** @throws Error when there is no supervisor, and none can be started. */
  async #order(order: Order): Promise<void> {
    this.#settled = this.#settled.then(async () => {
      if (this.#supervisor !== null || this.#isClosed) return;
      const listener = this.#supervisorListener(() => undefined);
      const start = (): ReturnType<Start> => this.#startSupervisor();
      this.#supervisor = await SupervisorClient.findOrStart(this.#parts.folder, listener, start);
      if (this.#fenceAtMs !== null) this.#supervisor.order({ kind: "fenceAt", atMs: this.#fenceAtMs });
    });
    const settled = this.#settled;
    this.#settled = settled.catch(() => undefined);
    await settled;
    this.#supervisor?.order(order);
  }

  async #startSupervisor(): ReturnType<Start> {
    const { folder, manager, owner } = this.#parts;
    if (manager === null) return await startDetached(folder);
    this.#units ??= UnitFiles.claim(manager, folder, owner);
    return await startAsUnit(this.#units);
  }

  #told({ living, startedByHand }: News): void {
    if (startedByHand !== undefined && this.#machines.has(startedByHand)) this.#listener?.startedByHand(startedByHand);
    const alive = new Map(living.map(({ name, epoch }) => [name, epoch]));
    for (const machine of this.#machines.values()) {
      const { run } = machine;
      if (alive.get(run.name) === run.epoch) machine.lives();
      else if (machine.executes && (machine.hasLived || this.#files.end(run) !== null)) this.#ended(machine);
    }
  }

  /** It has died, and its machines with it; or it had none, and was dismissed. */
  #supervisorGone(client: SupervisorClient): void {
    if (this.#supervisor !== client || this.#isClosed) return;
    this.#supervisor = null;
    this.#settled = this.#settled.then(async () => await this.#endAll());
  }

  /** No supervisor lives: nor does any machine, once the kernel has ended those that it had. */
  async #endAll(): Promise<void> {
    await killAll({ group: null, markedWith: markOf(this.#parts.folder) });
    for (const machine of this.#machines.values()) {
      const { run } = machine;
      if (!machine.executes) continue;
      if (this.#files.isStarted(run))
        this.#files.writeEnd(run, { how: "killed", cause: null, detail: "its supervisor has died" });
      if (this.#files.end(run) !== null) this.#ended(machine);
      else if (machine.phase === "starting") machine.enter("built");
      else this.#notStarted(machine, "it was told to stop before it was started");
    }
  }

  #dismissSupervisor(): void {
    if (this.#machines.size > 0 || this.#supervisor === null) return;
    this.#supervisor.close();
    this.#supervisor = null;
    this.#units?.removeSupervisor();
    this.#units = null;
  }
}

type BuildAction = Extract<MachineAction, { readonly kind: "build" }>;

function imageOf({ source }: VmSpec): string {
  if (source === null) throw new UnsupportedSpec("source: this driver has no guest of its own: name an image");
  if (!("image" in source)) throw new UnsupportedSpec("source: this driver boots images, not Nix modules");
  return source.image;
}

/** One that is being built is at work on its files. */
function isAlive(machine: QemuMachine): boolean {
  return machine.executes || machine.phase === "building";
}
