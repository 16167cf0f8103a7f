/**
 * The shapes of partitions, as the directed links that each of them cuts. Pure geometry: `Network.block` applies it.
 */

/** One direction between two hosts. */
export interface Link {
  readonly from: number;
  readonly to: number;
}

export type LinkList = readonly Link[];

/** Which way a partition cuts: all traffic, only what the first side sends, or only what it would receive. */
export type Direction = "both" | "outbound" | "inbound";

/** All links between one host and the others. */
export function isolateLinks(host: number, hostCount: number, direction: Direction): LinkList {
  return cut(hostCount, direction, (from, to) => from === host && to !== host);
}

/** The links between two hosts; "outbound" is from the first to the second. */
export function pairLinks(host: number, other: number, direction: Direction): LinkList {
  const there = { from: host, to: other };
  const back = { from: other, to: host };
  if (direction === "both") return [there, back];
  return direction === "outbound" ? [there] : [back];
}

/**
 * All links between hosts of different groups: `groups[host]` is a host's group, any number. "outbound" cuts what
 * lower-numbered groups send to higher ones, "inbound" the reverse.
 */
export function groupLinks(groups: readonly number[], direction: Direction): LinkList {
  return cut(groups.length, direction, (from, to) => (groups[from] ?? 0) < (groups[to] ?? 0));
}

/**
 * Two halves that reach each other through nobody, except that `bridge` reaches all. `halves[host]` tells them apart.
 */
export function bridgeLinks(halves: readonly number[], bridge: number, direction: Direction): LinkList {
  return groupLinks(halves, direction).filter(({ from, to }) => from !== bridge && to !== bridge);
}

/**
 * Each host of `order` reaches only the two beside it; the ends meet. Hosts that are not in `order` keep their links.
 */
export function ringLinks(order: readonly number[]): LinkList {
  const links: Link[] = [];
  order.forEach((from, i) => {
    order.forEach((to, j) => {
      const apart = Math.abs(i - j);
      if (apart > 1 && apart < order.length - 1) links.push({ from, to });
    });
  });
  return links;
}

/** `outward` says whether a link leads from the first side to the second. */
function cut(hostCount: number, direction: Direction, outward: (from: number, to: number) => boolean): LinkList {
  const links: Link[] = [];
  for (let from = 0; from < hostCount; from += 1) {
    for (let to = 0; to < hostCount; to += 1) {
      if (direction !== "inbound" && outward(from, to)) links.push({ from, to });
      else if (direction !== "outbound" && outward(to, from)) links.push({ from, to });
    }
  }
  return links;
}
