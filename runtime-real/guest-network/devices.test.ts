/** Devices of a real kernel, in a network namespace of the test's own. Needs root and iproute2. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const space = `bxd${process.pid}`;
const LOOK = `console.log(JSON.stringify(await (await import(process.argv[1])).guestDevices()))`;

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

beforeAll(() => {
  ip("netns", "add", space);
  for (const [name, alias, ...queues] of [
    ["bx-1-1", "blixard /var/lib/blixard/machines"],
    ["bx-1-2", "blixard /var/lib/blixard/machines"],
    ["vm1", "blixard prepared", "multi_queue"],
    ["vm2", "of somebody else"],
  ] as const) {
    ip("-n", space, "tuntap", "add", "dev", name, "mode", "tap", ...queues);
    ip("-n", space, "link", "set", "dev", name, "alias", alias, "up");
    ip("-n", space, "address", "add", "169.254.1.1", "dev", name);
  }
  ip("-n", space, "route", "add", "10.0.0.1", "dev", "bx-1-1");
  ip("-n", space, "route", "add", "10.1.0.0/16", "dev", "bx-1-2");
});
afterAll(() => {
  ip("netns", "delete", space);
});

test("they are told from others, with what is wrong with them", () => {
  const program = [process.execPath, "--input-type=module", "-e", LOOK, join(import.meta.dirname, "devices.ts")];
  const found = JSON.parse(ip("netns", "exec", space, ...program));
  const own = { isPrepared: false, hasManyQueues: false, owner: "/var/lib/blixard/machines" };
  expect(found).toEqual([
    { ...own, name: "bx-1-1", hasRoute: true },
    { ...own, name: "bx-1-2", hasRoute: false },
    { name: "vm1", isPrepared: true, hasManyQueues: true, hasRoute: false, owner: null },
  ]);
});
