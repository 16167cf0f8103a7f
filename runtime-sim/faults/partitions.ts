/**
 * Faults that cut links altogether. Partitions that overlap add up: a link carries again when the last of them has
 * ended.
 */
import { bridgeLinks, groupLinks, isolateLinks, type LinkList, pairLinks, ringLinks } from "../network/index.ts";
import { direction, directionOf } from "./direction.ts";
import type { EndFault, FaultKind, Injection } from "./kind.ts";
import { minorityOf, sides } from "./sides.ts";
import type { FaultWorld } from "./world.ts";

function partition(
  fault: Pick<FaultKind, "name" | "summary" | "parameters">,
  cut: (world: FaultWorld, injection: Injection) => LinkList,
): FaultKind {
  return {
    ...fault,
    family: "network",
    durationMs: [500, 20_000],
    begin: (world, injection) => block(world, cut(world, injection)),
  };
}

function block(world: FaultWorld, links: LinkList): EndFault | null {
  if (links.length === 0) return null;
  const token = world.network.block(links);
  return () => {
    world.network.unblock(token);
  };
}

const isolate = partition(
  { name: "isolate", summary: "one host is cut off from all others", parameters: { direction } },
  (world, fault) =>
    fault.hosts.slice(0, 1).flatMap((host) => [...isolateLinks(host, world.network.hostCount, directionOf(fault))]),
);

const halves = partition(
  { name: "halves", summary: "the hosts fall into two halves", parameters: { direction } },
  (world, fault) => {
    const shuffled = fault.rng.shuffle([...world.participants()]);
    return groupLinks(sides(world, fault, shuffled.slice(0, Math.floor(shuffled.length / 2))), directionOf(fault));
  },
);

const groups = partition(
  {
    name: "groups",
    summary: "the hosts fall into several random groups",
    parameters: {
      direction,
      groups: { meaning: "how many groups at most", limits: [2, 64], swarm: [2, 4], whole: true },
    },
  },
  (world, fault) => {
    const count = fault.number("groups");
    const group = Array.from({ length: world.network.hostCount }, () => fault.rng.integer(0, count - 1));
    return groupLinks(group, directionOf(fault));
  },
);

const bridge = partition(
  {
    name: "bridge",
    summary: "two halves reach each other through nobody, and one host reaches all",
    parameters: { direction },
  },
  (world, fault) => {
    const [middle, ...others] = fault.rng.shuffle([...world.participants()]);
    if (middle === undefined) return [];
    return bridgeLinks(sides(world, fault, others.slice(0, Math.floor(others.length / 2))), middle, directionOf(fault));
  },
);

const ring = partition(
  { name: "ring", summary: "each host reaches only the two beside it", parameters: {} },
  (world, fault) => ringLinks(fault.rng.shuffle([...world.participants()])),
);

const cutOffMinority = partition(
  {
    name: "cut-off-minority",
    summary: "a host is cut off together with less than half of the others, so that it still has somebody to talk to",
    parameters: { direction },
  },
  (world, fault) => groupLinks(sides(world, fault, minorityOf(world, fault, fault.hosts)), directionOf(fault)),
);

const oneLink = partition(
  {
    name: "cut-link",
    summary: "a host and one other no longer hear each other, while both hear everybody else",
    parameters: { direction },
  },
  (world, fault) => {
    const [host = 0] = fault.hosts;
    const others = world.participants().filter((other) => other !== host);
    return others.length === 0 ? [] : pairLinks(host, fault.rng.pick(others), directionOf(fault));
  },
);

const flapping: FaultKind = {
  name: "flapping",
  family: "network",
  summary: "one host is cut off and comes back, again and again",
  parameters: {
    direction,
    periodMs: { meaning: "how long it is away, and then there, each time", limits: [1, 600_000], swarm: [50, 3000] },
  },
  durationMs: [2000, 30_000],
  begin(world, fault) {
    const [host = 0] = fault.hosts;
    const links = isolateLinks(host, world.network.hostCount, directionOf(fault));
    const periodUs = Math.max(1, Math.round(fault.number("periodMs") * 1000));
    let ended = false;
    let unblock = block(world, links);
    if (unblock === null) return null;
    const flap = (): void => {
      if (ended) return;
      if (unblock === null) unblock = block(world, links);
      else {
        unblock();
        unblock = null;
      }
      world.after(periodUs, flap);
    };
    world.after(periodUs, flap);
    return () => {
      ended = true;
      unblock?.();
    };
  },
};

export const partitionFaults: readonly FaultKind[] = [
  isolate,
  halves,
  groups,
  bridge,
  ring,
  cutOffMinority,
  oneLink,
  flapping,
];
