/**
 * The commands about workers, VMs, tasks, tenants and addresses, against a real node in this process. Its host has no
 * VM driver.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningNode } from "../../runtime-real/index.ts";
import { blixard, nodeIn } from "../testing/index.ts";

let folder = "";
let node: RunningNode;
let here: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  node = await nodeIn(folder);
  here = ["--data-dir", folder];
  // Enough capacity on a host of any size.
  expect((await blixard(["scheduler", "set", "--cpu", "8", ...here])).code).toBe(0);
  while ((await blixard(["worker", "list", ...here])).out === "");
});
afterAll(async () => {
  await node.stop(1000);
  rmSync(folder, { recursive: true, force: true });
});

describe("where nothing runs machines", () => {
  const small = ["--vcpus", "1", "--memory", "64", "--disk", "1"];

  test("who waits for a VM is told that it does not run, and why", async () => {
    expect(await blixard(["vm", "create", "--name", "life", ...small, ...here])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^life created: log index \d+, term \d+$/),
      err: expect.stringMatching(
        /error: life is created, and Scheduled on worker 1, which has no VM driver yet\nhint: .*--no-wait/,
      ),
    });
    expect((await blixard(["vm", "list", ...here])).out).toMatch(/^life .* Scheduled +1 .* no VM driver there$/m);
    expect((await blixard(["vm", "show", "life", ...here])).out).toContain("Scheduled: no VM driver there");
    expect((await blixard(["vm", "plan", ...small, ...here])).out).toContain(
      "would go to worker 1, and stay Scheduled",
    );
  });

  test.each<[string, string[], string]>([
    ["a feature that no worker has", ["--feature", "tape"], "fits nowhere: 1 worker: features are missing"],
    [
      "a worker that is none",
      ["--worker", "9"],
      "fits nowhere: it may run on worker 9 only, and there is no such worker",
    ],
  ])("who waits for a VM that wants %s is told so", async (_, wants, why) => {
    expect(await blixard(["vm", "create", "--name", "never", ...small, ...wants, ...here])).toMatchObject({
      code: 1,
      err: expect.stringContaining(`error: never is created, and Pending, for it ${why}`),
    });
    expect((await blixard(["vm", "plan", ...small, ...wants, ...here])).code).toBe(1);
    expect((await blixard(["vm", "delete", "never", "--yes", ...here])).out).toMatch(/^never deleted/);
  });

  test("who waits for a VM for which another makes room is not told that it fits nowhere", async () => {
    const { workers } = JSON.parse((await blixard(["worker", "list", "--json", ...here])).out);
    const all = ["--vcpus", "1", "--disk", "1", "--memory", `${workers[0].promisable.memoryMiB}`, ...here];
    await blixard(["vm", "delete", "life", "--yes", ...here]);
    await blixard(["vm", "create", "--name", "low", "--priority", "100", "--no-wait", ...all]);
    while (!(await blixard(["worker", "show", "1", ...here])).out.includes("low"));
    expect(await blixard(["vm", "create", "--name", "high", "--priority", "900", ...all])).toMatchObject({
      code: 1,
      err: expect.stringContaining("high is created, and Scheduled on worker 1, which has no VM driver yet"),
    });
    expect((await blixard(["vm", "list", ...here])).out).toMatch(/^low +default +Pending +- /m);
    for (const name of ["low", "high"]) await blixard(["vm", "delete", name, "--yes", ...here]);
    expect((await blixard(["vm", "create", "--name", "life", ...small, ...here])).code).toBe(1);
  });

  test("a VM is stopped, started, moved and deleted, as far as that can be", async () => {
    expect((await blixard(["vm", "stop", "life", ...here])).out).toContain("life is Stopped on worker 1");
    expect(await blixard(["vm", "start", "life", ...here])).toMatchObject({
      code: 1,
      err: expect.stringContaining("no VM driver yet"),
    });
    expect((await blixard(["vm", "restart", "life", "--no-wait", ...here])).out).toContain("asked to restart");
    expect(await blixard(["vm", "migrate", "life", "--to", "9", ...here])).toMatchObject({
      code: 1,
      err: expect.stringContaining("there is no worker 9"),
    });
    const gone = await blixard(["vm", "delete", "life", "--yes", ...here]);
    expect(gone).toMatchObject({ code: 0, out: expect.stringContaining("life deleted") });
  });

  test("a worker takes nothing while it is cordoned or drained", async () => {
    expect((await blixard(["worker", "cordon", "1", ...here])).out).toContain("takes nothing new");
    expect((await blixard(["vm", "plan", ...small, ...here])).out).toMatch(/^ +1 +- +cordoned$/m);
    expect((await blixard(["worker", "drain", "1", ...here])).out).toContain("worker 1 is empty");
    expect((await blixard(["worker", "list", ...here])).out).toMatch(/^ +1 +draining +none /m);
    expect((await blixard(["worker", "uncordon", "1", ...here])).out).toContain("worker 1 takes VMs again");
  });

  test("a drain that gets nowhere says what holds it up, and Ctrl-C leaves it going", async () => {
    await blixard(["vm", "create", "--name", "stays", ...small, "--no-wait", ...here]);
    while (!(await blixard(["worker", "show", "1", ...here])).out.includes("stays"));
    const late = await blixard(["worker", "drain", "1", "--timeout", "2s", ...here]);
    expect(late).toMatchObject({
      code: 1,
      err: expect.stringContaining("stays finds no other place (1 worker: draining)"),
    });
    const ctrlC = new AbortController();
    ctrlC.abort();
    expect(await blixard(["worker", "drain", "1", ...here], ctrlC.signal)).toMatchObject({
      code: 130,
      err: expect.stringContaining("the drain of worker 1 goes on: 1 of 1 left"),
    });
    await blixard(["worker", "uncordon", "1", ...here]);
    await blixard(["vm", "delete", "stays", "--yes", ...here]);
  });
});

describe("task", () => {
  test("runs, and comes back with what it printed and how it ended", async () => {
    expect(await blixard(["task", "submit", ...here, "echo", "--json", "hi"])).toMatchObject({
      code: 0,
      out: "--json hi",
    });
    expect(await blixard(["task", "submit", "--id", "fails", ...here, "sh", "-c", "echo out; exit 3"])).toMatchObject({
      code: 1,
      out: "out",
      err: expect.stringContaining("task fails is Failed: exit code 3"),
    });
    expect((await blixard(["task", "list", ...here])).out).toMatch(/^fails +default +Failed .* exit code 3$/m);
    expect((await blixard(["task", "show", "fails", ...here])).out).toMatch(/^command +sh -c 'echo out; exit 3'$/m);
  });

  test("that finds no worker says what it waits for", async () => {
    const submit = ["task", "submit", "--id", "tape", "--feature", "tape", "--timeout", "1s", ...here, "true"];
    expect(await blixard(submit)).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        "after all this time task tape is Pending: waits for a worker that offers tape with 1 vCPU",
      ),
    });
    expect((await blixard(["task", "cancel", "tape", ...here])).code).toBe(0);
  });
});

test("a tenant has what its quota allows, and is told which limit it meets", async () => {
  const args = ["--tenant", "acme", "--no-wait", ...here];
  expect((await blixard(["quota", "set", "acme", "--memory", "1500", ...here])).out).toContain("acme is limited");
  expect((await blixard(["vm", "create", "--name", "first", ...args])).code).toBe(0);
  expect(await blixard(["vm", "create", "--name", "second", ...args])).toMatchObject({
    code: 1,
    err: expect.stringContaining("the tenant would have 2048 MiB of memory, its quota is 1500"),
  });
  expect((await blixard(["quota", "get", "acme", ...here])).out).toMatch(/^memory MiB +1,024 +1,500 /m);
  expect((await blixard(["audit", ...here])).out).toContain("local asked to create VM second: refused, quota exceeded");
  await blixard(["vm", "delete", "first", "--yes", ...here]);
});

test("an address pool is full, in use, and named where it is wrong", async () => {
  const pool = (...words: string[]) => blixard(["ip-pool", ...words, ...here]);
  expect((await pool("create", "--name", "front", "--subnet", "10.20.0.0/29", "--gateway", "10.20.0.1")).code).toBe(0);
  expect((await pool("create", "--name", "wide", "--subnet", "10.20.0.0/99")).err).toContain("error: subnet: must");
  await blixard(["vm", "create", "--name", "net", "--network", "front", "--no-wait", ...here]);
  expect((await pool("list")).out).toMatch(/^front +10\.20\.0\.0\/29 +10\.20\.0\.1 +- +1 +5 .* enabled$/m);
  expect(await pool("delete", "front", "--yes")).toMatchObject({ code: 1, err: expect.stringContaining("are in use") });
  await blixard(["vm", "delete", "net", "--yes", ...here]);
  expect((await pool("delete", "front", "--yes")).code).toBe(0);
});

test("which pool an address comes from may be left to the cluster", async () => {
  const pool = (...words: string[]) => blixard(["ip-pool", ...words, ...here]);
  const create = (name: string, ...networks: string[]) =>
    blixard(["vm", "create", "--name", name, ...networks.flatMap((one) => ["--network", one]), "--no-wait", ...here]);
  await pool("create", "--name", "left", "--subnet", "10.21.0.0/24", "--tag", "dmz");
  await pool("create", "--name", "right", "--subnet", "10.22.0.0/24", "--tag", "dmz", "--tag", "fast");
  await create("one", "any:dmz,fast", "any:", "left");
  const shown = (await blixard(["vm", "show", "one", ...here])).out;
  expect(shown.match(/pool \w+/g)).toEqual(["pool right", "pool left", "pool left"]);
  expect(await create("two", "any:slow")).toMatchObject({
    code: 1,
    err: expect.stringContaining("no address pool carries the tag slow"),
  });
  expect((await pool("strategy")).out).toContain("strategy least-used: a VM that names no pool");
  expect((await pool("strategy", "round-robin")).out).toMatch(/^strategy round-robin: .*: log index \d+, term \d+$/m);
  expect((await pool("list")).out).toContain("strategy round-robin: a VM that names no pool");
  expect(JSON.parse((await pool("strategy", "--json")).out)).toMatchObject({ strategy: "round-robin" });
  expect((await pool("strategy", "best")).code).toBe(2);
  expect((await blixard(["events", ...here])).out).toContain("addresses come from pools by strategy round-robin");
  await blixard(["vm", "delete", "one", "--yes", ...here]);
  await pool("strategy", "least-used");
  for (const name of ["left", "right"]) expect((await pool("delete", name, "--yes")).code).toBe(0);
});
