/**
 * Consoles of VMs, from nodes that do not run them: of a VM on a worker that is no member, which is connected to one
 * member alone, and of a VM on another member.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RealCluster, RealNode, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
const LIMIT = { timeout: 60_000 };
const DRIVER = ["--vm-driver", "qemu"];
/** Ctrl-] */
const DETACH = "\u001d";

const cluster = new RealCluster();
const worker = new RealNode(7, join(cluster.folder, "7"), "127.0.0.1:0");

beforeAll(async () => {
  await cluster.add(["--no-worker"]);
  const host = await cluster.add(DRIVER);
  const { token, address } = await cluster.joinToken();
  const is = ["--id", `${worker.id}`, "--bind", worker.bind, ...DRIVER];
  await worker.start(["--worker-only", ...is, "--join", address, "--token", token]);
  const { digest } = JSON.parse(run(host, "image", "build", "demo", "--json"));
  cpSync(join(host.dataDir, "images"), join(worker.dataDir, "images"), { recursive: true });
  const size = { vcpus: 1, memoryMiB: 96, diskGiB: 0 };
  await node(1).ask(async (api) => {
    for (const [name, workerId] of [
      ["web", worker.id],
      ["db", host.id],
    ] as const) {
      const spec = { ...size, workerId, source: { kind: "image", image: digest } } as const;
      await api.write("vm.create", { name, spec }, { timeoutMs: 20_000 });
    }
  });
  await until(async () => (await isRunning("web")) && (await isRunning("db")));
}, 120_000);
afterAll(async () => {
  // Their machines end with them.
  for (const pid of supervisors()) process.kill(pid, "SIGKILL");
  await worker.end("SIGKILL");
  await cluster.destroy();
});

function node(id: number): RealNode {
  return cluster.nodes.find((one) => one.id === id) ?? expect.fail(`no node ${id}`);
}

function run(at: RealNode, ...args: readonly string[]): string {
  return execFileSync(process.execPath, [blixard, ...args, "--data-dir", at.dataDir], { encoding: "utf8" });
}

function supervisors(): readonly number[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      return command.includes("machines/supervisor.ts") && command.includes(cluster.folder) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

/** A terminal on a console, without one: what is typed goes in as it is. */
class Attached {
  readonly #child: ChildProcess;
  text = "";
  said = "";
  readonly ended: Promise<number | null>;

  constructor(at: RealNode, vm: string) {
    this.#child = spawn(process.execPath, [blixard, "vm", "console", vm, "--data-dir", at.dataDir]);
    this.#child.stdout?.on("data", (bytes) => {
      this.text += String(bytes);
    });
    this.#child.stderr?.on("data", (bytes) => {
      this.said += String(bytes);
    });
    this.ended = new Promise((resolve) => this.#child.once("close", resolve));
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async sees(text: string): Promise<void> {
    await until(() => this.text.includes(text));
  }
}

async function isRunning(vm: string): Promise<boolean> {
  return (await node(1).ask((api) => api.read("vm.show", { name: vm }, { timeoutMs: 20_000 }))).vm.state === "Running";
}

test.each([
  ["web", 1],
  ["web", 2],
  ["db", 1],
  ["db", 2],
])("what %s has written is shown by node %d", LIMIT, async (vm, id) => {
  await until(() => run(node(id), "vm", "logs", vm).includes(`${vm} is up`));
});

test("two are attached at once, by different nodes: both see what one types, and each detaches", LIMIT, async () => {
  const [one, other] = [new Attached(node(1), "web"), new Attached(node(2), "web")];
  await until(() => [one, other].every(({ said }) => said.includes("attached to web")));
  one.type("echo $((6 * 7))-seen\n");
  await Promise.all([one.sees("42-seen"), other.sees("42-seen")]);
  other.type(`printf '\\033[31mred\\007%s\\n' -too\n`);
  await Promise.all([one.sees("\u001b[31mred\u0007-too"), other.sees("-too")]);
  one.type(DETACH);
  expect(await one.ended).toBe(0);
  expect(one.said).toContain("detached from web");
  other.kill("SIGTERM");
  expect(await other.ended).toBe(143);
  const last = run(node(2), "vm", "logs", "web", "--lines", "2").split("\n");
  expect(last[0]).toBe("^[[31mred^G-too");
});
