/** Three members and a worker that is no member: how it joins, and which members it needs to keep working. */
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnswerOf, ApiClient } from "../../runtime-real/index.ts";
import { RealCluster, RealNode, until } from "./testing/index.ts";

type Worker = AnswerOf<"worker.list">["workers"][number];
type Task = AnswerOf<"task.show">["task"];

const blixard = join(import.meta.dirname, "..", "blixard.js");
const ID = 7;
/** A feature that only that host offers: tasks that need it run there. */
const FEATURE = "remote";

const cluster = new RealCluster();
const worker = new RealNode(ID, join(cluster.folder, `${ID}`), "127.0.0.1:0");
beforeAll(async () => {
  await cluster.start(3);
  // Enough capacity for several tasks on a host of any size.
  const overcommit = { cpu: 8, memory: 1, disk: 1, reservePercent: 10 };
  await ask((api) => api.write("scheduler.configure", { scheduler: { overcommit } }));
  const { token, address } = await cluster.joinToken();
  const is = ["--id", `${ID}`, "--bind", worker.bind, "--rack", "r7", "--feature", FEATURE];
  await worker.start(["--worker-only", ...is, "--join", address, "--token", token]);
}, 60_000);
afterAll(async () => {
  await worker.end("SIGKILL");
  await cluster.destroy();
});

async function ask<Result>(question: (api: ApiClient) => Promise<Result>): Promise<Result> {
  const api = cluster.client();
  try {
    return await question(api);
  } finally {
    await api.close();
  }
}

async function found(): Promise<Worker | undefined> {
  const { workers } = await ask((api) => api.read("worker.list", {}, { timeoutMs: 20_000 }));
  return workers.find(({ id }) => id === ID);
}

async function submit(id: string, script: string, ...args: readonly string[]): Promise<void> {
  // More than one attempt: it may be placed on a process that has just ended.
  const spec = { command: "sh", args: ["-c", script, "sh", ...args], features: [FEATURE], attemptsMax: 5 };
  await ask((api) => api.write("task.submit", { id, ...spec }, { timeoutMs: 20_000 }));
}

async function task(id: string): Promise<Task> {
  return (await ask((api) => api.read("task.show", { id }, { timeoutMs: 20_000 }))).task;
}

async function succeeded(id: string): Promise<Task> {
  await until(async () => (await task(id)).state === "Succeeded");
  return await task(id);
}

/** The member to which it reports, read from its log. */
function server(): number {
  return Number([...worker.log.matchAll(/"peer":(\d+),"msg":"connected"/g)].at(-1)?.[1] ?? 0);
}

test("it is a worker like the others, and no member", { timeout: 30_000 }, async () => {
  await until(async () => (await found())?.status === "online");
  const { capacity, driver, topology, features } = (await found()) ?? expect.fail("it was there");
  for (const amount of Object.values(capacity)) expect(amount).toBeGreaterThan(0);
  expect({ driver, rack: topology.rack }).toEqual({ driver: null, rack: "r7" });
  expect(features).toContain(FEATURE);
  const { members } = await ask((api) => api.read("cluster.members", {}));
  expect(members.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(["blixard.db", "api.sock"].filter((name) => existsSync(join(worker.dataDir, name)))).toEqual([]);
});

test("its directory serves no commands, and they say whom to ask", () => {
  const asked = spawnSync(process.execPath, [blixard, "worker", "list", "--data-dir", worker.dataDir]);
  expect(asked.status).toBe(1);
  expect(String(asked.stderr)).toMatch(/only works: it serves no commands\nhint: ask a member/);
});

test("a task runs there, and what it prints is shown", { timeout: 30_000 }, async () => {
  await submit("first", `echo "$BLIXARD_TASK on it"`);
  expect(await succeeded("first")).toMatchObject({ exitCode: 0, output: "first on it\n" });
});

test.each(["SIGTERM", "SIGKILL"] as const)(
  "after %s it goes on with nothing but its data directory",
  { timeout: 30_000 },
  async (signal) => {
    await worker.end(signal);
    await worker.start();
    const id = `after-${signal.toLowerCase()}`;
    await submit(id, "echo again");
    expect(await succeeded(id)).toMatchObject({ output: "again\n" });
    expect(await found()).toMatchObject({ topology: { rack: "r7" } });
  },
);

test("the member that it reports to is killed: it reports to another in time, and what runs there goes on", {
  timeout: 60_000,
}, async () => {
  const [started, gate] = [join(cluster.folder, "started"), join(cluster.folder, "gate")];
  await submit("long", `echo x >> "$1"; while [ ! -e "$2" ]; do sleep 0.05; done; echo through`, started, gate);
  await until(() => existsSync(started));
  const { attempt } = await task("long");
  const before = server();
  const killed = cluster.nodes.find(({ id }) => id === before) ?? expect.fail(`it reports to ${before}`);
  await killed.end("SIGKILL");
  await until(() => server() !== before);
  await submit("short", "echo elsewhere");
  expect(await succeeded("short")).toMatchObject({ output: "elsewhere\n" });
  writeFileSync(gate, "");
  // If its lease had expired, the task would have been ended and started again.
  expect(await succeeded("long")).toMatchObject({ attempt, output: "through\n" });
  expect(await found()).toMatchObject({ status: "online" });
});
