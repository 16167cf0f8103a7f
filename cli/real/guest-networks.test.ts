/**
 * Guests are reached from every host of the cluster and from others on its network, wherever they run, and send only
 * what they may. Three nodes and a stranger, each in a network namespace of its own. Needs root, iproute2, nftables and
 * socat.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnswerOf } from "../../runtime-real/index.ts";
import { RealCluster, RealNode, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
const LIMIT = { timeout: 120_000 };
const HUB = `bxg${process.pid}`;
/** A host of the network that is none of the cluster. */
const STRANGER = 9;
const HOSTS = [1, 2, 3, STRANGER] as const;
/** That of the network: no host takes its address. */
const GATEWAY = "10.99.1.1";
const OTHER_ADDRESS = "10.99.1.200";
const OTHER_MAC = "02:00:00:00:00:77";
const space = (id: number): string => `${HUB}n${id}`;
const prefix = (id: number): readonly string[] => ["ip", "netns", "exec", space(id)];

const cluster = new RealCluster((id) => `10.99.0.${id}:7001`, prefix);
const worker = new RealNode(3, join(cluster.folder, "3"), "10.99.0.3:7001", prefix(3));
let digest = "";

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function within(id: number, command: string, ...args: readonly string[]): string {
  return ip("netns", "exec", space(id), command, ...args);
}

/** Guests have addresses of 10.99.1.0/24 and fd00:99:0:1::/64, which only the stranger takes for its own network. */
function layCables(): void {
  ip("netns", "add", HUB);
  ip("-n", HUB, "link", "add", "name", "hub0", "type", "bridge");
  ip("-n", HUB, "link", "set", "hub0", "up");
  for (const id of HOSTS) {
    ip("netns", "add", space(id));
    ip("-n", HUB, "link", "add", "name", `v${id}`, "type", "veth", "peer", "name", "eth0", "netns", space(id));
    ip("-n", HUB, "link", "set", `v${id}`, "master", "hub0", "up");
    const [four, six] = id === STRANGER ? [16, 48] : [24, 64];
    ip("-n", space(id), "address", "add", `10.99.0.${id}/${four}`, "dev", "eth0");
    ip("-n", space(id), "address", "add", `fd00:99::${id}/${six}`, "dev", "eth0", "nodad");
    for (const device of ["eth0", "lo"]) ip("-n", space(id), "link", "set", device, "up");
    for (const setting of ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])
      within(id, "sysctl", "-qw", setting);
  }
}

beforeAll(async () => {
  layCables();
  const via = (id: number) => ["--guests-via", `10.99.0.${id},fd00:99::${id}`];
  const driver = ["--vm-driver", "qemu", "--accel", "tcg", "--uplink", "eth0", "--masquerade"];
  await cluster.add(["--no-worker"]);
  const host = await cluster.add([...driver, ...via(2), "--guest-ports", "tcp/8081"]);
  const { token, address } = await cluster.joinToken();
  const is = ["--id", "3", "--bind", worker.bind, ...driver, ...via(3)];
  await worker.start(["--worker-only", ...is, "--join", address, "--token", token]);
  digest = JSON.parse(run("image", "build", "demo", "--json", "--data-dir", host.dataDir)).digest;
  cpSync(join(host.dataDir, "images"), join(worker.dataDir, "images"), { recursive: true });
  run(
    "ip-pool",
    "create",
    "--name",
    "four",
    "--subnet",
    "10.99.1.0/24",
    "--gateway",
    GATEWAY,
    "--data-dir",
    first().dataDir,
  );
  const range = ["--range", "fd00:99:0:1::10-fd00:99:0:1::ff"];
  run("ip-pool", "create", "--name", "six", "--subnet", "fd00:99:0:1::/64", ...range, "--data-dir", first().dataDir);
}, 120_000);

afterAll(async () => {
  // Their machines end with them.
  for (const pid of processes("machines/supervisor.ts")) process.kill(pid, "SIGKILL");
  await worker.end("SIGKILL");
  await cluster.destroy();
  for (const name of [HUB, ...HOSTS.map(space)]) if (existsSync(`/run/netns/${name}`)) ip("netns", "delete", name);
});

function first(): RealNode {
  return cluster.nodes[0] ?? expect.fail("no node");
}

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, [blixard, ...args], { encoding: "utf8" });
}

/** The network namespace of a process. */
function netOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

