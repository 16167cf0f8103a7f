/** Opens the driver that a host was told to use. */
import { mkdirSync, readdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import type { Logger } from "pino";
import { NodeStartError } from "../errors/index.ts";
import { type HostImages, ImageError, type ImageStore, imageFolder } from "../images/index.ts";
import type { Accelerator, AcceleratorChoice, Driver, WorkerOptions } from "../worker/index.ts";
import { imageUsers } from "./image-users.ts";
import { type KvmTrial, knownTrial, kvmTrial } from "./kvm-trial.ts";
import { findManager, outlivesLogins } from "./manager.ts";
import { QemuDriver } from "./qemu-driver.ts";
import type { UnitOwner } from "./unit-files.ts";

const QEMU = "qemu-system-x86_64";

export interface OpenDriverParts {
  readonly dataDir: string;
  readonly options: WorkerOptions;
  readonly images: HostImages;
  readonly owner: UnitOwner;
  readonly log: Logger;
}

/** Resolves when it knows every machine on the host; to null when the host is to run none. @throws NodeStartError */
export async function openDriver(parts: OpenDriverParts): Promise<Driver | null> {
  const { dataDir, options, images, owner, log } = parts;
  switch (options.vmDriver) {
    case null:
      return null;
    case "qemu": {
      await demand(QEMU, ["--version"], "apt-get install qemu-system-x86");
      for (const program of ["setpriv", "prlimit"]) await demand(program, ["--version"], "apt-get install util-linux");
      await demand("perl", ["-MPOSIX", "-e", "1"], "apt-get install perl");
      await demand("flock", ["--version"], "apt-get install util-linux");
      await demand("ip", ["-V"], "apt-get install iproute2");
      await demand("nft", ["--version"], "apt-get install nftables");
      const { uplink, masquerade, guestPorts } = options;
      if (uplink !== null) await demandUplink(uplink);
      const folder = machinesFolder(dataDir);
      const accelerator = await chosenAccelerator(options.accelerator, folder, images.store, log);
      const network = { uplink, masquerade, guestPorts };
      const manager = await findManager();
      if (manager === null) log.info("there is no systemd manager: VMs are processes without units");
      else if (!outlivesLogins(manager))
        log.warn(
          { remedy: `loginctl enable-linger ${userInfo().username}` },
          "VMs are units of a user's manager that ends when the user has logged out",
        );
      return await QemuDriver.open({ folder, images, accelerator, network, qemu: QEMU, manager, owner, log });
    }
  }
}

/** What is known of KVM on this host; null: a node has not tried it since the host has booted. */
export function knownKvm(dataDir: string): KvmTrial | null {
  return knownTrial(machinesFolder(dataDir));
}

/** The names of the machines of this host that were made of an image. */
export function machinesOf(dataDir: string, digest: string): readonly string[] {
  return imageUsers(machinesFolder(dataDir), imageFolder(dataDir, digest));
}

function machinesFolder(dataDir: string): string {
  return join(resolve(dataDir), "machines");
}

async function chosenAccelerator(
  choice: AcceleratorChoice,
  folder: string,
  images: ImageStore,
  log: Logger,
): Promise<Accelerator> {
  if (choice !== "auto") return choice;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A host that has just booted has none that runs. Otherwise they must not wait for a trial until their lease is
  // over.
  const hasMachines = readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isDirectory());
  const kernels = images.list().flatMap(({ digest }) => kernelOf(images, digest));
  const { works, found } = hasMachines
    ? (knownTrial(folder) ?? { works: false, found: "not tried: this host has machines already" })
    : await kvmTrial(folder, QEMU, kernels);
  if (works) log.info({ found }, "VMs use KVM");
  else log.warn({ found }, "VMs are emulated, slowly: KVM does not work here");
  return works ? "kvm" : "tcg";
}

async function demand(
  program: string,
  args: readonly string[],
  remedy: string,
  option = "--vm-driver qemu",
): Promise<void> {
  const { failed } = await execa(program, args, { reject: false, cleanup: false });
  if (failed) throw new NodeStartError(`${program} is missing, which ${option} needs`, remedy);
}

async function demandUplink(uplink: string): Promise<void> {
  const { failed, stderr } = await execa("ip", ["link", "show", "dev", uplink], { reject: false, cleanup: false });
  if (failed)
    throw new NodeStartError(`--uplink ${uplink}: ${stderr.trim()}`, "`ip link` shows the interfaces of this host");
  await demand("socat", ["-V"], "apt-get install socat", "--uplink");
}

/** None where the image has none, or is damaged: then it is found out when a VM wants it. */
function kernelOf(images: ImageStore, digest: string): readonly string[] {
  try {
    const image = images.find(digest);
    return image.kind === "kernel" ? [image.kernelPath] : [];
  } catch (error) {
    if (error instanceof ImageError) return [];
    throw error;
  }
}
