/** How a real node ends: by request, and on a disk error; and what commands print about a cluster without a quorum. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type AnswerOf, ApiError, ConnectError, connectApi } from "../../runtime-real/index.ts";
import { blixard } from "../testing/index.ts";
import { RealCluster, RealNode, until } from "./testing/index.ts";

let cluster = new RealCluster();
afterEach(async () => {
  await cluster.destroy();
  cluster = new RealCluster();
});

async function names(node: RealNode): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  await node.ask(async (api) => {
    for (let afterName: string | null = null; ; ) {
      const page: AnswerOf<"vm.list"> = await api.read("vm.list", { afterName }, { timeoutMs: 20_000 });
      for (const { name } of page.vms) found.add(name);
      if (page.nextAfterName === null) return;
      afterName = page.nextAfterName;
    }
  });
  return found;
}

/** Writes without retries until the node refuses. Returns what was acknowledged, and why each writer ended. */
async function writeUntilItEnds(
  node: RealNode,
  writers: number,
): Promise<{ readonly acknowledged: readonly string[]; readonly ends: readonly string[] }> {
  const acknowledged: string[] = [];
  const write = async (number: number): Promise<string> => {
    const api = connectApi({ socketPath: node.socketPath });
    try {
      for (let n = 0; ; n++) {
        const name = `vm-${number}-${n}`;
        await api.call("vm.create", { name }, { timeoutMs: 20_000 });
        acknowledged.push(name);
      }
    } catch (error) {
      if (error instanceof ApiError) return error.code;
      if (error instanceof ConnectError) return error.kind;
      throw error;
    } finally {
      await api.close();
    }
  };
  const ends = await Promise.all(Array.from({ length: writers }, (_, number) => write(number)));
  return { acknowledged, ends };
}

describe("SIGTERM", () => {
  test("to a leader under load: it hands over, answers whoever it has heard, and ends in order", {
    timeout: 90_000,
  }, async () => {
    await cluster.start(3);
    const leader = await cluster.leader();
    const [other] = cluster.nodes.filter((node) => node !== leader);
    if (other === undefined) throw new Error("fixture");
    const before = await other.status();
    const writing = writeUntilItEnds(leader, 16);
    await until(async () => ((await other.status())?.counts.vms ?? 0) > 200);
    expect(await leader.end("SIGTERM")).toBe(0);
    const { acknowledged, ends } = await writing;
    // No connection was closed before its answer.
    for (const end of ends) expect(["noNode", "stopping", "noLeader"]).toContain(end);
    await until(async () => (await other.status())?.leaderId !== leader.id);
    const after = await other.status();
    expect(after?.term).toBe((before?.term ?? 0) + 1);
    const found = await names(other);
    expect(acknowledged.length).toBeGreaterThan(200);
    expect(acknowledged.filter((name) => !found.has(name))).toEqual([]);
  });

  test("to a node all of whose peers hang", { timeout: 90_000 }, async () => {
    await cluster.start(3);
    const leader = await cluster.leader();
    for (const node of cluster.nodes) if (node !== leader) node.signal("SIGSTOP");
    expect(await leader.end("SIGTERM")).toBe(0);
  });
});

test("commands say which members a cluster without quorum lacks, and end in time", { timeout: 90_000 }, async () => {
  await cluster.start(3);
  const [one, two, three] = cluster.nodes;
  if (one === undefined || two === undefined || three === undefined) throw new Error("fixture");
  await Promise.all([two.end("SIGKILL"), three.end("SIGKILL")]);
  await until(async () => (await one.status())?.leaderId === null);
  const here = ["--data-dir", one.dataDir, "--timeout", "2s"];
  for (const command of [
    ["vm", "create", "--name", "web"],
    ["vm", "list"],
    ["cluster", "leave", "--yes"],
  ]) {
    const { code, out, err } = await blixard([...command, ...here]);
    expect({ command, code, out }).toEqual({ command, code: 1, out: "" });
    expect(err).toContain("lost its quorum");
    expect(err).toContain("missing: node 2, node 3");
    expect(err).toContain("hint: start the missing nodes again");
  }
  expect((await blixard(["vm", "list", "--stale", ...here])).code).toBe(0);
  expect(await blixard(["cluster", "status", ...here])).toMatchObject({
    code: 1,
    out: expect.stringContaining("missing: node 2, node 3"),
  });
});

test("commands say when it is the leader that is missing", { timeout: 90_000 }, async () => {
  await cluster.start(3);
  const leader = await cluster.leader();
  const others = cluster.nodes.filter((node) => node !== leader);
  const [other] = others;
  if (other === undefined) throw new Error("fixture");
  // The election timeout is so long that nobody takes its place meanwhile.
  for (const node of others) {
    await node.end("SIGTERM");
    await node.start(["--election-timeout", "90s"]);
    await cluster.settled();
  }
  await leader.end("SIGKILL");
  await until(async () => (await other.status())?.quorum.missing.includes(leader.id) === true);
  const here = ["--data-dir", other.dataDir, "--timeout", "2s"];
  const gone = `node ${leader.id}, which led last, is not connected to node ${other.id}`;
  for (const command of [
    ["vm", "create", "--name", "web"],
    ["vm", "list"],
  ]) {
    const { code, out, err } = await blixard([...command, ...here]);
    expect({ command, code, out }).toEqual({ command, code: 1, out: "" });
    expect(err).toContain(gone);
    expect(err).toContain("hint: an election takes a second or two: try again");
  }
  expect((await blixard(["cluster", "status", ...here])).out).toContain(gone);
  expect((await blixard(["cluster", "leave", "--node", `${leader.id}`, "--yes", ...here])).err).toContain(
    "no leader is known at the moment",
  );
});

test("a node whose disk refuses stops itself, leaves a recording that runs again, and has lost nothing", {
  timeout: 120_000,
}, async () => {
  // No file may grow beyond 2 MiB: the write-ahead log soon does.
  cluster = new RealCluster(undefined, () => ["bash", "-c", 'ulimit -f 2048; exec "$@"', "bash"]);
  const node = await cluster.add();
  const code = node.ended();
  const { acknowledged } = await writeUntilItEnds(node, 8);
  expect(await code).toBe(1);
  expect(acknowledged.length).toBeGreaterThan(50);
  expect(node.log).toContain("the node has stopped itself");
  const recordings = readdirSync(node.dataDir).filter((name) => /^halt-.*\.recording$/.test(name));
  expect(recordings.length).toBe(1);
  const replayed = await blixard(["sim", "replay", join(node.dataDir, recordings[0] ?? "")]);
  expect(replayed).toMatchObject({ code: 0, err: "", out: expect.stringContaining("the same decisions") });
  // Up to and including the step that stopped it.
  expect(replayed.out).toMatch(/write \d+ FAILED: .*, halted$/m);

  const again = new RealNode(1, node.dataDir, node.bind);
  try {
    await again.start();
    const found = await names(again);
    expect(acknowledged.filter((name) => !found.has(name))).toEqual([]);
  } finally {
    await again.end("SIGKILL");
  }
});

test("over TCP and Noise, for networks that let no UDP through, it is the same cluster", {
  timeout: 90_000,
}, async () => {
  await cluster.start(3, ["--transport", "tcp"]);
  const leader = await cluster.leader();
  await leader.ask((api) => api.write("vm.create", { name: "before" }));
  await leader.end("SIGKILL");
  const next = await cluster.leader();
  await next.ask((api) => api.write("vm.create", { name: "after" }, { timeoutMs: 20_000 }));
  await leader.start();
  await cluster.settled();
  expect(await names(leader)).toEqual(new Set(["before", "after"]));
});
