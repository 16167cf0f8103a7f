/**
 * What a real kernel makes of the frames, on a cable between two network namespaces. Needs root, iproute2 and socat.
 */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { announcement } from "./announcement.ts";

const [here, there] = [`bxa${process.pid}`, `bxb${process.pid}`];
const EARLIER_MAC = "02:00:00:00:00:09";
let mac = "";

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

beforeAll(() => {
  for (const space of [here, there]) ip("netns", "add", space);
  ip("-n", here, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", there);
  ip("-n", there, "address", "add", "10.97.0.1/24", "dev", "eth0");
  ip("-n", there, "address", "add", "fd00:97::1/64", "dev", "eth0", "nodad");
  for (const space of [here, there]) ip("-n", space, "link", "set", "eth0", "up");
  mac = JSON.parse(ip("-n", here, "-json", "link", "show", "eth0"))[0].address;
});
afterAll(() => {
  for (const space of [here, there]) ip("netns", "delete", space);
});

test.each(["10.97.0.2", "fd00:97::2"])("whoever knew %s at another place finds it here", async (address) => {
  ip("-n", there, "neigh", "replace", address, "lladdr", EARLIER_MAC, "dev", "eth0", "nud", "stale");
  const frame = announcement(address, mac);
  // Again and again: an interface that has just come up takes nothing for IPv6 yet.
  const announced = () => {
    execFileSync("ip", ["netns", "exec", here, "socat", "-u", "STDIN", "INTERFACE:eth0"], { input: frame });
    return ip("-n", there, "neigh", "show", address);
  };
  await expect.poll(announced, { timeout: 5000 }).toContain(mac);
});
