import { expect, test } from "vitest";
import type { SimMember } from "./member.ts";
import { smallWorld } from "./testing/index.ts";
import type { World } from "./world.ts";

function settled(): { readonly world: World; readonly news: readonly string[]; readonly leader: SimMember } {
  const { world, news } = smallWorld();
  while (world.advance(5_000_000));
  const leader = world.members.leader();
  if (leader === null) throw new RangeError("nobody leads after 5 s");
  return { world, news, leader };
}

test("the first members boot, elect a leader, and commit", () => {
  const { world, news, leader } = settled();
  expect(news).toEqual(["booted 1", "booted 2", "booted 3"]);
  expect(world.progress.elections).toBe(1);
  expect(world.progress.commitIndex).toBeGreaterThan(0);
  expect(world.members.running()).toHaveLength(3);
  expect(world.members.configuration()?.voters).toContain(leader.id);
});

test("a crash ends the process at once, breaks its calls, and it starts again from its disk", () => {
  const { world, news, leader } = settled();
  const answers: unknown[] = [];
  const caller = { answered: (attempt: number, answer: unknown) => answers.push([attempt, answer]) };
  // Cut off, it cannot answer.
  for (const { host } of world.members.all) if (host !== leader.host) world.processes.pause(host);
  world.gateway.request(
    leader.host,
    { kind: "read", consistency: "linearizable", query: { kind: "getVm", name: "a" } },
    caller,
    7,
  );
  while (world.advance(5_100_000));
  const { term } = leader.node ?? { term: 0 };
  expect(world.processes.crash(leader)).toBe(true);
  expect(world.processes.crash(leader)).toBe(false);
  while (world.advance(5_200_000));
  expect(answers).toEqual([[7, null]]);
  expect(world.members.leader()).toBeNull();
  world.processes.boot(leader);
  expect(leader.node?.term).toBe(term);
  expect(news.slice(3)).toEqual([`crashed ${leader.id}`, `booted ${leader.id}`]);
});

test("a paused process takes no input until it is resumed, and then all that waited", () => {
  const { world } = settled();
  const follower = world.members.all.find((member) => member !== world.members.leader());
  if (follower === undefined) throw new RangeError("there is no follower");
  world.processes.pause(follower.host);
  while (world.advance(5_300_000));
  const waiting = follower.host.inbox.length;
  expect(waiting).toBeGreaterThan(0);
  const delivered = world.transport.counters.delivered;
  world.processes.resume(follower.host);
  world.advance(Infinity);
  expect(follower.host.inbox).toHaveLength(0);
  expect(world.transport.counters.delivered).toBeGreaterThan(delivered);
});

test("a member that is retired does not come back, and its host is free", () => {
  const { world, leader } = settled();
  world.processes.retire(leader);
  expect(leader.host.member).toBeNull();
  world.processes.boot(leader);
  expect(leader.state).toBe("gone");
  expect(leader.node).toBeNull();
  while (world.advance(15_000_000));
  expect(world.progress.elections).toBe(2);
});

test("a clock that stands still wakes nobody until it changes", () => {
  const { world } = smallWorld();
  for (const { host } of world.members.all) {
    host.clock.freeze(60_000_000, world.loop.nowUs);
    world.processes.clockChanged(host);
  }
  while (world.advance(20_000_000));
  expect(world.progress.elections).toBe(0);
  for (const { host } of world.members.all) {
    host.clock.thaw(world.loop.nowUs);
    world.processes.clockChanged(host);
  }
  while (world.advance(30_000_000));
  expect(world.progress.elections).toBeGreaterThan(0);
});
