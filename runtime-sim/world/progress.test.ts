import { expect, test } from "vitest";
import type { SimMember } from "./member.ts";
import { smallWorld } from "./testing/index.ts";

test("traps spring when a leader is elected, and when it first commits in its term", () => {
  const { world } = smallWorld();
  const sprung: string[] = [];
  const trap = (moment: "elected" | "commits") => {
    return { moment, spring: ({ id }: SimMember) => sprung.push(`${moment} ${id}`) };
  };
  const elected = trap("elected");
  world.progress.leaderTraps.add(elected);
  world.progress.leaderTraps.add(trap("commits"));
  while (world.advance(5_000_000));
  const first = world.members.leader();
  if (first === null) throw new RangeError("nobody leads after 5 s");
  expect(sprung).toEqual([`elected ${first.id}`, `commits ${first.id}`]);

  world.progress.leaderTraps.delete(elected);
  world.processes.crash(first);
  while (world.advance(10_000_000));
  expect(sprung.slice(2)).toEqual([`commits ${world.members.leader()?.id}`]);
});

test("states are told once each, in the order of their index", () => {
  const { world } = smallWorld();
  const told: number[] = [];
  world.progress.stateWatch = ({ appliedIndex }) => told.push(appliedIndex);
  while (world.advance(5_000_000));
  const leader = world.members.leader();
  if (leader === null) throw new RangeError("nobody leads after 5 s");
  const nobody = { answered: () => {} };
  for (const attempt of [1, 2, 3]) {
    const request = {
      kind: "propose",
      request: { session: null, command: { kind: "openSession", clientToken: "t" } },
    } as const;
    world.loop.after(attempt * 100_000, () => world.gateway.request(leader.host, request, nobody, attempt));
  }
  while (world.advance(10_000_000));
  expect(told).toHaveLength(3);
  expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
});

test("what a node has applied in the step in which it halts is told by nobody", () => {
  const { world } = smallWorld();
  while (world.advance(5_000_000));
  const leader = world.members.leader();
  if (leader?.node === null || leader === null) throw new RangeError("nobody leads after 5 s");
  const { node } = leader;
  const request = {
    kind: "propose",
    request: { session: null, command: { kind: "openSession", clientToken: "t" } },
  } as const;
  world.gateway.request(leader.host, request, { answered: () => {} }, 1);
  while (world.advance(10_000_000));
  const told: number[] = [];
  world.progress.stateWatch = ({ appliedIndex }) => told.push(appliedIndex);
  node.halted = true;
  world.progress.stepped(leader, node);
  expect(told).toEqual([]);
  node.halted = false;
  world.progress.stepped(leader, node);
  expect(told).toEqual([node.state.appliedIndex]);
});
