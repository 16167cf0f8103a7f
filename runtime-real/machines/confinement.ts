/**
 * What a machine's process is not allowed. Where the node is root, each VM has a user of its own, that nothing else on
 * the host is: QEMU gets what it needs of the host (kernel, tap devices) as open descriptors, and can open nothing
 * else. Everywhere it gains no privileges, and has a limit of memory.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { VmSpec } from "../../core/index.ts";
import type { Accelerator } from "../worker/index.ts";

const LAUNCHER = fileURLToPath(new URL("./launch.pl", import.meta.url));

/** Users of nobody else: systemd's UIDS-GIDS.md says who uses which numbers. */
const UIDS = { first: 1_900_000_000, count: 200_000_000 } as const;

export interface Confinement {
  /** The user and the group; null: those of the node. */
  readonly uid: number | null;
  /** Others that its process is in. */
  readonly groups: number[];
  /** Of its process in all, the guest included. */
  readonly memoryMaxMiB: number;
}

/** What is opened for it, and as which descriptor. */
export interface Opened {
  readonly fd: number;
  readonly kind: "tap" | "file";
  /** The name of the device, or the path. */
  readonly what: string;
}

/**
 * QEMU's own memory, measured under emulation (QEMU 7.2): 110 MiB, of which 64 are translated code (`tb-size`), and a
 * few for each vCPU. The rest is for devices that are busy.
 */
const OWN_MEMORY_MIB = { tcg: 256, kvm: 192 } as const;
const MEMORY_OF_VCPU_MIB = 4;
/** What tables of pages take of the memory of the guest. */
const TABLES_PER_GUEST = 1 / 128;

export function confinementOf(
  machinesFolder: string,
  vm: string,
  guest: Pick<VmSpec, "memoryMiB" | "vcpus">,
  accelerator: Accelerator,
): Confinement {
  const uid = uidOf(machinesFolder, vm);
  const groups = uid !== null && accelerator === "kvm" ? [...(groupsOfKvm() ?? [])] : [];
  return { uid, groups, memoryMaxMiB: memoryMaxMiB(guest, accelerator) };
}

/** What the process of that guest may use at most. */
function memoryMaxMiB({ memoryMiB, vcpus }: Pick<VmSpec, "memoryMiB" | "vcpus">, accelerator: Accelerator): number {
  const own = OWN_MEMORY_MIB[accelerator] + vcpus * MEMORY_OF_VCPU_MIB;
  return Math.ceil(memoryMiB * (1 + TABLES_PER_GUEST) + own);
}

/**
 * Null: machines run as the user of the node, which is not root, or is root of a few users only (a user namespace).
 */
function uidOf(machinesFolder: string, vm: string): number | null {
  if (!hasUsers()) return null;
  const drawn = createHash("sha256").update(`${machinesFolder}\0${vm}`).digest().readUInt32BE(0);
  // The same in every run. That two are the same is very unlikely, and takes nothing from either but this protection.
  return UIDS.first + (drawn % UIDS.count);
}

function hasUsers(): boolean {
  if (process.getuid?.() !== 0) return false;
  // By user_namespaces(7).
  const ranges = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n");
  return ranges.some((range) => {
    const [first = 0, , length = 0] = range.trim().split(/\s+/).map(Number);
    return first <= UIDS.first && UIDS.first + UIDS.count <= first + length;
  });
}

/** Null: machines may use KVM, as far as that depends on whose `/dev/kvm` is. @throws Error when it is not there. */
export function whyNotKvm(): string | null {
  if (!hasUsers() || groupsOfKvm() !== null) return null;
  return "/dev/kvm is for its owner only: chgrp kvm /dev/kvm && chmod 0660 /dev/kvm";
}

/** Which groups may use `/dev/kvm`; null: only its owner may. @throws Error when it is not there. */
function groupsOfKvm(): readonly number[] | null {
  const { mode, gid } = statSync("/dev/kvm");
  if ((mode & 0o006) === 0o006) return [];
  return (mode & 0o060) === 0o060 && gid !== 0 ? [gid] : null;
}

/**
 * How much more memory than it may use a process may ask for: stacks of threads, and room that is only reserved. This
 * limit stands in for one of systemd's, which counts what is used, and ends a process that has gone mad.
 */
const ASKED_BEYOND_MIB = 1024;

/** The command line that runs `command` so. @param diesWith its parent dies: the kernel kills it then. */
export function confined(
  command: readonly string[],
  { uid, groups, memoryMaxMiB: maxMiB }: Confinement,
  opened: readonly Opened[],
  diesWith: "parent" | "unit",
): readonly string[] {
  const limits =
    diesWith === "parent"
      ? ["prlimit", "--core=0", `--data=${(maxMiB + ASKED_BEYOND_MIB) * 2 ** 20}`]
      : ["prlimit", "--core=0"];
  const user =
    uid === null
      ? []
      : [
          ...["--reuid", `${uid}`, "--regid", `${uid}`, "--inh-caps=-all", "--bounding-set=-all"],
          ...(groups.length === 0 ? ["--clear-groups"] : ["--groups", groups.join(",")]),
        ];
  return [
    ...["perl", LAUNCHER, ...opened.map(({ fd, kind, what }) => `${fd}=${kind}:${what}`), "--"],
    ...[...limits, "--"],
    ...["setpriv", "--no-new-privs", ...user, ...(diesWith === "parent" ? ["--pdeathsig", "KILL"] : []), "--"],
    ...command,
  ];
}
