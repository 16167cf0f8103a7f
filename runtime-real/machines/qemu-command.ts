/**
 * The command line of QEMU for one machine. A kernel boots on the devices that microvm.nix gives a guest: the machine
 * type `microvm`, virtio over MMIO, and nothing that the guest does not need. A disk boots on `q35`, which has the
 * firmware for it, and virtio over PCI.
 */
import type { Interface, VmSpec } from "../../core/index.ts";
import { gatewayOf } from "../guest-network/index.ts";
import type { BootImage, DiskImage, KernelImage } from "../images/index.ts";
import type { Accelerator } from "../worker/index.ts";
import type { Opened } from "./confinement.ts";
import { whyNot } from "./probes.ts";

/** A specification that this driver cannot run. The message is for whoever wrote it. */
export class UnsupportedSpec extends Error {
  override readonly name = "UnsupportedSpec";
}

/** With exactly this much memory the guest of a `microvm` machine does not boot (microvm.nix#171). */
const BAD_MEMORY_MIB = 2048;

/**
 * Under emulation the kernel measures a wrong clock rate and hangs; it is told one, and does not depend on it.
 */
const EMULATED_TSC_KHZ = 2_445_432;
/** Translated code; without a bound QEMU takes a gigabyte of memory for it. */
const TRANSLATION_CACHE_MIB = 64;

const TRIAL_MEMORY_MIB = 256;

const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/** What the monitor of events is told first: then they come. */
export const HELLO = '{"execute":"qmp_capabilities"}';
/** Presses the power button. */
export const POWER_DOWN = '{"execute":"system_powerdown"}';

/** The file of QEMU's monitor, where its process works. */
export const MONITOR_SOCKET = "qmp.sock";

/** Descriptors of its process: of the first two the supervisor has the other end. */
const SERIAL = 3;
const MONITOR = 4;
const KERNEL = 10;
const INITRD = 11;
const IMAGE_DISK = 12;
const ROOT_DISK = 13;
const FIRST_TAP = 20;

/** What a machine boots: its image, and of a disk the file with what differs from it. */
export type Boot = KernelImage | (DiskImage & { readonly rootDisk: string });

export interface QemuMachineParts {
  readonly name: string;
  readonly spec: VmSpec;
  readonly interfaces: readonly Interface[];
  readonly boot: Boot;
  readonly accelerator: Accelerator;
}

/** @throws UnsupportedSpec when no machine of this driver could be what the specification asks for. */
export function demandSupported({ spec, interfaces }: Pick<QemuMachineParts, "spec" | "interfaces">): void {
  if (spec.volumes.length > 0) throw new UnsupportedSpec("volumes: this driver has none");
  for (const { address, vlan } of interfaces)
    if (vlan !== null)
      throw new UnsupportedSpec(
        `networks: ${address} is of a pool in VLAN ${vlan}, and this driver routes guests, which gives them no VLAN: name a pool without one`,
      );
  for (const { name: check, probe } of spec.healthChecks) {
    const reason = whyNot(probe);
    if (reason !== null) throw new UnsupportedSpec(`healthChecks: ${check}: ${reason}`);
  }
}

const GIB = 1024 ** 3;

/** The size of the disk that the guest sees. @throws UnsupportedSpec when the image has more than was asked for. */
export function rootDiskBytes({ diskGiB }: VmSpec, { virtualBytes }: Pick<DiskImage, "virtualBytes">): number {
  const askedBytes = diskGiB * GIB;
  if (askedBytes < virtualBytes)
    throw new UnsupportedSpec(
      `diskGiB: ${diskGiB}, and the disk of the image has ${virtualBytes} bytes: ask for ${Math.ceil(virtualBytes / GIB)} or more`,
    );
  return askedBytes;
}

/** @throws UnsupportedSpec */
export function qemuArguments(parts: QemuMachineParts): string[] {
  const { name, spec, interfaces, boot, accelerator } = parts;
  demandSupported(parts);
  if (boot.kind === "kernel" && spec.memoryMiB === BAD_MEMORY_MIB)
    throw new UnsupportedSpec(
      `memoryMiB: a guest with exactly ${BAD_MEMORY_MIB} MiB does not boot on QEMU's microvm machine (microvm.nix#171): ask for ${BAD_MEMORY_MIB - 1} or ${BAD_MEMORY_MIB + 1}`,
    );
  const board = BOARDS[boot.kind];
  return [
    ...["-name", name],
    ...machineArguments(board, accelerator, spec.vcpus, spec.memoryMiB, `socket,fd=${MONITOR}`),
    // The supervisor holds the other end.
    ...["-chardev", `socket,id=console,fd=${SERIAL}`, "-serial", "chardev:console"],
    ...["-qmp", `unix:${MONITOR_SOCKET},server=on,wait=off`],
    ...interfaces.flatMap(({ mac }, at) => [
      ...["-netdev", `tap,id=net${at},fd=${FIRST_TAP + at}`],
      ...["-device", `${board.networkDevice},netdev=net${at},mac=${mac}`],
    ]),
    ...(boot.kind === "kernel" ? kernelArguments(parts, boot) : diskArguments(boot)),
  ];
}

