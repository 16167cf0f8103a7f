/** What this host is: what can be probed, and what whoever runs the node says about it. */
import { statfs } from "node:fs/promises";
import { isIP } from "node:net";
import { availableParallelism, totalmem } from "node:os";
import { type HostFacts, InvalidCommand, packed, unpacked, workerFactsSchema } from "../../core/index.ts";
import { NodeStartError } from "../errors/index.ts";

/** What cannot be probed. */
export interface WorkerOptions {
  readonly datacenter: string;
  readonly zone: string;
  readonly rack: string;
  /** In addition to those that are probed. */
  readonly features: readonly string[];
  /** In thousandths of any one currency. */
  readonly costPerHour: number;
  /** What runs machines on this host; null: it runs none. */
  readonly vmDriver: VmDriver | null;
  /** What QEMU uses. */
  readonly accelerator: AcceleratorChoice;
  /** Where other hosts send what is for its guests: IP addresses; null: where its peers reach it. */
  readonly guestsVia: readonly string[] | null;
  /** The interface on whose network this host answers for its guests; null: on none. */
  readonly uplink: string | null;
  /** Its guests reach the outside with its address. */
  readonly masquerade: boolean;
  /** Ports of this host that its guests may reach, such as tcp/53. */
  readonly guestPorts: readonly string[];
}

export const VM_DRIVERS = ["qemu"] as const;
export type VmDriver = (typeof VM_DRIVERS)[number];

/** tcg: emulation in software, which works everywhere and is slow. */
const ACCELERATORS = ["tcg", "kvm"] as const;
export type Accelerator = (typeof ACCELERATORS)[number];
/** auto: kvm where guests boot with it, and tcg elsewhere. */
export const ACCELERATOR_CHOICES = ["auto", ...ACCELERATORS] as const;
export type AcceleratorChoice = (typeof ACCELERATOR_CHOICES)[number];

export const DEFAULT_WORKER: WorkerOptions = {
  datacenter: "default",
  zone: "default",
  rack: "default",
  features: [],
  costPerHour: 0,
  vmDriver: null,
  accelerator: "auto",
  guestsVia: null,
  uplink: null,
  masquerade: false,
  guestPorts: [],
};

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * The processors that this process may use, all of the memory, and the whole file system of the data directory. What
 * other software on this host needs of them is reserved by the scheduler.
 *
 * @param ofDriver features that the driver offers.
 * @param advertised where its peers reach it, host:port each.
 * @throws NodeStartError when an option is not what it must be.
 */
export async function probeFacts(
  dataDir: string,
  options: WorkerOptions,
  ofDriver: readonly string[],
  advertised: readonly string[],
): Promise<HostFacts> {
  const { bsize, blocks } = await statfs(dataDir);
  const { datacenter, zone, rack, costPerHour, vmDriver } = options;
  const features = new Set([...options.features, ...ofDriver]);
  const facts: HostFacts = {
    capacity: {
      vcpus: availableParallelism(),
      memoryMiB: Math.floor(totalmem() / MIB),
      diskGiB: Math.floor((bsize * blocks) / GIB),
    },
    features: [...features].sort(),
    topology: { datacenter, zone, rack },
    costPerHour,
    driver: vmDriver,
    guestsVia: options.guestsVia ?? reachableIps(advertised),
  };
  try {
    return unpacked(workerFactsSchema, packed(workerFactsSchema, facts), "worker");
  } catch (error) {
    if (!(error instanceof InvalidCommand)) throw error;
    throw new NodeStartError(`${error.field}: ${error.message}`, "correct the option that describes this host");
  }
}

/** One address of each family. A name is none, and one of the host itself leads nobody to it. */
function reachableIps(advertised: readonly string[]): readonly string[] {
  const found = new Map<number, string>();
  for (const address of advertised) {
    const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
    const family = isIP(host);
    if (family !== 0 && !/^(?:127\.|0\.0\.0\.0$|::1?$|fe80:)/i.test(host) && !found.has(family))
      found.set(family, host);
  }
  return [...found.values()];
}
