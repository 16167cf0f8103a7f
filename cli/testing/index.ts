/** For tests: a terminal that remembers, an interrupt that waits to be told, a node, and a VM and a task to show. */
import { type AnswerOf, type RunningNode, startNode } from "../../runtime-real/index.ts";
import { EXIT, type ExitCode } from "../frame/index.ts";
import { plain, type Terminal } from "../output/index.ts";
import { execute } from "../program.ts";

export interface Heard {
  readonly code: ExitCode;
  /** Without the last line feed. */
  readonly out: string;
  readonly err: string;
}

export function listening(): { readonly terminal: Terminal; readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const terminal: Terminal = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    paintOut: plain,
    paintErr: plain,
    progress() {},
    showsProgress: false,
    columns: Number.POSITIVE_INFINITY,
  };
  return { terminal, out, err };
}

/** Runs one command line in this process. `signal` interrupts it as Ctrl-C would. */
export async function blixard(args: readonly string[], signal = new AbortController().signal): Promise<Heard> {
  const { terminal, out, err } = listening();
  const code = await execute(args, terminal, () => ({ signal, exitCode: EXIT.interrupted }));
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** A cluster of one node in this process, on any free port, that elects itself at once. */
export async function nodeIn(
  dataDir: string,
  { apiBind = null, record = null }: { readonly apiBind?: string | null; readonly record?: string | null } = {},
): Promise<RunningNode> {
  return await startNode({
    version: "test",
    dataDir,
    nodeId: 1,
    bind: "127.0.0.1:0",
    advertise: null,
    transport: null,
    bootstrap: false,
    join: null,
    replaceFromPeers: false,
    works: null,
    workerOnly: false,
    worker: {},
    apiBind,
    record,
    raft: { electionTimeoutMs: 100, heartbeatMs: 20 },
    log: { level: "silent", format: "json" },
  });
}

export const exampleVm: AnswerOf<"vm.show">["vm"] = {
  name: "web",
  tenant: "acme",
  spec: {
    vcpus: 2,
    memoryMiB: 1024,
    diskGiB: 5,
    hypervisor: "qemu",
    tenant: "acme",
    priority: 500,
    preemptible: true,
    features: [],
    antiAffinity: [],
    locality: null,
    networks: [],
    volumes: [],
    source: null,
    healthChecks: [],
    onWorkerLost: "restart",
    workerId: null,
    recovery: { restartsMax: 3, backoffMs: 5000, backoffFactor: 2, backoffMaxMs: 300_000, resetAfterMs: 3_600_000 },
    metadata: {},
  },
  state: "Scheduled",
  desired: "running",
  reason: "",
  generation: 1,
  epoch: 7,
  workerId: 2,
  placed: { vcpus: 4, memoryMiB: 4096, diskGiB: 5 },
  eviction: null,
  targetId: null,
  avoidId: null,
  restarts: 0,
  relocations: 0,
  runningSinceMs: 0,
  addresses: [],
  createdIndex: 5,
  updatedIndex: 9,
  createdAtMs: 0,
  updatedAtMs: 0,
};

export const exampleTask: AnswerOf<"task.show">["task"] = {
  id: "backup",
  command: "/usr/bin/backup",
  args: ["--all"],
  resources: { vcpus: 1, memoryMiB: 256, diskGiB: 0 },
  features: [],
  tenant: "acme",
  timeoutMs: 1000,
  attemptsMax: 3,
  state: "Running",
  attempt: 2,
  workerId: 2,
  isCancelled: false,
  exitCode: null,
  output: "",
  reason: "",
  createdIndex: 6,
  updatedIndex: 6,
  updatedAtMs: 0,
};
