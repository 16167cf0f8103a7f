/** Faults of single links: what they lose, repeat, hold back and damage. Partitions are in partitions.ts. */
import type { LinkParameters } from "../network/index.ts";
import { type FaultKind, type Injection, NOTHING_TO_END } from "./kind.ts";
import type { FaultWorld } from "./world.ts";

const CHANCE_LIMITS = [0, 1] as const;

/** A fault that changes the parameters of every link of the hosts that it hits. */
function linkFault(
  fault: Pick<FaultKind, "name" | "summary" | "parameters">,
  change: (parameters: LinkParameters, injection: Injection) => LinkParameters,
): FaultKind {
  return {
    ...fault,
    family: "network",
    durationMs: [1000, 30_000],
    begin: (world, injection) =>
      world.links.overlay(world.links.touching(injection.hosts), (parameters) => change(parameters, injection)),
  };
}

export const loss = linkFault(
  {
    name: "loss",
    summary: "links lose messages",
    parameters: { chance: { meaning: "probability that a message is lost", limits: CHANCE_LIMITS, swarm: [0, 0.3] } },
  },
  (parameters, fault) => ({ ...parameters, lossChance: Math.max(parameters.lossChance, fault.number("chance")) }),
);

export const duplicate = linkFault(
  {
    name: "duplicate",
    summary: "links deliver messages twice, the copy at a time of its own",
    parameters: {
      chance: { meaning: "probability that a message arrives twice", limits: CHANCE_LIMITS, swarm: [0, 0.5] },
    },
  },
  (parameters, fault) => ({
    ...parameters,
    duplicateChance: Math.max(parameters.duplicateChance, fault.number("chance")),
  }),
);

export const delay = linkFault(
  {
    name: "delay",
    summary: "links are slow, and so uneven that messages overtake each other",
    parameters: {
      minMs: { meaning: "shortest one-way delay", limits: [0, 60_000], swarm: [0, 30] },
      meanMs: { meaning: "mean of the exponential part on top", limits: [0, 60_000], swarm: [0, 100] },
    },
  },
  (parameters, fault) => ({
    ...parameters,
    delayMinMs: Math.max(parameters.delayMinMs, fault.number("minMs")),
    delayMeanMs: Math.max(parameters.delayMeanMs, fault.number("meanMs")),
  }),
);

export const tail = linkFault(
  {
    name: "tail",
    summary: "a few messages take many times as long as the others",
    parameters: {
      chance: { meaning: "probability that a message is late", limits: CHANCE_LIMITS, swarm: [0.001, 0.05] },
      factor: { meaning: "how many times its delay it then takes", limits: [1, 100_000], swarm: [10, 2000] },
    },
  },
  (parameters, fault) => ({
    ...parameters,
    tailChance: Math.max(parameters.tailChance, fault.number("chance")),
    tailFactor: Math.max(parameters.tailFactor, fault.number("factor")),
  }),
);

export const capacity = linkFault(
  {
    name: "capacity",
    summary: "links carry few bytes a second, and lose what does not fit in their queue",
    parameters: {
      bytesPerSecond: { meaning: "what a link carries", limits: [100, 1e12], swarm: [5000, 200_000], whole: true },
      queueBytes: { meaning: "what may wait for a link", limits: [1000, 1e12], swarm: [10_000, 200_000], whole: true },
    },
  },
  (parameters, fault) => ({
    ...parameters,
    capacityBytesPerSecond: Math.min(parameters.capacityBytesPerSecond, fault.number("bytesPerSecond")),
    queueBytes: Math.min(parameters.queueBytes, fault.number("queueBytes")),
  }),
);

export const corruptBytes: FaultKind = {
  name: "corrupt-bytes",
  family: "network",
  summary: "links flip, cut off and overwrite bytes of messages",
  parameters: {
    chance: { meaning: "probability that a message is damaged", limits: CHANCE_LIMITS, swarm: [0.001, 0.1] },
  },
  durationMs: [1000, 30_000],
  begin: (world, fault) => world.links.damage(world.links.touching(fault.hosts), fault.number("chance")),
};

export const clog: FaultKind = {
  name: "clog",
  family: "network",
  summary: "some links hold back all that is sent and let it go at once when the clog ends",
  parameters: { share: { meaning: "share of the links of the hosts hit", limits: CHANCE_LIMITS, swarm: [0.1, 0.7] } },
  durationMs: [200, 10_000],
  begin(world, fault) {
    const share = fault.number("share");
    const touching = world.links.touching(fault.hosts);
    if (touching.length === 0) return null;
    const drawn = touching.filter(() => fault.rng.chance(share));
    const links = drawn.length > 0 ? drawn : [fault.rng.pick(touching)];
    for (const { from, to } of links) world.network.clog(from, to, fault.endUs);
    // Each clog knows its end.
    return NOTHING_TO_END;
  },
};

export const swizzleClog: FaultKind = {
  name: "swizzle-clog",
  family: "network",
  summary: "half of the hosts are clogged one by one, and unclogged in another order",
  parameters: {},
  durationMs: [1000, 15_000],
  begin(world, fault) {
    const hosts = fault.rng.shuffle([...world.participants()]);
    const victims = hosts.slice(0, Math.ceil(hosts.length / 2));
    const stepUs = Math.floor((fault.endUs - world.nowUs) / (2 * victims.length + 1));
    if (victims.length === 0 || stepUs < 1) return null;
    const healed = new Map<number, number>();
    for (const [order, host] of fault.rng.shuffle([...victims]).entries()) {
      healed.set(host, fault.endUs - (victims.length - 1 - order) * stepUs);
    }
    let ended = false;
    for (const [order, host] of victims.entries()) {
      world.after(order * stepUs, () => {
        if (!ended) clogHost(world, host, healed.get(host) ?? fault.endUs);
      });
    }
    return () => {
      ended = true;
    };
  },
};

function clogHost(world: FaultWorld, host: number, untilUs: number): void {
  for (const { from, to } of world.links.touching([host])) world.network.clog(from, to, untilUs);
}

export const networkFaults: readonly FaultKind[] = [
  loss,
  duplicate,
  delay,
  tail,
  capacity,
  corruptBytes,
  clog,
  swizzleClog,
];
