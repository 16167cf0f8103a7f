/**
 * Consoles of VMs, from nodes that do not run them: of a VM on a worker that is no member, which is connected to one
 * member alone, and of a VM on another member.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RealCluster, RealNode, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
const LIMIT = { timeout: 60_000 };
const DRIVER = ["--vm-driver", "qemu"];
const SEES_MS = 20_000;
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
      const recovery = { backoffMs: 100 };
      const spec = { ...size, workerId, source: { kind: "image", image: digest }, recovery } as const;
      await api.write("vm.create", { name, spec }, { timeoutMs: 20_000 });
    }
  });
  await until(async () => (await isRunning("web")) && (await isRunning("db")));
}, 120_000);
afterAll(async () => {
  // Their machines end with them.
  for (const pid of processes("machines/supervisor.ts")) process.kill(pid, "SIGKILL");
  await worker.end("SIGKILL");
  await cluster.destroy();
});

function node(id: number): RealNode {
  return cluster.nodes.find((one) => one.id === id) ?? expect.fail(`no node ${id}`);
}

function run(at: RealNode, ...args: readonly string[]): string {
  return execFileSync(process.execPath, [blixard, ...args, "--data-dir", at.dataDir], { encoding: "utf8" });
}

/** What a command says that is refused. Empty: it is not. */
function refusedLogs(...args: readonly string[]): string {
  const { status, stderr } = spawnSync(process.execPath, [
    blixard,
    ...["vm", "logs", ...args],
    ...["--data-dir", node(1).dataDir],
  ]);
  return status === 0 ? "" : String(stderr);
}

/** Those of this test with both words in their command line or environment. */
function processes(...words: readonly string[]): readonly number[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      const text = ["cmdline", "environ"].map((name) => readFileSync(`/proc/${entry}/${name}`, "utf8")).join("\0");
      return [cluster.folder, ...words].every((word) => text.includes(word)) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

/** A command with what it has printed so far. */
class Command {
  readonly #child: ChildProcess;
  text = "";
  said = "";
  readonly ended: Promise<number | null>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args);
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

  /** Whether it has taken all that was typed. */
  get isIdle(): boolean {
    return this.#child.stdin?.writableLength === 0;
  }

  async sees(text: string): Promise<void> {
    const limitMs = performance.now() + SEES_MS;
    await until(() => this.text.includes(text) || performance.now() > limitMs);
    if (!this.text.includes(text)) throw new Error(`no ${JSON.stringify(text)} in ${JSON.stringify(this.text)}`);
  }

  /** Types, and resolves when the shell of the guest waits for the next command. */
  async answered(keys: string): Promise<void> {
    const before = this.#prompts();
    this.type(keys);
    await until(() => this.#prompts() > before);
  }

  #prompts(): number {
    return this.text.split("/ # ").length;
  }
}

function commandAt(at: RealNode, ...args: readonly string[]): Command {
  return new Command(process.execPath, [blixard, ...args, "--data-dir", at.dataDir]);
}

/** Without a terminal: what is typed goes in as it is. */
async function attached(at: RealNode, vm: string): Promise<Command> {
  const command = commandAt(at, "vm", "console", vm);
  await until(() => command.said.includes(`attached to ${vm}`));
  return command;
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
  const follow = commandAt(node(2), "vm", "logs", "web", "--follow", "--lines", "5");
  const [one, other] = await Promise.all([attached(node(1), "web"), attached(node(2), "web"), follow.sees("\n")]);
  await one.answered("echo $((6 * 7))-seen\r");
  await Promise.all([one.sees("42-seen"), other.sees("42-seen")]);
  await other.answered(`printf '\\033[31mred\\007%s\\n' -too\r`);
  await Promise.all([one.sees("\u001b[31mred\u0007-too"), other.sees("-too")]);
  one.type(DETACH);
  expect(await one.ended).toBe(0);
  expect(one.said).toContain("detached from web");
  other.kill("SIGTERM");
  expect(await other.ended).toBe(143);
  await follow.sees("^[[31mred^G-too\n");
  follow.kill("SIGINT");
  expect(await follow.ended).toBe(0);
  const last = run(node(2), "vm", "logs", "web", "--lines", "2").split("\n");
  expect(last[0]).toBe("^[[31mred^G-too");
});

/** In a terminal of its own, with its settings before and after. */
async function inTerminal(at: RealNode, vm: string): Promise<{ readonly command: Command; settings(): string[] }> {
  const words = [process.execPath, blixard, "vm", "console", vm, "--data-dir", at.dataDir].join(" ");
  const command = new Command("script", ["-qfc", `stty -g; ${words}; echo code=$?; stty -g`, "/dev/null"]);
  await command.sees("Ctrl-] detaches");
  await command.answered("\r");
  return { command, settings: () => command.text.match(/^[0-9a-f]+(:[0-9a-f]+){5,}/gm) ?? [] };
}