function processes(word: string): readonly number[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      const text = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      return text.includes(word) && text.includes(cluster.folder) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

async function vm(name: string): Promise<AnswerOf<"vm.show">["vm"] | null> {
  const { vms } = await first().ask((api) => api.read("vm.list", {}, { timeoutMs: 20_000 }));
  return vms.find((one) => one.name === name) ?? null;
}

/** Resolves to its address when it runs there. */
async function create(name: string, pool: string, workerId: 2 | 3): Promise<string> {
  const other = workerId === 2 ? 3 : 2;
  const size = { vcpus: 1, memoryMiB: 96, diskGiB: 0 };
  const spec = { ...size, source: { kind: "image", image: digest }, networks: [{ pool }] } as const;
  await first().ask(async (api) => {
    await api.write("worker.cordon", { id: other });
    await api.write("vm.create", { name, spec }, { timeoutMs: 10_000 });
  });
  await until(async () => (await vm(name))?.state === "Running");
  await first().ask((api) => api.write("worker.uncordon", { id: other }));
  return (await vm(name))?.addresses[0]?.address ?? "";
}

const FETCH = `
  const [url] = process.argv.slice(1);
  for (;;) {
    const response = await fetch(url, { signal: AbortSignal.timeout(500) }).catch(() => null);
    if (response?.status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
`;

/** Resolves when the guest has answered in that namespace, to the time of the test's clock. */
async function answersIn(id: number, address: string): Promise<number> {
  const url = address.includes(":") ? `http://[${address}]/` : `http://${address}/`;
  const [command = "", ...words] = prefix(id);
  const child = spawn(command, [...words, process.execPath, "--input-type=module", "-e", FETCH, url]);
  try {
    return await new Promise((resolve) => child.once("close", () => resolve(performance.now())));
  } finally {
    child.kill("SIGKILL");
  }
}

const SERVE = `
  import { createServer } from "node:net";
  const [port] = process.argv.slice(1);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      console.log(socket.remoteAddress.replace("::ffff:", "") + " " + String(data).trim());
      socket.end();
    });
  });
  server.listen(Number(port), "::", () => console.log("listens"));
`;

/** Listens in a namespace, and notes who says what. */
class Server {
  readonly #child: ChildProcess;
  heard = "";

  constructor(id: number, port: number) {
    const [command = "", ...words] = prefix(id);
    const args = [...words, process.execPath, "--input-type=module", "-e", SERVE, `${port}`];
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child.stdout?.on("data", (bytes) => {
      this.heard += String(bytes);
    });
  }

  async listens(): Promise<this> {
    await until(() => this.heard.includes("listens"));
    return this;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

/** What a guest's shell prints for a command. */
async function inGuest(name: string, command: string): Promise<string> {
  const child = spawn(process.execPath, [blixard, "vm", "console", name, "--data-dir", first().dataDir]);
  let text = "";
  child.stdout.on("data", (bytes) => {
    text += String(bytes);
  });
  // Typed again and again: a shell that has just started misses what comes too early.
  child.stdin.write("\n");
  await until(() => text.includes("# "));
  child.stdin.write(`${command}; echo all-$((40 + 2))\n`);
  await until(() => text.includes("all-42"));
  child.kill("SIGKILL");
  return text;
}

/** Which of these packets a host has passed on from its guests since. */
function watch<Name extends string>(
  id: number,
  packets: Readonly<Record<Name, string>>,
): () => Record<string, boolean> {
  const names = Object.entries<string>(packets);
  const counters = names.map(([name]) => `counter of-${name} { }`);
  const rules = names.map(([name, packet]) => `iifname "bx-*" ${packet} counter name of-${name}`);
  const chain = ["chain passed {", "type filter hook forward priority filter;", ...rules, "}"];
  execFileSync("ip", ["netns", "exec", space(id), "nft", "-f", "-"], {
    input: ["table inet watch {", ...counters, ...chain, "}"].join("\n"),
  });
  return () => {
    const text = within(id, "nft", "list", "counters", "table", "inet", "watch");
    return Object.fromEntries(
      names.map(([name]) => [name, !new RegExp(`counter of-${name} {\\s+packets 0 `).test(text)]),
    );
  };
}

function routeOf(id: number, address: string): string {
  return ip("-n", space(id), "route", "get", address);
}

/** What a host has of guests, in words of its kernel. */
function leftovers(id: number): string {
  const show = (...args: readonly string[]) => ip("-n", space(id), ...args);
  return [
    ...[show("link", "show"), show("-4", "route", "show"), show("-6", "route", "show")],
    ...[
      show("-4", "neigh", "show", "proxy"),
      show("-6", "neigh", "show", "proxy"),
      within(id, "nft", "list", "tables"),
    ],
  ]
    .flatMap((text) => text.split("\n"))
    .filter((line) => /bx-|10\.99\.1\.|fd00:99:0:1:|blixard/.test(line))
    .join("\n");
}

test.each([
  ["IPv4", "four"],
  ["IPv6", "six"],
])(
  "a guest is reached from every host, and from a stranger, before and after it has moved: %s",
  LIMIT,
  async (_, pool) => {
    const address = await create("web", pool, 2);
    expect((await vm("web"))?.workerId).toBe(2);
    await Promise.all([1, 2, 3, STRANGER].map((id) => answersIn(id, address)));
    for (const id of [1, 3]) expect(routeOf(id, address)).toMatch(/via (?:10\.99\.0\.2|fd00:99::2) dev eth0/);

    run("vm", "migrate", "web", "--to", "3", "--no-wait", "--data-dir", first().dataDir);
    await until(async () => {
      const moved = await vm("web");
      return moved?.workerId === 3 && moved.state === "Running";
    });
    const runningMs = performance.now();
    for (const id of [1, 2]) await until(() => /via (?:10\.99\.0\.3|fd00:99::3) dev eth0/.test(routeOf(id, address)));
    expect(performance.now() - runningMs).toBeLessThan(2000);
    // Its kernel takes its time. From then on it is reached from everywhere.
    const atHomeMs = await answersIn(3, address);
    const elsewhere = await Promise.all([1, 2, STRANGER].map((id) => answersIn(id, address)));
    for (const answeredMs of elsewhere) expect(answeredMs - atHomeMs).toBeLessThan(2000);

    run("vm", "delete", "web", "--yes", "--data-dir", first().dataDir);
    await until(() => HOSTS.every((id) => id === STRANGER || leftovers(id) === ""));
    for (const id of [1, 2, 3]) expect(leftovers(id)).toBe("");
  },
);

test("a host that hangs answers for its guests no more, and they are reached where they run next", LIMIT, async () => {
  const address = await create("db", "four", 3);
  await Promise.all([1, STRANGER].map((id) => answersIn(id, address)));
  expect(leftovers(3)).toMatch(/10\.99\.1\.\d+ dev eth0 +proxy/);
  worker.signal("SIGSTOP");
  try {
    await until(async () => (await vm("db"))?.workerId === 2);
    // By then the fence has fallen.
    expect(processes("qemu-system").filter((pid) => netOf(pid) === netOf(worker.pid))).toEqual([]);
    expect(leftovers(3)).not.toMatch(/bx-|proxy/);
    await until(async () => (await vm("db"))?.state === "Running");
    const runningMs = performance.now();
    await until(() => routeOf(1, address).includes("via 10.99.0.2 dev eth0"));
    expect(performance.now() - runningMs).toBeLessThan(2000);
    const atHomeMs = await answersIn(2, address);
    for (const answeredMs of await Promise.all([1, STRANGER].map((id) => answersIn(id, address))))
      expect(answeredMs - atHomeMs).toBeLessThan(2000);
  } finally {
    worker.signal("SIGCONT");
  }
  // It has missed nothing that it is not told now.
  await answersIn(3, address);
  run("vm", "delete", "db", "--yes", "--data-dir", first().dataDir);
  await until(() => leftovers(3) === "");
  expect(leftovers(2)).toBe("");
});

test("a guest sends only from its own address and device, and reaches of its host what is allowed", LIMIT, async () => {
  const address = await create("cache", "four", 2);
  await answersIn(2, address);
  const passed = watch(2, {
    own: `ip saddr ${address} ether saddr != ${OTHER_MAC}`,
    address: `ip saddr ${OTHER_ADDRESS}`,
    device: `ether saddr ${OTHER_MAC}`,
  });
  const [outside, closed, open] = [new Server(STRANGER, 8080), new Server(2, 8080), new Server(2, 8081)];
  try {
    for (const server of [outside, closed, open]) await server.listens();
    const say = (word: string, host: string, port = 8080) => `echo ${word} | nc -w 2 ${host} ${port}`;
    const stranger = `10.99.0.${STRANGER}`;
    const gateway = "169.254.1.1";
    expect(ip("-n", space(2), "address", "show")).not.toContain(GATEWAY);
    await inGuest(
      "cache",
      [
        say("own", stranger),
        say("host", "10.99.0.2"),
        say("gateway", gateway),
        say("allowed", "10.99.0.2", 8081),
        `ip addr add ${OTHER_ADDRESS}/32 dev eth0`,
        `ip route replace default via ${gateway} dev eth0 src ${OTHER_ADDRESS}`,
        say("spoofed-address", stranger),
        `ip route replace default via ${gateway} dev eth0 src ${address}`,
        say("own-again", stranger),
        `ip link set eth0 address ${OTHER_MAC}`,
        say("spoofed-device", stranger),
      ].join("; "),
    );
    // Not even a first packet, whatever would have become of an answer.
    expect(passed()).toEqual({ own: true, address: false, device: false });
    expect(outside.heard.trim().split("\n")).toEqual([
      "listens",
      // With the address of its host, since the stranger has none of the pool.
      "10.99.0.2 own",
      "10.99.0.2 own-again",
    ]);
    expect(closed.heard).toBe("listens\n");
    expect(open.heard).toContain(`${address} allowed`);
  } finally {
    for (const server of [outside, closed, open]) server.end();
  }
  run("vm", "delete", "cache", "--yes", "--data-dir", first().dataDir);
  expect(leftovers(2)).toBe("");
});
