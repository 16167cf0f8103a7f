/** Three real workers: their properties, the tasks that run there, and what happens to these when one dies or hangs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AnswerOf, ApiClient } from "../../runtime-real/index.ts";
import { RealCluster, type RealNode, until } from "./testing/index.ts";

type Worker = AnswerOf<"worker.list">["workers"][number];
type Task = AnswerOf<"task.show">["task"];

const cluster = new RealCluster();
beforeAll(async () => {
  await cluster.start(3, ["--rack", "r1", "--feature", "ssd", "--feature", "gpu", "--cost-per-hour", "7"]);
  // Enough capacity for a few tasks on a host of any size.
  const overcommit = { cpu: 8, memory: 1, disk: 1, reservePercent: 10 };
  await ask((api) => api.write("scheduler.configure", { scheduler: { overcommit } }));
  await until(async () => (await workers()).filter(({ status }) => status === "online").length === 3);
}, 60_000);
afterAll(() => cluster.destroy());

/** The position of the node that is asked first. A node that hangs accepts a request and never answers it. */
let first = 0;

async function ask<Result>(question: (api: ApiClient) => Promise<Result>): Promise<Result> {
  const api = cluster.client(first);
  try {
    return await question(api);
  } finally {
    await api.close();
  }
}

async function workers(): Promise<readonly Worker[]> {
  return (await ask((api) => api.read("worker.list", {}, { timeoutMs: 20_000 }))).workers;
}

async function task(id: string): Promise<Task> {
  return (await ask((api) => api.read("task.show", { id }, { timeoutMs: 20_000 }))).task;
}

