import { expect, test } from "vitest";
import { Streams } from "../random/index.ts";
import { Members } from "./members.ts";
import { calmBase, membersOf, smallWorld } from "./testing/index.ts";

test("the last hosts are those of workers, and the first members live on the first hosts", () => {
  const parts = { base: calmBase(5), workers: 2, streams: new Streams(1), connect: () => {}, nowMs: () => 0 };
  const members = new Members(parts);
  members.found(2, null);
  expect(members.hosts.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(members.workerHosts.map(({ index }) => index)).toEqual([3, 4]);
  expect(members.all.map(({ id, host }) => [id, host.index])).toEqual([
    [1, 0],
    [2, 1],
  ]);
  expect(members.hosts[2]?.member).toBeNull();
});

test("another member of a host has another id and another identity", () => {
  const members = membersOf(1);
  const [first] = members.all;
  if (first === undefined) throw new RangeError("there is no member");
  const restored = first.storage.restore();
  if (restored.kind !== "restored") throw new RangeError("its disk cannot be read");
  const { host } = first;
  const second = members.moveIn(host, members.takeId(), members.issueIdentity(host), restored.restored);
  expect(second.id).toBe(2);
  expect(second.peerId).not.toBe(first.peerId);
  expect(host.member).toBe(second);
  expect(members.all).toEqual([first, second]);
  expect(members.withId(2)).toBe(second);
  expect(members.withId(3)).toBeNull();
});

test("members whose process is down do not count as running, nor for the configuration", () => {
  const { world } = smallWorld();
  const { members, processes } = world;
  while (world.advance(5_000_000));
  expect(members.running()).toHaveLength(3);
  for (const member of members.all) processes.crash(member);
  expect(members.running()).toEqual([]);
  expect(members.configuration()).toBeNull();
  expect(members.leader()).toBeNull();
});

test("of two members that lead, the one in the higher term is the leader", () => {
  const { world } = smallWorld();
  while (world.advance(5_000_000));
  const former = world.members.leader();
  if (former === null) throw new RangeError("nobody leads after 5 s");
  // Paused, it goes on believing that it leads.
  world.processes.pause(former.host);
  while (world.advance(15_000_000));
  expect(former.node?.role).toBe("leader");
  const leader = world.members.leader();
  expect(leader).not.toBe(former);
  expect(leader?.node?.term ?? 0).toBeGreaterThan(former.node?.term ?? 0);
});
