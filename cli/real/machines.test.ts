/**
 * VMs for real: a node with the driver of QEMU, and the demo guest. The guest has its own kernel, is emulated where
 * there is no KVM, and is reached over its tap device.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FENCE_GRACE_MS, LEASE_TTL_MS } from "../../core/index.ts";
import type { AnswerOf } from "../../runtime-real/index.ts";
import { RealCluster, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
const LIMIT = { timeout: 120_000 };
const SUBNET = "10.203.77.0/24";

const cluster = new RealCluster();
let digest = "";

beforeAll(async () => {
  const node = await cluster.add(["--vm-driver", "qemu"]);
  const built = run("image", "build", "demo", "--data-dir", node.dataDir, "--json");
  digest = JSON.parse(built).digest;
  run("ip-pool", "create", "--name", "lan", "--subnet", SUBNET, "--gateway", "10.203.77.1", "--data-dir", node.dataDir);
}, 120_000);
afterAll(async () => {
  const [node] = cluster.nodes;
  // Its machines end with their supervisor.
  for (const pid of processes("machines/supervisor.ts")) process.kill(pid, "SIGKILL");
  await node?.end("SIGKILL");
  await until(() => processes("qemu-system").length === 0);
  await cluster.destroy();
});

function node() {
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error("no node");
  return first;
}

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, [blixard, ...args], { encoding: "utf8" });
}

/** Those of this test that have `word` in their command line. */
function processes(word: string): readonly number[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) return [];
    try {
      const isOurs =
        readFileSync(`/proc/${entry}/environ`, "utf8").includes(cluster.folder) ||
        readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(cluster.folder);
      return isOurs && readFileSync(`/proc/${entry}/cmdline`, "utf8").includes(word) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

function qemu(): number {
  const [pid, ...others] = processes("qemu-system");
  if (pid === undefined || others.length > 0) throw new Error(`${1 + others.length} machines run`);
  return pid;
}

async function vm(name: string): Promise<AnswerOf<"vm.show">["vm"] | null> {
  return await node().ask(async (api) => {
    const { vms } = await api.read("vm.list", {}, { timeoutMs: 20_000 });
    return vms.find((one) => one.name === name) ?? null;
  });
}

async function isIn(name: string, state: string): Promise<boolean> {
  return (await vm(name))?.state === state;
}

/** What the guest answers: its name, address and boot id. */
async function answer(): Promise<readonly string[]> {
  const address = (await vm("web"))?.addresses[0]?.address;
  let text = "";
  await until(async () => {
    const response = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(1000) }).catch(() => null);
    text = response?.status === 200 ? await response.text() : "";
    return text !== "";
  });
  return text.trim().split(" ");
}

function taps(): readonly string[] {
  return (
    String(spawnSync("ip", ["-json", "link", "show"]).stdout)
      .match(/"blixard [^"]*"/g)
      ?.filter((alias) => alias.includes(cluster.folder)) ?? []
  );
}

async function create(name: string): Promise<void> {
  const size = { vcpus: 1, memoryMiB: 96, diskGiB: 0 };
  const recovery = { backoffMs: 100 };
  const spec = { ...size, source: { kind: "image", image: digest }, networks: [{ pool: "lan" }], recovery } as const;
  await node().ask((api) => api.write("vm.create", { name, spec }, { timeoutMs: 10_000 }));
  await until(async () => await isIn(name, "Running"));
}

test("a VM boots, answers at its address, survives its node, stops, starts, and leaves nothing", LIMIT, async () => {
  await create("web");
  const first = await answer();
  expect(first.slice(0, 2)).toEqual(["web", (await vm("web"))?.addresses[0]?.address]);
  const pid = qemu();
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  // Making tap devices needs root, so the node is root.
  expect(status).toMatch(/^Uid:\s(19|20)\d{8}\s/m);
  expect(status).toMatch(/^Seccomp:\s2$/m);

  await node().end("SIGKILL");
  await node().start();
  await until(async () => (await node().status())?.leaderId === 1);
  await until(async () => await isIn("web", "Running"));
  expect(qemu()).toBe(pid);
  expect(await answer()).toEqual(first);

  run("vm", "stop", "web", "--data-dir", node().dataDir);
  expect((await vm("web"))?.state).toBe("Stopped");
  expect(processes("qemu-system")).toEqual([]);
  expect(taps()).toEqual([]);

  run("vm", "start", "web", "--data-dir", node().dataDir);
  expect((await answer())[2]).not.toBe(first[2]);

  run("vm", "delete", "web", "--yes", "--data-dir", node().dataDir);
  expect(await vm("web")).toBeNull();
  await until(() => processes("supervisor.ts").length === 0);
  expect({ processes: processes("qemu"), taps: taps() }).toEqual({ processes: [], taps: [] });
  expect(existsSync(join(node().dataDir, "machines", "web"))).toBe(false);
});

test("a machine that is killed, in whatever way, has crashed and runs again", LIMIT, async () => {
  await create("web");
  const [supervisor = 0] = processes("supervisor.ts");
  const ways = [
    () => process.kill(qemu(), "SIGKILL"),
    () => {
      // Nothing can be written about its end then.
      rmSync(join(node().dataDir, "machines", "web"), { recursive: true });
      process.kill(qemu(), "SIGKILL");
    },
    () => {
      expect(processes("supervisor.ts")).toEqual([supervisor]);
      process.kill(supervisor, "SIGKILL");
    },
  ];
  for (const kill of ways) {
    const { epoch } = (await vm("web")) ?? expect.fail("it was there");
    kill();
    await until(async () => ((await vm("web"))?.epoch ?? 0) > epoch && (await isIn("web", "Running")));
  }
  expect((await answer())[0]).toBe("web");
  run("vm", "delete", "web", "--yes", "--data-dir", node().dataDir);
});

test("when its node hangs, the machine ends with the lease, before it could run elsewhere", LIMIT, async () => {
  await create("web");
  const pid = qemu();
  const stoppedMs = performance.now();
  node().signal("SIGSTOP");
  try {
    await until(() => !existsSync(`/proc/${pid}`));
    expect(performance.now() - stoppedMs).toBeLessThan(LEASE_TTL_MS + FENCE_GRACE_MS);
    expect(processes("qemu-system")).toEqual([]);
  } finally {
    node().signal("SIGCONT");
  }
  // The lease is granted anew, and the VM runs again: in another run.
  await until(async () => (await isIn("web", "Running")) && processes("qemu-system").length === 1);
  expect(qemu()).not.toBe(pid);
  run("vm", "delete", "web", "--yes", "--data-dir", node().dataDir);
});
