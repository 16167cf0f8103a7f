import { expect, test } from "vitest";
import { nodeOf } from "../../core/index.ts";
import { isolateLinks } from "../network/index.ts";
import type { SimMember } from "./member.ts";
import { smallWorld } from "./testing/index.ts";
import type { World } from "./world.ts";

function settled(): World {
  const { world } = smallWorld();
  while (world.advance(5_000_000));
  return world;
}

function runFor(world: World, ms: number): void {
  const untilUs = world.loop.nowUs + ms * 1000;
  while (world.advance(untilUs));
}

function moveAll(world: World, members: readonly SimMember[], takesOver = false): void {
  for (const member of members) {
    world.processes.crash(member);
    world.addresses.move(member.host, takesOver);
  }
  for (const member of members) world.processes.boot(member);
}

/** Who knows where whom is, as "from>to". */
function known({ members, addresses }: World): string {
  const pairs = members.all.flatMap((from) => members.all.map((to) => ({ from, to })));
  const reached = pairs.filter(({ from, to }) => from !== to && addresses.reaches(from, to));
  return reached.map(({ from, to }) => `${from.id}>${to.id}`).join(" ");
}

const ALL = "1>2 1>3 2>1 2>3 3>1 3>2";

/** Where replicated state has each member, as each member has it; undefined: nowhere. */
function recorded({ members }: World): readonly (string | undefined)[] {
  return members.all.flatMap(({ node }) =>
    members.all.map(({ id }) => (node === null ? undefined : nodeOf(node.state, id)?.addresses[0])),
  );
}

function followers({ members }: World): readonly SimMember[] {
  return members.all.filter((member) => member !== members.leader());
}

test("where nobody has moved all know each other, and nothing is announced", () => {
  const world = settled();
  expect(known(world)).toBe(ALL);
  expect(new Set(recorded(world))).toEqual(new Set([undefined]));
});

test("a member that has moved is found when it has said hello, and the cluster's record of it follows", () => {
  const world = settled();
  const [moved] = followers(world);
  if (moved === undefined) throw new RangeError("nobody follows");
  const token = world.network.block(isolateLinks(moved.host.index, 4, "both"));
  moveAll(world, [moved]);
  runFor(world, 5000);
  expect(world.members.all.filter((other) => other !== moved && world.addresses.reaches(other, moved))).toEqual([]);
  world.network.unblock(token);
  runFor(world, 5000);
  expect(known(world)).toBe(ALL);
  const { state } = world.members.leader()?.node ?? {};
  expect(state && nodeOf(state, moved.id)?.addresses).toEqual(["moved-1:7001"]);
});

test("members that have moved at once find each other through the one that has not", () => {
  const world = settled();
  moveAll(world, followers(world));
  runFor(world, 15_000);
  expect(known(world)).toBe(ALL);
  expect(recorded(world)).not.toContain(undefined);
});

test("if all move at once, nobody finds anybody", () => {
  const world = settled();
  moveAll(world, world.members.all);
  runFor(world, 60_000);
  expect(known(world)).toBe("");
});

test("a member may move when the cluster has a record of it, never when its id is bound to another identity", () => {
  const world = settled();
  const [bound, other] = followers(world);
  const leader = world.members.leader();
  if (bound === undefined || other === undefined || leader === null) throw new RangeError("nobody leads or follows");
  const command = { kind: "announceNode", nodeId: bound.id, peerId: "somebody-else", addresses: ["c:1"] } as const;
  const request = { session: null, command };
  world.gateway.request(leader.host, { kind: "propose", request }, { answered() {} }, 1, 0);
  runFor(world, 1000);
  const mayFollow = (member: SimMember): boolean => world.addresses.mayFollow(member, world.members.running());
  expect([mayFollow(bound), mayFollow(other)]).toEqual([false, false]);
  runFor(world, 5000);
  expect([mayFollow(bound), mayFollow(other)]).toEqual([false, true]);
  const { state } = leader.node ?? {};
  expect(state && world.addresses.whyNotFound(world.members.running(), state)).toBeNull();
});

test("a member may take over the address that another has left", () => {
  const world = settled();
  const [first, second] = followers(world);
  if (first === undefined || second === undefined) throw new RangeError("there are not two followers");
  const left = world.addresses.of(first.host);
  moveAll(world, [first]);
  runFor(world, 10_000);
  moveAll(world, [second], true);
  expect(world.addresses.of(second.host)).toBe(left);
  runFor(world, 10_000);
  expect(known(world)).toBe(ALL);
});

test.each([
  [false, 1],
  [true, 0],
])("what is on its way to a host is lost with it if the host moves: %s", (moves, received) => {
  const world = settled();
  const [to] = followers(world);
  const leader = world.members.leader();
  if (to === undefined || leader?.node == null) throw new RangeError("nobody leads or follows");
  let introductions = 0;
  world.watchers.witness = {
    stepped() {},
    obeyed() {},
    reported() {},
    received(_to, _from, { type }) {
      if (type === "introduction") introductions += 1;
    },
  };
  world.transport.send(leader, to.peerId, leader.node.introduction(to.id));
  world.processes.crash(to);
  if (moves) world.addresses.move(to.host, false);
  world.processes.boot(to);
  runFor(world, 100);
  expect(introductions).toBe(received);
});
