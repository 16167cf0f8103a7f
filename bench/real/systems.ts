/** The two systems under load: three nodes each, on loopback, on this machine's disk, with their own defaults. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectApi, formatJoinToken, makeToken } from "../../runtime-real/index.ts";
import { post, type Target } from "./load.ts";

export interface System {
  readonly name: string;
  /** Writes to the leader. */
  target(): Promise<Target>;
  /** Kills the leader with SIGKILL; returns targets of the nodes that are left. */
  killLeader(): Promise<readonly Target[]>;
  stop(): Promise<void>;
}

const root = dirname(dirname(import.meta.dirname));
/** The size of a value in etcd's own benchmark. */
const VALUE = "v".repeat(256);

class Processes {
  readonly folder = mkdtempSync(join(tmpdir(), "blixard-bench-"));
  readonly #children: ChildProcess[] = [];

  start(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, {
      stdio: ["ignore", "ignore", process.env["BENCH_LOGS"] === undefined ? "ignore" : "inherit"],
    });
    this.#children.push(child);
    return child;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await ended;
      }),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Repeats what fails until it works, for half a minute. */
async function eventually<Value>(what: string, attempt: () => Promise<Value>): Promise<Value> {
  const untilMs = performance.now() + 30_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > untilMs)
        throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      await delay(50);
    }
  }
}

export async function startEtcd(): Promise<System> {
  const { status } = spawnSync(join(import.meta.dirname, "install-etcd.sh"), { stdio: "inherit" });
  if (status !== 0) throw new Error("etcd could not be installed");
  const processes = new Processes();
  const ports = [0, 1, 2].map((n) => ({ name: `n${n}`, client: 23_790 + n, peer: 23_800 + n }));
  const cluster = ports.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(",");
  const children = ports.map(({ name, client, peer }) =>
    processes.start("etcd", [
      ...["--name", name, "--data-dir", join(processes.folder, name), "--initial-cluster", cluster],
      ...[
        "--listen-peer-urls",
        `http://127.0.0.1:${peer}`,
        "--initial-advertise-peer-urls",
        `http://127.0.0.1:${peer}`,
      ],
      ...[
        "--listen-client-urls",
        `http://127.0.0.1:${client}`,
        "--advertise-client-urls",
        `http://127.0.0.1:${client}`,
      ],
      ...["--initial-cluster-state", "new", "--log-level", "error"],
    ]),
  );
  const targetOf = (port: number): Target => ({
    options: { host: "127.0.0.1", port, path: "/v3/kv/put" },
    body: (n) =>
      JSON.stringify({ key: Buffer.from(`key-${n}`).toString("base64"), value: Buffer.from(VALUE).toString("base64") }),
  });
  const leader = (): Promise<number> =>
    eventually("etcd has no leader", async () => {
      for (const [at, { client }] of ports.entries()) {
        const metrics = await text(client, "/metrics").catch(() => "");
        if (/^etcd_server_is_leader 1$/m.test(metrics)) return at;
      }
      throw new Error("none says that it leads");
    });
  return {
    name: "etcd",
    target: async () => targetOf(ports[await leader()]?.client ?? 0),
    async killLeader() {
      const at = await leader();
      children[at]?.kill("SIGKILL");
      return ports.filter((_, n) => n !== at).map(({ client }) => targetOf(client));
    },
    stop: () => processes.stop(),
  };
}

function text(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, timeout: 2000 }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += String(chunk);
      });
      response.once("end", () => resolve(body));
    }).once("error", reject);
  });
}

export async function startBlixard(): Promise<System & { loopDelayP99Ms(): Promise<readonly number[]> }> {
  const processes = new Processes();
  const dataDirs = [1, 2, 3].map((id) => join(processes.folder, `${id}`));
  const [first = ""] = dataDirs;
  const socketOf = (dataDir: string): string => join(dataDir, "api.sock");
  const start = (id: number, extra: readonly string[]): ChildProcess =>
    processes.start(process.execPath, [
      ...[join(root, "cli", "blixard.js"), "node", "--id", `${id}`, "--bind", `127.0.0.1:${17_000 + id}`],
      // The log is measured: nothing is to be placed.
      "--no-worker",
      ...["--data-dir", dataDirs[id - 1] ?? "", "--log-level", "warn", "--log-format", "json", ...extra],
    ]);
  const status = async (dataDir: string) => {
    const client = connectApi({ socketPath: socketOf(dataDir) });
    try {
      return await client.call("cluster.status", {}, { timeoutMs: 2000 });
    } finally {
      await client.close();
    }
  };

  const children = [start(1, [])];
  await eventually("the first node leads", async () => {
    if ((await status(first)).leaderId !== 1) throw new Error("not yet");
  });
  for (const id of [2, 3]) {
    const token = makeToken();
    const client = connectApi({ socketPath: socketOf(first) });
    const { clusterId, voters } = await client.write(
      "token.create",
      { id: token.id, secretHash: token.secretHash, purpose: "join", ttlMs: 60_000 },
      { timeoutMs: 10_000 },
    );
    await client.close();
    children.push(start(id, ["--join", "127.0.0.1:17001", "--token", formatJoinToken(token, clusterId, voters)]));
    await eventually(`node ${id} votes`, async () => {
      const { members } = await status(first);
      if (members.find((member) => member.id === id)?.role !== "voter") throw new Error("not yet");
    });
  }

  const targetOf = (dataDir: string): Target => ({
    options: { socketPath: socketOf(dataDir), path: "/v1/vm.create" },
    body: (n) => JSON.stringify({ name: `vm-${n}`, spec: { metadata: { note: VALUE } } }),
  });
  const leader = (): Promise<number> =>
    eventually("blixard has no leader", async () => {
      for (const dataDir of dataDirs) {
        const found = await status(dataDir).catch(() => null);
        if (found !== null && found.leaderId === found.node.id) return found.node.id - 1;
      }
      throw new Error("none leads");
    });
  return {
    name: "blixard",
    target: async () => targetOf(dataDirs[await leader()] ?? ""),
    async killLeader() {
      const at = await leader();
      children[at]?.kill("SIGKILL");
      return dataDirs.filter((_, n) => n !== at).map(targetOf);
    },
    loopDelayP99Ms: async () =>
      await Promise.all(dataDirs.map(async (dataDir) => (await status(dataDir)).node.eventLoopDelayP99Ms)),
    stop: () => processes.stop(),
  };
}

/** From killing the leader to the first write that is acknowledged by one of the others. */
export async function failOverMs(system: System): Promise<number> {
  const targets = await system.killLeader();
  const startMs = performance.now();
  const agent = new Agent({ keepAlive: true });
  let isOver = false;
  try {
    // A new write starts every few milliseconds. One after the other would measure how long a client waits for a node
    // that hangs.
    return await new Promise<number>((resolve) => {
      void (async () => {
        for (let n = 1; !isOver && performance.now() - startMs < 60_000; n++) {
          const target = targets[n % targets.length];
          if (target === undefined) return;
          post(target, agent, 1_000_000_000 + n, 5000).then(
            (isAcknowledged) => isAcknowledged && resolve(performance.now() - startMs),
            () => undefined,
          );
          await delay(20);
        }
        resolve(Number.NaN);
      })();
    });
  } finally {
    isOver = true;
    agent.destroy();
  }
}
