/**
 * A node that is not root, on a host that scripts/setup-tap-networking.sh has prepared: in a network namespace of its
 * own, with copies of the files that the script changes. Needs root, iproute2 and nftables.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RealCluster, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
const script = join(import.meta.dirname, "..", "..", "scripts", "setup-tap-networking.sh");
const SPACE = `bxp${process.pid}`;
const UID = 65_534;
const SIZE = ["--vcpus", "1", "--memory", "96", "--disk", "0"];
const LIMIT = { timeout: 120_000 };

/** The script and the node see this /dev/net and this /etc. */
const HOST = `
  mount --bind "$0/etc" /etc
  mount --bind "$0/lib" /var/lib
  mount --bind "$0/net" /dev/net
`;

let groups = "";
const cluster: RealCluster = new RealCluster(
  () => "127.0.0.1:0",
  () => [
    ...["ip", "netns", "exec", SPACE, "bash", "-c", `${HOST} exec "$@"`, cluster.folder],
    ...["setpriv", `--reuid=${UID}`, `--regid=${UID}`, `--groups=${groups}`, "--inh-caps=-all", "--bounding-set=-all"],
  ],
);

beforeAll(async () => {
  execFileSync("ip", ["netns", "add", SPACE]);
  for (const name of ["etc", "lib", "net", "1"]) mkdirSync(join(cluster.folder, name));
  cpSync("/etc", join(cluster.folder, "etc"), { recursive: true, verbatimSymlinks: true });
  execFileSync("mknod", ["-m", "0600", join(cluster.folder, "net", "tun"), "c", "10", "200"]);
  const setUp = `${HOST} ip link set lo up; "$1" --user nobody --taps 4 --subnet 10.96.0.0/24`;
  execFileSync("ip", ["netns", "exec", SPACE, "bash", "-ec", setUp, cluster.folder, script]);
  const listed = readFileSync(join(cluster.folder, "etc", "group"), "utf8");
  groups = ["kvm", "blixard"].map((name) => new RegExp(`^${name}:x:(\\d+)`, "m").exec(listed)?.[1]).join(",");
  const dataDir = join(cluster.folder, "1");
  execFileSync(process.execPath, [blixard, "image", "build", "demo", "--data-dir", dataDir]);
  for (const path of ["", ...readdirSync(dataDir, { recursive: true, encoding: "utf8" })])
    chownSync(join(dataDir, path), UID, UID);
  chmodSync(cluster.folder, 0o711);
  await cluster.add(["--vm-driver", "qemu", "--accel", "tcg"]);
}, 120_000);

afterAll(async () => {
  for (const entry of readdirSync("/proc")) {
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      // Its machines end with it.
      if (command.includes("machines/supervisor.ts") && command.includes(cluster.folder))
        process.kill(Number(entry), "SIGKILL");
    } catch {
      // It has ended in the meantime.
    }
  }
  await cluster.destroy();
  if (existsSync(`/run/netns/${SPACE}`)) execFileSync("ip", ["netns", "delete", SPACE]);
});

function run(...args: readonly string[]): string {
  const [node] = cluster.nodes;
  return execFileSync(process.execPath, [blixard, ...args, "--data-dir", node?.dataDir ?? ""], { encoding: "utf8" });
}

function devices(): string {
  return String(spawnSync("ip", ["-n", SPACE, "-o", "link", "show", "type", "tun"]).stdout);
}

test("guests get the devices that were made for their addresses, and leave them", LIMIT, async () => {
  run("ip-pool", "create", "--name", "lan", "--subnet", "10.96.0.0/24", "--gateway", "10.96.0.254");
  run("vm", "create", "--name", "web", "--image", "demo", "--network", "lan", ...SIZE);
  const fetched = () =>
    spawnSync(
      "ip",
      [
        "netns",
        "exec",
        SPACE,
        process.execPath,
        "-e",
        'fetch("http://10.96.0.1/").then(async (r) => console.log(await r.text()))',
      ],
      {
        encoding: "utf8",
        timeout: 3000,
      },
    ).stdout;
  await until(() => fetched().startsWith("web 10.96.0.1 "));
  run("vm", "delete", "web", "--yes");
  for (const name of ["vm1", "vm2", "vm3", "vm4"]) expect(devices()).toContain(`${name}:`);
});

test("an address for which none was made is refused, and it is said how to make one", LIMIT, async () => {
  run("ip-pool", "create", "--name", "other", "--subnet", "10.97.0.0/24");
  run("vm", "create", "--name", "far", "--image", "demo", "--network", "other", "--no-wait", ...SIZE);
  await until(() => /may make none: run it as root.*setup-tap-networking/s.test(run("vm", "show", "far", "--json")));
  run("vm", "delete", "far", "--yes");
});