/** The process of that command, by its command line. */
function pidOf(at: RealNode): number {
  const [pid] = readdirSync("/proc").flatMap((entry) => {
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      return words[0] === process.execPath && words.includes("console") && words.includes(at.dataDir) ? [entry] : [];
    } catch {
      return [];
    }
  });
  return Number(pid ?? expect.fail("no console is open"));
}

test.each([
  ["is detached", 0, async (command: Command) => command.type(`echo lost${DETACH}`)],
  ["is ended by SIGTERM", 143, async () => process.kill(pidOf(node(2)), "SIGTERM")],
  ["is hung up", 129, async () => process.kill(pidOf(node(2)), "SIGHUP")],
  ["loses its node", 1, async () => await node(2).end("SIGKILL")],
] as const)("a console that %s leaves the terminal as it was", LIMIT, async (_, code, end) => {
  const { command, settings } = await inTerminal(node(2), "web");
  command.type("echo $((40 + 4))-asleep; sleep 1000\r");
  await command.sees("44-asleep");
  // Ctrl-C is the guest's.
  await command.answered("\u0003");
  await command.answered("echo $((40 + 5))-alive\r");
  expect(command.text).toContain("45-alive");
  await end(command);
  await command.sees(`code=${code}`);
  await command.ended;
  const [before = "", after, ...others] = settings();
  expect({ after, others }).toEqual({ after: before, others: [] });
  // The guest may have hidden the cursor, and more: see raw-terminal.ts.
  expect(command.text.lastIndexOf("\u001b[?25h")).toBeGreaterThan(command.text.lastIndexOf("45-alive"));
  if (node(2).runs) return;
  await node(2).start();
  await until(async () => (await node(1).status())?.leaderId != null && (await isRunning("web")));
});

test("of a run that has crashed, the reason and the logs tell the end", LIMIT, async () => {
  expect(refusedLogs("web", "--previous")).toContain("has not run before on worker 7");
  const console = await attached(node(1), "web");
  console.type("echo c > /proc/sysrq-trigger\n");
  expect(await console.ended).toBe(0);
  expect(console.said).toMatch(
    /web has ended: the guest rebooted; its console ends: .*Kernel panic - not syncing: sysrq/,
  );
  await until(() => !refusedLogs("web", "--previous").includes("has not run"));
  const told = run(node(2), "vm", "logs", "web", "--previous", "--json").trim().split("\n");
  const news = told.map((line) => JSON.parse(line));
  expect(news[0]).toMatchObject({ kind: "opened", workerId: 7 });
  expect(news.at(-1)).toEqual({ kind: "ended", reason: "the guest rebooted" });
  expect(news.some(({ line }) => line?.includes("Kernel panic"))).toBe(true);
  expect(run(node(1), "events")).toMatch(/web is Failed.*its console ends/);
});

test.each([
  ["there is none of that name", "wob", "there is no VM wob\nhint: did you mean web?"],
  ["it is on no worker", "nowhere", "nowhere is on no worker\nhint: `blixard vm show nowhere`"],
])("a VM has no console when %s", LIMIT, async (_, name, words) => {
  const spec = { vcpus: 1, memoryMiB: 96, diskGiB: 0, features: ["nobody-has-it"] };
  if (name === "nowhere") await node(1).ask((api) => api.write("vm.create", { name, spec }, { timeoutMs: 10_000 }));
  expect(refusedLogs(name)).toContain(words);
});

test("what is typed to a guest that hangs goes nowhere, and everything else goes on", LIMIT, async () => {
  await until(() => processes("qemu-system", join("7", "machines")).length === 1);
  const [pid = 0] = processes("qemu-system", join("7", "machines"));
  process.kill(pid, "SIGSTOP");
  const console = await attached(node(1), "web");
  for (let n = 0; n < 64; n++) console.type("x".repeat(64 * 1024));
  await until(() => console.isIdle);
  const askedMs = performance.now();
  run(node(1), "vm", "logs", "web");
  run(node(1), "vm", "list");
  console.type(DETACH);
  expect(await console.ended).toBe(0);
  expect(performance.now() - askedMs).toBeLessThan(5000);
});

test("when the host is lost, the console says so, and so does the next", LIMIT, async () => {
  const console = await attached(node(1), "db");
  await node(2).end("SIGKILL");
  expect(await console.ended).toBe(1);
  expect(console.said).toContain("the connection to the console was lost");
  expect(refusedLogs("db")).toContain("worker 2, which has the VM, cannot be reached");
});
