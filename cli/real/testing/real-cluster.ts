/** Nodes as processes of the real command, for tests that kill, isolate and damage them. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AnswerOf, type ApiClient, connectApi, formatJoinToken, makeToken } from "../../../runtime-real/index.ts";

const blixard = join(import.meta.dirname, "..", "..", "blixard.js");

/** Waits for a condition; the test's own limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

export class RealNode {
  readonly id: number;
  readonly dataDir: string;
  readonly bind: string;
  /** Words before the command, such as those that enter a network namespace. */
  readonly #prefix: readonly string[];
  #child: ChildProcess | null = null;
  #ended: Promise<number | null> = Promise.resolve(null);
  /** What its process has logged since it was started. */
  log = "";

  constructor(id: number, dataDir: string, bind: string, prefix: readonly string[] = []) {
    this.id = id;
    this.dataDir = dataDir;
    this.bind = bind;
    this.#prefix = prefix;
  }

  get socketPath(): string {
    return join(this.dataDir, "api.sock");
  }

  get pid(): number {
    // With a prefix, the process that entered the namespace has become the node.
    return this.#child?.pid ?? 0;
  }

  get runs(): boolean {
    return this.#child !== null;
  }

  /** Resolves when it serves; rejects when it ends before. */
  async start(extra: readonly string[] = []): Promise<void> {
    const [command = "", ...before] = [...this.#prefix, process.execPath];
    const args = [...before, blixard, "node", "--data-dir", this.dataDir, "--log-format", "json", ...extra];
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.log = "";
    child.stderr.on("data", (chunk) => {
      this.log = (this.log + String(chunk)).slice(-200_000);
    });
    this.#ended = new Promise((resolve) => {
      child.once("close", (code) => {
        if (this.#child === child) this.#child = null;
        resolve(code);
      });
    });
    await until(() => this.log.includes('"msg":"node is up"') || this.#child !== child);
    if (this.#child !== child) throw new Error(`node ${this.id} ended before it was up: ${this.log}`);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    return await this.#ended;
  }

  /** Does not wait for an effect: for SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  ended(): Promise<number | null> {
    return this.#ended;
  }

  async ask<Result>(question: (api: ApiClient) => Promise<Result>): Promise<Result> {
    return await askOver(this.socketPath, question);
  }

  /** Null while it does not answer. */
  async status(): Promise<AnswerOf<"cluster.status"> | null> {
    return await this.ask((api) => api.call("cluster.status", {}, { timeoutMs: 2000 })).catch(() => null);
  }

  usage(): { readonly descriptors: number; readonly residentMiB: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return {
      descriptors: readdirSync(`/proc/${this.pid}/fd`).length,
      residentMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
    };
  }
}

export class RealCluster {
  readonly folder: string;
  readonly nodes: RealNode[] = [];
  readonly #binds: (id: number) => string;
  readonly #prefix: (id: number) => readonly string[];

  /** `binds` gives each node's address; port 0 takes a free one. */
  constructor(
    binds: (id: number) => string = () => "127.0.0.1:0",
    prefix: (id: number) => readonly string[] = () => [],
  ) {
    this.folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
    this.#binds = binds;
    this.#prefix = prefix;
  }

  /**
   * The first node and `count - 1` that join it. Returns when all are voters and no configuration change is under way:
   * before that the cluster may not survive the loss of its leader.
   */
  async start(count: number, extra: readonly string[] = []): Promise<void> {
    for (let id = 1; id <= count; id++) await this.add(extra);
    await until(async () => {
      const all = await Promise.all(this.nodes.map((node) => node.status()));
      return all.every((status) => {
        const voters = status?.members.filter(({ role, connected }) => role === "voter" && connected);
        return voters?.length === count && status?.quorum.isJoint === false;
      });
    });
  }

  async add(extra: readonly string[] = []): Promise<RealNode> {
    const id = this.nodes.length + 1;
    const node = new RealNode(id, join(this.folder, `${id}`), this.#binds(id), this.#prefix(id));
    this.nodes.push(node);
    const own = ["--id", `${id}`, "--bind", node.bind, ...extra];
    const [first] = this.nodes;
    if (first === undefined || first === node) {
      await node.start(own);
      await until(async () => (await node.status())?.leaderId === id);
      return node;
    }
    const { token, address } = await this.joinToken();
    await node.start([...own, "--join", address, "--token", token]);
    return node;
  }

  async joinToken(): Promise<{ readonly token: string; readonly address: string }> {
    const [first] = this.nodes;
    if (first === undefined) throw new Error("no node");
    return await first.ask(async (api) => {
      const made = makeToken();
      const request = { id: made.id, secretHash: made.secretHash, purpose: "join", ttlMs: 600_000 } as const;
      const { clusterId, voters } = await api.write("token.create", request, { timeoutMs: 10_000 });
      const { node } = await api.call("cluster.status", {});
      return { token: formatJoinToken(made, clusterId, voters), address: node.addresses[0] ?? "" };
    });
  }

  /** A client that asks another node when one does not answer. */
  client(from = 0): ApiClient {
    const targets = this.nodes.map((_, n) => ({
      socketPath: this.nodes[(n + from) % this.nodes.length]?.socketPath ?? "",
    }));
    const [first, ...rest] = targets;
    if (first === undefined) throw new Error("no node");
    return connectApi([first, ...rest]);
  }

  /** The node that says of itself that it leads. */
  async leader(): Promise<RealNode> {
    for (;;) {
      for (const node of this.nodes) {
        const status = node.runs ? await node.status() : null;
        if (status !== null && status.leaderId === node.id && status.quorum.has) return node;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until every node has applied what the leader has, and all are connected. */
  async settled(): Promise<void> {
    await until(async () => {
      const all = await Promise.all(this.nodes.filter(({ runs }) => runs).map((node) => node.status()));
      const applied = new Set(all.map((status) => status?.appliedIndex));
      return (
        applied.size === 1 &&
        !applied.has(undefined) &&
        all.every((status) => status?.leaderId != null && status.quorum.missing.length === 0)
      );
    });
  }

  async destroy(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end("SIGKILL")));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Asks the node behind that socket. */
export async function askOver<Result>(
  socketPath: string,
  question: (api: ApiClient) => Promise<Result>,
): Promise<Result> {
  const api = connectApi({ socketPath });
  try {
    return await question(api);
  } finally {
    await api.close();
  }
}
