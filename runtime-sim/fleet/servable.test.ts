import { expect, test } from "vitest";
import type { SimHost } from "../world/index.ts";
import { smallWorld } from "../world/testing/index.ts";
import { Servable, type ServedHost } from "./servable.ts";

/** Three members, one of which leads and has committed its first entry, and a worker on the spare host. */
function served() {
  const { world } = smallWorld();
  while (world.members.leader() === null) world.advance(Infinity);
  const [host, leader] = [world.members.hosts[3], world.members.leader()];
  if (host === undefined || leader === null) throw new Error("the world is not as it should be");
  while ((leader.node?.commitIndex ?? 0) === 0) world.advance(Infinity);
  const others = world.members.all.filter((member) => member !== leader).map((member) => member.host);
  return {
    world,
    servable: new Servable(world),
    worker: { host, isDown: false, agent: { servers: world.members.hosts.map(({ index }) => index + 1) } },
    leader,
    others,
  };
}

type Served = ReturnType<typeof served>;

function cut({ world }: Served, from: SimHost, to: SimHost): void {
  world.network.setBlocked(from.index, to.index, true);
}

test("it is connected to a leader that has a quorum, itself or through another server", () => {
  const one = served();
  expect(one.servable.isServable(one.worker)).toBe(true);
  const through = served();
  cut(through, through.worker.host, through.leader.host);
  expect(through.servable.isServable(through.worker)).toBe(true);
});

const NOT_SERVED: Readonly<Record<string, (served: Served) => Partial<ServedHost>>> = {
  "its agent does not run": () => ({ agent: null }),
  "it knows none of the servers": () => ({ agent: { servers: [99] } }),
  "its host is down": () => ({ isDown: true }),
  "its agent stands still": ({ worker }) => {
    worker.host.pauses += 1;
    return {};
  },
  "every server hears it, and none reaches it": (one) => {
    for (const { host } of one.world.members.all) cut(one, host, one.worker.host);
    return {};
  },
  "messages to it are lost": ({ world, worker }) => {
    const link = { ...SLOW, lossChance: 0.2 };
    for (const { host } of world.members.all) world.network.setLink(host.index, worker.host.index, link);
    return {};
  },
  "the leader has no quorum": (one) => {
    for (const host of one.others) cut(one, one.leader.host, host);
    return {};
  },
  "the disk of the leader stands still": ({ leader, world }) => {
    leader.storage.stall(world.loop.nowUs + 1_000_000);
    return {};
  },
  "the leader has ended": ({ leader, world }) => {
    world.processes.crash(leader);
    return {};
  },
};

const SLOW = {
  lossChance: 0,
  duplicateChance: 0,
  delayMinMs: 1,
  delayMeanMs: 0,
  tailChance: 0,
  tailFactor: 1,
  capacityBytesPerSecond: Infinity,
  queueBytes: Infinity,
};

test.each(Object.entries(NOT_SERVED))("not while %s", (_, strike) => {
  const one = served();
  const worker = { ...one.worker, ...strike(one) };
  expect(one.servable.isServable(worker)).toBe(false);
});

test("a leader can commit nothing soon while what it had long ago is not committed", () => {
  const { world, servable, worker, leader, others } = served();
  const advance = (ms: number) => {
    const untilUs = world.loop.nowUs + 1000 * ms;
    while (world.advance(untilUs));
  };
  advance(1000);
  expect(servable.canCommit).toBe(true);
  for (const { member } of others) member?.storage.stall(world.loop.nowUs + 5_000_000);
  const command = { kind: "restartVm", name: "web" } as const;
  const request = { kind: "propose", request: { session: null, command } } as const;
  world.gateway.request(leader.host, request, { answered() {} }, 1, 0);
  advance(10);
  const proposed = leader.node?.log.lastIndex ?? 0;
  // The entry is awaited from this look on.
  expect(servable.canCommit).toBe(false);
  advance(4990);
  // Their disks work again, and it has not had the time to commit.
  expect(leader.node?.commitIndex).toBeLessThan(proposed);
  expect(servable.isServable(worker)).toBe(true);
  expect(servable.canCommit).toBe(false);
  advance(1000);
  expect(leader.node?.commitIndex).toBe(proposed);
  expect(servable.canCommit).toBe(true);
});

test("a leader that has to bring others up to date first serves nobody", () => {
  const { world, servable, worker, leader } = served();
  world.processes.crash(leader);
  while (world.members.leader() === null) world.advance(Infinity);
  const next = world.members.leader()?.node ?? expect.unreachable();
  expect(next.commitIndex).toBeLessThan(next.log.lastIndex);
  expect(servable.isServable(worker)).toBe(false);
  while (next.commitIndex < next.log.lastIndex) world.advance(Infinity);
  expect(servable.isServable(worker)).toBe(true);
});

test("another leadership has another number", () => {
  const { world, servable, leader } = served();
  const first = servable.leaderships;
  expect(servable.leaderships).toBe(first);
  world.processes.crash(leader);
  while (world.members.leader() === null) world.advance(Infinity);
  expect(servable.leaderships).toBeGreaterThan(first);
});
