/**
 * The command line of QEMU for one machine, with the devices that microvm.nix gives a guest: the machine type
 * `microvm`, virtio over MMIO, and nothing that the guest does not need.
 */
import type { Interface, VmSpec } from "../../core/index.ts";
import { gatewayOf } from "../guest-network/index.ts";
import type { KernelImage } from "../images/index.ts";
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

/** What QEMU reads on its standard input: with this its events come on its standard output. */
export const HELLO = '{"execute":"qmp_capabilities"}';

/** The file of QEMU's monitor, where its process works. */
export const MONITOR_SOCKET = "qmp.sock";

/** Descriptors of its process. Lower ones belong to the supervisor. */
const KERNEL = 10;
const INITRD = 11;
const FIRST_TAP = 20;

export interface QemuMachineParts {
  readonly name: string;
  readonly spec: VmSpec;
  readonly interfaces: readonly Interface[];
  readonly image: KernelImage;
  readonly accelerator: Accelerator;
}

/** @throws UnsupportedSpec */
export function qemuArguments({ name, spec, interfaces, image, accelerator }: QemuMachineParts): string[] {
  if (spec.memoryMiB === BAD_MEMORY_MIB)
    throw new UnsupportedSpec(
      `memoryMiB: a guest with exactly ${BAD_MEMORY_MIB} MiB does not boot on QEMU's microvm machine (microvm.nix#171): ask for ${BAD_MEMORY_MIB - 1} or ${BAD_MEMORY_MIB + 1}`,
    );
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
  const kernelWords = [
    "console=ttyS0",
    ...wordsFor(accelerator),
    `blixard.name=${name}`,
    ...interfaces
      .slice(0, 1)
      .flatMap((first) => [`blixard.address=${first.address}`, `blixard.gateway=${gatewayOf(first)}`]),
    image.commandLine,
  ];
  return [
    ...["-name", name],
    ...machineArguments(accelerator, spec.vcpus, spec.memoryMiB),
    // The button that asks the guest to power off.
    ...["-device", "i8042"],
    // The supervisor holds the other end.
    ...["-chardev", "socket,id=console,fd=3", "-serial", "chardev:console"],
    ...["-qmp", `unix:${MONITOR_SOCKET},server=on,wait=off`],
    ...interfaces.flatMap(({ mac }, at) => [
      ...["-netdev", `tap,id=net${at},fd=${FIRST_TAP + at}`],
      ...["-device", `virtio-net-device,netdev=net${at},mac=${mac}`],
    ]),
    ...["-kernel", pathOf(KERNEL)],
    ...["-initrd", pathOf(INITRD)],
    ...["-append", kernelWords.join(" ").trim()],
  ];
}

/** What is opened for it. */
export function openedFor({ interfaces, image }: Pick<QemuMachineParts, "interfaces" | "image">): Opened[] {
  return [
    { fd: KERNEL, kind: "file", what: image.kernelPath },
    { fd: INITRD, kind: "file", what: image.initrdPath },
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
  return [...machineArguments(accelerator, 1, TRIAL_MEMORY_MIB), ...["-kernel", kernel], ...["-append", words]];
}

function machineArguments(accelerator: Accelerator, vcpus: number, memoryMiB: number): readonly string[] {
  const isEmulated = accelerator === "tcg";
  return [
    ...["-machine", "microvm,acpi=on,rtc=on,pit=off,pic=off"],
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
    ...["-chardev", "stdio,id=events,signal=off", "-mon", "chardev=events,mode=control"],
  ];
}

/** A kernel that panics resets its machine at once, which ends QEMU. */
function wordsFor(accelerator: Accelerator): readonly string[] {
  const ofEmulation = ["no_timer_check", `tsc_early_khz=${EMULATED_TSC_KHZ}`];
  return ["reboot=t", "panic=-1", ...(accelerator === "tcg" ? ofEmulation : [])];
}