function node(id: number | null): RealNode {
  const found = cluster.nodes.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no node ${id}`);
  return found;
}

/**
 * A task that records each of its runs, and whether another run was active; it ends when it is told to. Like a task
 * that must be alone it holds a lock, which is released when its processes end.
 */
async function submit(id: string): Promise<{ readonly runs: () => readonly string[]; readonly release: () => void }> {
  const [book, gate] = [join(cluster.folder, `${id}.book`), join(cluster.folder, `${id}.gate`)];
  const script = [
    `exec 9>>"$1.lock"`,
    `flock -n 9 || { echo "overlap" >> "$1"; exit 1; }`,
    `echo "run" >> "$1"`,
    `while [ ! -e "$2" ]; do sleep 0.05; done`,
    `echo "done by $BLIXARD_TASK"`,
  ].join("\n");
  const spec = { command: "sh", args: ["-c", script, "sh", book, gate], attemptsMax: 5 };
  await ask((api) => api.write("task.submit", { id, ...spec }));
  return {
    runs: () => (existsSync(book) ? readFileSync(book, "utf8").split("\n").slice(0, -1) : []),
    release: () => writeFileSync(gate, ""),
  };
}

test("each node is a worker that says what its host is, and that nothing there runs machines", async () => {
  const all = await workers();
  expect(all.map(({ id }) => id)).toEqual([1, 2, 3]);
  for (const { capacity, driver, topology, features, costPerHour } of all) {
    for (const amount of Object.values(capacity)) expect(amount).toBeGreaterThan(0);
    expect({ driver, rack: topology.rack, costPerHour }).toEqual({ driver: null, rack: "r1", costPerHour: 7 });
    expect(features).toEqual(expect.arrayContaining(["gpu", "ssd"]));
  }
});

test("a VM is placed and stays Scheduled; stopped and deleted it is gone", { timeout: 30_000 }, async () => {
  const show = async () => (await ask((api) => api.read("vm.show", { name: "still" }))).vm;
  await ask((api) => api.write("vm.create", { name: "still", spec: { vcpus: 1, memoryMiB: 64, diskGiB: 1 } }));
  await until(async () => (await show()).state === "Scheduled");
  // Reports in the meantime must have no effect. A task that runs to its end there has seen all of them.
  const { release } = await submit("meanwhile");
  release();
  await until(async () => (await task("meanwhile")).state === "Succeeded");
  expect((await show()).state).toBe("Scheduled");
  await ask((api) => api.write("vm.delete", { name: "still" }));
  await until(async () => (await ask((api) => api.read("vm.list", {}))).vms.length === 0);
});

describe("a task", () => {
  test("runs for real, and shows what it has printed and how it ended", async () => {
    const spec = { command: "sh", args: ["-c", "echo one; echo two >&2; exit 3"] };
    await ask((api) => api.write("task.submit", { id: "fails", ...spec }));
    await until(async () => (await task("fails")).state === "Failed");
    const { exitCode, output, reason, attempt } = await task("fails");
    expect({ exitCode, reason, attempt }).toEqual({ exitCode: 3, reason: "exit code 3", attempt: 1 });
    expect(output.split("\n").toSorted()).toEqual(["", "one", "two"]);
  });

  test("that takes too long is ended, and one that is cancelled", { timeout: 30_000 }, async () => {
    const sleeps = { command: "sleep", args: ["1000"] };
    await ask((api) => api.write("task.submit", { id: "slow", ...sleeps, timeoutMs: 300 }));
    await until(async () => (await task("slow")).state === "TimedOut");
    const { runs } = await submit("unwanted");
    await until(() => runs().length === 1);
    await ask((api) => api.write("task.cancel", { id: "unwanted" }));
    await until(async () => (await task("unwanted")).state === "Cancelled");
  });

  test("ends with the node that ran it, and is run again when that is back", { timeout: 60_000 }, async () => {
    const { runs, release } = await submit("restarted");
    await until(() => runs().length === 1);
    const host = node((await task("restarted")).workerId);
    await host.end("SIGTERM");
    await host.start();
    await until(() => runs().length === 2);
    release();
    await until(async () => (await task("restarted")).state === "Succeeded");
    expect(runs()).toEqual(["run", "run"]);
    expect(await task("restarted")).toMatchObject({ attempt: 2, output: "done by restarted\n" });
  });
});

describe("a host that is lost", () => {
  test.each(["SIGKILL", "SIGSTOP"] as const)(
    "by %s is offline when its lease is over; what was there is placed elsewhere, and no task runs twice at a time",
    { timeout: 120_000 },
    async (signal) => {
      const id = `lost-${signal.toLowerCase()}`;
      const names = [1, 2, 3].map((n) => `${id}-${n}`);
      for (const name of names)
        await ask((api) => api.write("vm.create", { name, spec: { vcpus: 1, memoryMiB: 64, diskGiB: 1 } }));
      const { runs, release } = await submit(id);
      const vms = async () => (await ask((api) => api.read("vm.list", {}, { timeoutMs: 20_000 }))).vms;
      const places = async () =>
        (await vms()).flatMap(({ name, workerId }) => (names.includes(name) ? [workerId] : []));
      await until(async () => runs().length === 1 && !(await places()).includes(null));
      const { workerId } = await task(id);
      const host = node(workerId);
      const before = await vms();
      first = host.id % cluster.nodes.length;

      if (signal === "SIGKILL") await host.end(signal);
      else host.signal(signal);
      const isLost = async () => (await workers()).some((each) => each.id === workerId && each.status === "offline");
      await until(isLost);
      await until(async () => (await places()).every((place) => place !== null && place !== workerId));
      await until(() => runs().length === 2);
      release();
      await until(async () => (await task(id)).state === "Succeeded");
      expect(runs()).toEqual(["run", "run"]);
      // Tasks on other workers have not moved.
      const now = new Map((await vms()).map((vm) => [vm.name, vm]));
      for (const vm of before) {
        if (vm.workerId !== workerId)
          expect(now.get(vm.name)).toMatchObject({ workerId: vm.workerId, epoch: vm.epoch });
        else expect(now.get(vm.name)?.epoch).toBeGreaterThan(vm.epoch);
      }

      if (signal === "SIGKILL") await host.start();
      else host.signal("SIGCONT");
      await until(async () => (await workers()).every(({ status }) => status === "online"));
      for (const name of names) await ask((api) => api.write("vm.delete", { name }));
      await until(async () => (await vms()).length === 0);
    },
  );
});