/** What it boots on. */
const BOARDS = {
  kernel: { machine: "microvm,acpi=on,rtc=on,pit=off,pic=off", networkDevice: "virtio-net-device" },
  // Without graphics the firmware writes to the serial console. No device brings a program of its own for it.
  disk: { machine: "q35,graphics=off,smm=off,vmport=off,usb=off", networkDevice: "virtio-net-pci,romfile=" },
} as const satisfies Record<BootImage["kind"], { readonly machine: string; readonly networkDevice: string }>;
type Board = (typeof BOARDS)[keyof typeof BOARDS];

function kernelArguments({ name, interfaces, accelerator }: QemuMachineParts, image: KernelImage): readonly string[] {
  const words = [
    "console=ttyS0",
    ...wordsFor(accelerator),
    `blixard.name=${name}`,
    ...interfaces
      .slice(0, 1)
      .flatMap((first) => [`blixard.address=${first.address}`, `blixard.gateway=${gatewayOf(first)}`]),
    image.commandLine,
  ];
  return [
    // The button that asks the guest to power off. The other board has it anyway.
    ...["-device", "i8042"],
    ...["-kernel", pathOf(KERNEL)],
    ...["-initrd", pathOf(INITRD)],
    ...["-append", words.join(" ").trim()],
  ];
}

/** The image is only read. What the guest writes goes to the file on top of it, which names no other by itself. */
function diskArguments({ format }: DiskImage): readonly string[] {
  const nodes = [
    { driver: "file", "node-name": "image-file", filename: pathOf(IMAGE_DISK), "read-only": true },
    { driver: format, "node-name": "image", file: "image-file", "read-only": true },
    { driver: "file", "node-name": "root-file", filename: pathOf(ROOT_DISK), discard: "unmap" },
    { driver: "qcow2", "node-name": "root", file: "root-file", backing: "image", discard: "unmap" },
  ];
  return [
    ...nodes.flatMap((node) => ["-blockdev", JSON.stringify(node)]),
    ...["-device", "virtio-blk-pci,drive=root,bootindex=0"],
  ];
}

/** What is opened for it. */
export function openedFor({ interfaces, boot }: Pick<QemuMachineParts, "interfaces" | "boot">): Opened[] {
  const files =
    boot.kind === "kernel"
      ? ([
          [KERNEL, boot.kernelPath],
          [INITRD, boot.initrdPath],
        ] as const)
      : ([
          [IMAGE_DISK, boot.diskPath],
          [ROOT_DISK, boot.rootDisk],
        ] as const);
  return [
    ...files.map(([fd, what]): Opened => ({ fd, kind: "file", what })),
    ...interfaces.map(({ tap }, at): Opened => ({ fd: FIRST_TAP + at, kind: "tap", what: tap })),
  ];
}

/** The user of the process must be one that may read the file: it is opened anew. */
function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** A machine with no device in which `kernel` comes as far as a kernel without a root comes. */
export function trialArguments(kernel: string, accelerator: Accelerator): string[] {
  const words = wordsFor(accelerator).join(" ");
  const machine = machineArguments(BOARDS.kernel, accelerator, 1, TRIAL_MEMORY_MIB, "stdio,signal=off");
  return [...machine, ...["-kernel", kernel], ...["-append", words]];
}

function machineArguments(
  { machine }: Board,
  accelerator: Accelerator,
  vcpus: number,
  memoryMiB: number,
  events: string,
): readonly string[] {
  const isEmulated = accelerator === "tcg";
  return [
    ...["-machine", machine],
    ...["-accel", isEmulated ? `tcg,tb-size=${TRANSLATION_CACHE_MIB}` : "kvm"],
    ...["-cpu", isEmulated ? "qemu64" : "host"],
    ...["-smp", `${vcpus}`],
    ...["-m", `${memoryMiB}M`],
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    ...["-display", "none"],
    ...["-sandbox", SANDBOX],
    // Events, for what happened while nobody was connected: see end-cause.ts.
    ...["-chardev", `${events},id=events`, "-mon", "chardev=events,mode=control"],
  ];
}

/** A kernel that panics resets its machine at once, which ends QEMU. */
function wordsFor(accelerator: Accelerator): readonly string[] {
  const ofEmulation = ["no_timer_check", `tsc_early_khz=${EMULATED_TSC_KHZ}`];
  return ["reboot=t", "panic=-1", ...(accelerator === "tcg" ? ofEmulation : [])];
}
