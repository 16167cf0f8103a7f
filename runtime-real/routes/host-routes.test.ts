/** Routes of a real kernel, in a network namespace of the test's own. Needs root and iproute2. */
import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HostRoutes } from "./host-routes.ts";

const space = `bxr${process.pid}`;

function ip(...args: readonly string[]): string {
  return execFileSync("ip", ["-n", space, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function devicesUp(): void {
  for (const device of ["eth0", "peer0"]) ip("link", "set", device, "up");
  ip("-6", "address", "replace", "fd00:98::1/64", "dev", "eth0", "nodad");
}

beforeAll(() => {
  execFileSync("ip", ["netns", "add", space]);
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "peer0");
  ip("address", "add", "10.98.0.1/24", "dev", "eth0");
  devicesUp();
});
afterAll(() => {
  execFileSync("ip", ["netns", "delete", space]);
});

function hostRoutes(clusterId = "this cluster", reviewMs?: number) {
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (_: unknown, text?: string) => void warnings.push(text ?? "") };
  const parts = { clusterId, log, ipOptions: ["-n", space], ...(reviewMs === undefined ? {} : { reviewMs }) };
  return { routes: new HostRoutes(parts), warnings };
}

/** "address via hop" of all routes with a gateway. */
function present(): readonly string[] {
  return ["-4", "-6"]
    .flatMap((family) => ip(family, "route", "show").split("\n"))
    .flatMap((line) => /^(\S+) (?:nhid \d+ )?via (\S+)/.exec(line)?.slice(1, 3).join(" via ") ?? [])
    .sort();
}

const FIRST = new Map([
  ["10.20.0.2", "10.98.0.2"],
  ["10.20.0.3", "10.98.0.3"],
  ["fd00:20::2", "fd00:98::2"],
]);
const lines = (hops: ReadonlyMap<string, string>) => [...hops].map(([address, hop]) => `${address} via ${hop}`).sort();

test("they are as wanted, are moved and withdrawn, and a restart finds what an earlier process left", async () => {
  const { routes } = hostRoutes();
  routes.want(FIRST);
  await routes.settled();
  expect(present()).toEqual(lines(FIRST));
  await routes.stop();
  expect(present()).toEqual(lines(FIRST));

  const next = hostRoutes().routes;
  const moved = new Map([
    ["10.20.0.3", "10.98.0.2"],
    ["fd00:20::2", "fd00:98::3"],
    ["fd00:20::3", "fd00:98::2"],
  ]);
  next.want(moved);
  await next.settled();
  expect(present()).toEqual(lines(moved));
  next.want(new Map());
  await next.settled();
  expect(present()).toEqual([]);
  await next.stop();
});

test("those of others stay, whether of the same address or of another cluster", async () => {
  const others = ["10.20.0.2 via 10.98.0.9", "10.20.0.9 via 10.98.0.9"];
  ip("route", "add", "10.20.0.2", "via", "10.98.0.9");
  ip("route", "add", "10.20.0.9", "via", "10.98.0.9", "proto", "static");
  const elsewhere = hostRoutes("another cluster").routes;
  const theirs = new Map([["10.20.0.3", "10.98.0.4"]]);
  elsewhere.want(theirs);
  await elsewhere.settled();
  const { routes } = hostRoutes();
  routes.want(FIRST);
  await routes.settled();
  expect(present()).toEqual([...others, ...lines(theirs), ...lines(FIRST)].sort());
  routes.want(new Map());
  await routes.settled();
  expect(present()).toEqual([...others, ...lines(theirs)].sort());
  elsewhere.want(new Map());
  await elsewhere.settled();
  await Promise.all([routes.stop(), elsewhere.stop()]);
  ip("route", "delete", "10.20.0.2");
  ip("route", "delete", "10.20.0.9");
});

test("a worker that is out of reach keeps no other from being reached, and is told once", async () => {
  const { routes, warnings } = hostRoutes();
  const all = new Map([["10.20.0.1", "192.0.2.1"], ...FIRST]);
  routes.want(all);
  await routes.settled();
  routes.want(all);
  await routes.settled();
  expect(present()).toEqual(lines(FIRST));
  expect(warnings).toEqual([expect.stringContaining("a worker has to be on a network of this host")]);
  routes.want(new Map());
  await routes.settled();
  expect(present()).toEqual([]);
  await routes.stop();
});

test("they come back after their interface was down", async () => {
  const { routes } = hostRoutes("this cluster", 50);
  routes.want(FIRST);
  await routes.settled();
  ip("link", "set", "eth0", "down");
  expect(present()).toEqual([]);
  devicesUp();
  while (present().length < FIRST.size) await delay(20);
  expect(present()).toEqual(lines(FIRST));
  routes.want(new Map());
  await routes.settled();
  await routes.stop();
});
