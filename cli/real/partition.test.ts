/**
 * Three real nodes, each in a network namespace of its own: links are cut and restored, and the cluster recovers by
 * itself. Needs root and iproute2.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RealCluster, type RealNode, until } from "./testing/index.ts";

const hub = `bx${process.pid}`;
const spaceOf = (id: number): string => `${hub}n${id}`;

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** A bridge in a namespace of its own, and a virtual cable to the namespace of each node. */
function layCables(): void {
  ip("netns", "add", hub);
  ip("-n", hub, "link", "add", "name", "hub0", "type", "bridge");
  ip("-n", hub, "link", "set", "hub0", "up");
  for (const id of [1, 2, 3]) {
    const space = spaceOf(id);
    ip("netns", "add", space);
    ip("-n", hub, "link", "add", "name", `v${id}`, "type", "veth", "peer", "name", "eth0", "netns", space);
    ip("-n", hub, "link", "set", `v${id}`, "master", "hub0");
    ip("-n", space, "address", "add", `10.99.0.${id}/24`, "dev", "eth0");
    for (const device of ["eth0", "lo"]) ip("-n", space, "link", "set", device, "up");
    cable(id, "up");
  }
}

function cable(id: number, state: "up" | "down"): void {
  ip("-n", hub, "link", "set", `v${id}`, state);
}

const cluster = new RealCluster(
  (id) => `10.99.0.${id}:7001`,
  (id) => ["ip", "netns", "exec", spaceOf(id)],
);

beforeAll(async () => {
  layCables();
  await cluster.start(3);
}, 60_000);

afterAll(async () => {
  await cluster.destroy();
  for (const space of [hub, ...[1, 2, 3].map(spaceOf)])
    if (existsSync(`/run/netns/${space}`)) ip("netns", "delete", space);
});

let next = 1;

async function write(node: RealNode): Promise<string> {
  const name = `vm-${next++}`;
  await node.ask((api) => api.write("vm.create", { name }, { timeoutMs: 20_000 }));
  return name;
}

function others(node: RealNode): readonly RealNode[] {
  return cluster.nodes.filter(({ id }) => id !== node.id);
}

async function names(node: RealNode): Promise<readonly string[]> {
  return (await node.ask((api) => api.read("vm.list", {}, { timeoutMs: 10_000 }))).vms.map(({ name }) => name);
}

test("a leader that is cut off gives way, refuses to write, and learns what it missed when it is back", {
  timeout: 90_000,
}, async () => {
  const old = await cluster.leader();
  const [one, two] = others(old);
  if (one === undefined || two === undefined) throw new Error("fixture");
  cable(old.id, "down");
  await until(async () => {
    const status = await one.status();
    return status?.leaderId === one.id || status?.leaderId === two.id;
  });
  const written = await write(one);
  // It loses its connections first, and steps down after its election timeout. Until then it accepts what it cannot
  // commit.
  await until(async () => {
    const status = await old.status();
    return status?.quorum.has === false && status.leaderId === null;
  });
  const alone = old.ask((api) => api.call("vm.create", { name: "never" }, { timeoutMs: 10_000 }));
  await expect(alone).rejects.toMatchObject({
    name: "ApiError",
    code: "quorumLost",
    details: { missing: [one.id, two.id] },
  });
  cable(old.id, "up");
  await cluster.settled();
  expect(await names(old)).toContain(written);
  expect(await names(old)).not.toContain("never");
});

test("a follower that is cut off and back disturbs nobody", { timeout: 90_000 }, async () => {
  const leader = await cluster.leader();
  const [follower] = others(leader);
  if (follower === undefined) throw new Error("fixture");
  const before = await leader.status();
  cable(follower.id, "down");
  await until(async () => (await follower.status())?.quorum.has === false);
  const written = await write(leader);
  cable(follower.id, "up");
  await cluster.settled();
  const after = await leader.status();
  expect([after?.term, after?.leaderId]).toEqual([before?.term, before?.leaderId]);
  expect(await names(follower)).toContain(written);
});

test("when all are apart nobody writes, and together they go on by themselves", { timeout: 90_000 }, async () => {
  for (const { id } of cluster.nodes) cable(id, "down");
  await until(async () => {
    const all = await Promise.all(cluster.nodes.map((node) => node.status()));
    return all.every((status) => status?.quorum.has === false && status.leaderId === null);
  });
  for (const { id } of cluster.nodes) cable(id, "up");
  await cluster.settled();
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error("fixture");
  const written = await write(first);
  expect(await names(first)).toContain(written);
});
