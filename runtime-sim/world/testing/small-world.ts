/** A small calm world for tests of the world's parts: links without loss, disks and clocks without faults. */
import { DEFAULT_COUNT_LIMITS, DEFAULT_RAFT_OPTIONS } from "../../../core/index.ts";
import { Streams } from "../../random/index.ts";
import type { BaseConditions } from "../conditions.ts";
import { Members } from "../members.ts";
import type { WorldListener } from "../watchers.ts";
import { World } from "../world.ts";

export function calmBase(hosts: number): BaseConditions {
  return {
    network: {
      lossChance: 0,
      duplicateChance: 0,
      delayMinMs: 1,
      delayMeanMs: 0,
      tailChance: 0,
      tailFactor: 1,
      capacityBytesPerSecond: null,
      queueBytes: null,
    },
    links: [],
    byteLinksOneIn: 0,
    clocks: Array.from({ length: hosts }, () => ({ wallOffsetMs: 0, rate: 1 })),
    disk: { syncMinMs: 0.1, syncMeanMs: 0.1, throughputBytesPerSecond: 200_000_000 },
  };
}

/** Members without a world around them: none has a process. */
export function membersOf(count: number): Members {
  const members = new Members({
    base: calmBase(count),
    workers: 0,
    streams: new Streams(1),
    connect: () => {},
    nowMs: () => 0,
  });
  members.found(count, null);
  return members;
}

/** For a world of which nobody wants to know. */
export const DEAF_LISTENER: WorldListener = {
  booted() {},
  crashed() {},
  unreadable() {},
  evidence() {},
  halted() {},
  strayAnswer() {},
};

/** Three members that run, and a host that is spare. Everything that its listener is told is a line of `news`. */
export function smallWorld(): { readonly world: World; readonly news: readonly string[] } {
  const news: string[] = [];
  const listener: WorldListener = {
    booted: ({ id }) => news.push(`booted ${id}`),
    crashed: ({ id }) => news.push(`crashed ${id}`),
    unreadable: ({ id }, reason) => news.push(`unreadable ${id}: ${reason}`),
    evidence: ({ id }, { kind }) => news.push(`evidence ${id}: ${kind}`),
    halted: ({ id }, reason) => news.push(`halted ${id}: ${reason}`),
    strayAnswer: ({ id }, requestId) => news.push(`stray answer ${id}: ${requestId}`),
  };
  const settings = {
    seed: 1,
    base: calmBase(4),
    raft: DEFAULT_RAFT_OPTIONS,
    limits: DEFAULT_COUNT_LIMITS,
    nodes: 3,
    workers: 0,
    liar: null,
  };
  return { world: new World(settings, listener, () => null), news };
}
