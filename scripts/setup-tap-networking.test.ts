/**
 * The script that prepares a host, in namespaces of its own: with its own network, and copies of /etc and /var/lib.
 * Needs root, iproute2 and nftables.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const script = join(import.meta.dirname, "setup-tap-networking.sh");
const folder = mkdtempSync(join(tmpdir(), "blixard-setup-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What such a host has, as text. */
const SHOW = `
  ip -o link show type tun | sed 's/^[0-9]*: //; s/:.*//' | tr '\\n' ' '; echo
  stat -c '%a %g' /dev/net/tun
  ip route show; cat /proc/sys/net/ipv4/ip_forward; nft list tables
  find /etc/sysctl.d/60-blixard.conf /var/lib/blixard-setup 2>/dev/null || true
`;

function inOwnHost(commands: string): string {
  const setUp = `
    set -e
    mkdir -p ${folder}/etc ${folder}/lib
    cp -a /etc/. ${folder}/etc
    mount --bind ${folder}/etc /etc
    mount --bind ${folder}/lib /var/lib
    mount -t sysfs sysfs /sys
    mkdir -p ${folder}/net
    [ -e ${folder}/net/tun ] || mknod -m 0600 ${folder}/net/tun c 10 200
    mount --bind ${folder}/net /dev/net
    sysctl -qw net.ipv4.ip_forward=0
    show() { ${SHOW} }
  `;
  const words = ["--mount", "--net", "--propagation", "private", "bash", "-c", `${setUp}\n${commands}`];
  return execFileSync("unshare", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

test("it prepares a host, again without a difference, and leaves nothing when it is undone", {
  timeout: 60_000,
}, () => {
  const [bare = "", prepared = "", again = "", undone = "", groups = ""] = inOwnHost(`
    part() { echo ----; show; }
    show
    ${script} --user nobody --taps 3 --subnet 10.96.0.0/24 >&2; part
    ${script} --user nobody --taps 3 --subnet 10.96.0.0/24 >&2; part
    ${script} --undo >&2; part
    echo ----; id -nG nobody
  `).split("----\n");
  expect(prepared.split("\n")).toEqual(
    expect.arrayContaining([
      "vm1 vm2 vm3 ",
      "10.96.0.2 dev vm2 scope link dead linkdown ",
      "1",
      "table inet blixard-prepared",
      "/etc/sysctl.d/60-blixard.conf",
    ]),
  );
  expect(bare).toContain("600 0\n");
  expect(prepared).toMatch(/^660 [1-9]/m);
  expect(again).toBe(prepared);
  expect(undone).toBe(bare);
  expect(groups).toMatch(/\bkvm\b.*\bblixard\b|\bblixard\b.*\bkvm\b/);
});

test("devices of somebody else stay, and it says so", { timeout: 60_000 }, () => {
  const said = inOwnHost(`
    ip tuntap add dev vm2 mode tap
    ${script} --user nobody --taps 3 2>&1 && exit 1
    ${script} --undo >&2
    show
  `);
  expect(said).toContain("vm2 exists, and is somebody else's");
  expect(said).toContain("vm2");
});

test.each([
  [["--taps", "many"], "--taps is a number up to 254"],
  [["--subnet", "10.0.0.0/16"], "--subnet is a /24"],
  [["--frobnicate"], "unknown option --frobnicate"],
])("it refuses %j", (words, message) => {
  const { status, stderr } = spawnSync(script, words, { encoding: "utf8" });
  expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
});
