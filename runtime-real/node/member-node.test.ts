/** Real nodes in this process: how they start, join, resume, leave, and are rebuilt. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ApiClient,
  ApiError,
  connectApi,
  formatApiToken,
  formatJoinToken,
  joinCluster,
  loadRecording,
  makeToken,
  type NodeOptions,
  type RunningNode,
  startNode,
} from "../index.ts";
import { requestAdmission } from "../join/index.ts";
import { newIdentity } from "./identity-file.ts";
import { WorkerStore } from "./worker-store.ts";

let folder = "";
const running: RunningNode[] = [];
const clients = new Map<string, ApiClient>();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(async () => {
  await Promise.all([...clients.values()].map((client) => client.close()));
  clients.clear();
  await Promise.all(running.splice(0).map((node) => node.stop(1000)));
  rmSync(folder, { recursive: true, force: true });
});

const DEFAULTS: Omit<NodeOptions, "dataDir"> = {
  version: "test",
  nodeId: null,
  bind: null,
  advertise: null,
  transport: null,
  bootstrap: false,
  join: null,
  replaceFromPeers: false,
  works: null,
  workerOnly: false,
  worker: {},
  apiBind: null,
  record: null,
  raft: { electionTimeoutMs: 300, heartbeatMs: 30 },
  log: { level: "silent", format: "json" },
};

/** A leader waits for an election timeout at most until another has taken over: on a busy machine that is too short. */
const PATIENT: Partial<NodeOptions> = { raft: { electionTimeoutMs: 3000, heartbeatMs: 30 } };

function dataDir(name: string | number): string {
  return join(folder, `${name}`);
}

async function start(name: string | number, options: Partial<NodeOptions>): Promise<RunningNode> {
  const node = await startNode({ ...DEFAULTS, dataDir: dataDir(name), ...options });
  running.push(node);
  return node;
}

async function first(options: Partial<NodeOptions> = {}): Promise<RunningNode> {
  return await start(1, { nodeId: 1, bind: "127.0.0.1:0", ...options });
}

function api(node: RunningNode): ApiClient {
  const socketPath = node.socketPath ?? "";
  const client = clients.get(socketPath) ?? connectApi({ socketPath });
  clients.set(socketPath, client);
  return client;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function token(
  from: RunningNode,
  fields: { ttlMs?: number; nodeId?: number; purpose?: "join" | "api" } = {},
): Promise<string> {
  const made = makeToken();
  const request = { id: made.id, secretHash: made.secretHash, purpose: "join", ttlMs: 60_000, ...fields } as const;
  const { clusterId, voters } = await api(from).write("token.create", request);
  return request.purpose === "api" ? formatApiToken(made) : formatJoinToken(made, clusterId, voters);
}

async function joined(id: number, to: RunningNode, options: Partial<NodeOptions> = {}): Promise<RunningNode> {
  const joining = { addresses: to.addresses, token: await token(to) };
  const node = await start(id, { nodeId: id, bind: "127.0.0.1:0", join: joining, ...options });
  // And the change of voters is over: until then the loss of either former voter would stop both.
  await until(async () => {
    const both = await Promise.all([to, node].map((asked) => api(asked).call("cluster.status", {})));
    return both.every(({ members, quorum }) => {
      const member = members.find((each) => each.id === id);
      return member?.role === "voter" && member.connected && !quorum.isJoint;
    });
  });
  return node;
}

/**
 * Asks for a transfer until it is known who leads, as a client has to: where whoever is to take over needs longer than
 * an election timeout, nobody knows whether it will.
 */
async function transferred(asked: RunningNode, wanted: number | null): Promise<{ from: number | null; to: number }> {
  for (;;) {
    const { leaderId: from } = await api(asked).call("cluster.status", {});
    try {
      return { from, to: (await api(asked).call("cluster.transferLeader", { to: wanted })).leaderId };
    } catch (error) {
      if (!(error instanceof ApiError && ["outcomeUnknown", "noLeader"].includes(error.code))) throw error;
      await until(async () => (await api(asked).call("cluster.status", {})).leaderId !== null);
    }
  }
}

async function names(node: RunningNode): Promise<readonly string[]> {
  return (await api(node).read("vm.list", {})).vms.map(({ name }) => name);
}

describe("a data directory", () => {
  test("that is empty becomes that of node 1 of a new cluster, and is all that a restart needs", async () => {
    const node = await first();
    await api(node).write("vm.create", { name: "web" });
    await node.stop(1000);
    const again = await start(1, {});
    expect([again.nodeId, again.clusterId, again.peerId, again.addresses]).toEqual([
      1,
      node.clusterId,
      node.peerId,
      node.addresses,
    ]);
    await until(async () => (await api(again).call("cluster.status", {})).leaderId === 1);
    expect(await names(again)).toEqual(["web"]);
    for (const file of ["identity.key", "api.sock"]) expect(statSync(join(dataDir(1), file)).mode & 0o777).toBe(0o600);
  });

  test("that is empty makes no cluster for another id by itself, nor one that has an identity and no data", async () => {
    await expect(start(2, { nodeId: 2, bind: "127.0.0.1:0" })).rejects.toMatchObject({
      hint: expect.stringContaining("--bootstrap"),
    });
    const node = await first();
    await node.stop(1000);
    for (const file of readdirSync(dataDir(1)))
      if (file !== "identity.key") rmSync(join(dataDir(1), file), { recursive: true });
    await expect(first()).rejects.toMatchObject({ hint: expect.stringContaining("--join") });
    expect((await start(2, { nodeId: 2, bind: "127.0.0.1:0", bootstrap: true })).nodeId).toBe(2);
  });

  test("is not used without an id, under another id, or while a process uses it", async () => {
    await expect(start(1, { bind: "127.0.0.1:0" })).rejects.toMatchObject({ hint: expect.stringContaining("--id 1") });
    await first();
    await expect(start(1, {})).rejects.toMatchObject({ message: expect.stringContaining(`process ${process.pid}`) });
    await running.splice(0)[0]?.stop(1000);
    await expect(start(1, { nodeId: 2 })).rejects.toMatchObject({
      message: expect.stringContaining("belongs to node 1"),
    });
    await expect(start(1, { nodeId: 1, bootstrap: true })).rejects.toMatchObject({ name: "NodeStartError" });
  });
});

describe("a join", () => {
  test("makes a voter, which knows the others after a restart", { timeout: 60_000 }, async () => {
    const one = await first();
    const two = await joined(2, one);
    const three = await joined(3, two);
    await api(three).write("vm.create", { name: "web" });
    await three.stop(1000);
    const again = await start(3, {});
    await until(async () => (await api(again).call("cluster.status", {})).quorum.missing.length === 0);
    expect(await names(again)).toEqual(["web"]);
    const { members } = await api(again).read("cluster.members", {});
    expect(members.map(({ id, role, addresses }) => ({ id, role, addresses }))).toEqual(
      [one, two, again].map((node, n) => ({ id: n + 1, role: "voter", addresses: node.addresses })),
    );
  });

  test.each<[string, (one: RunningNode) => Promise<{ token: string; options?: Partial<NodeOptions> }>]>([
    [
      "expired",
      async (one) => {
        const made = await token(one, { ttlMs: 1 });
        await api(one).write("vm.create", { name: "later" });
        return { token: made };
      },
    ],
    [
      "was used by node 2",
      async (one) => {
        const made = await token(one);
        await start(2, { nodeId: 2, bind: "127.0.0.1:0", join: { addresses: one.addresses, token: made } });
        return { token: made };
      },
    ],
    [
      "was revoked",
      async (one) => {
        const made = await token(one);
        await api(one).write("token.revoke", { id: made.split(".")[1] ?? "" });
        return { token: made };
      },
    ],
    ["is for node 9", async (one) => ({ token: await token(one, { nodeId: 9 }) })],
    ["knows no token", async (one) => ({ token: formatJoinToken(makeToken(), one.clusterId, [one.peerId]) })],
    ["does not vouch", async () => ({ token: formatJoinToken(makeToken(), "another-cluster", ["12D3KooWnobody"]) })],
    [
      "belongs to another cluster",
      async (one) => ({ token: formatJoinToken(makeToken(), "another-cluster", [one.peerId]) }),
    ],
    ["is for the API", async (one) => ({ token: await token(one, { purpose: "api" }) })],
    ["no blixard token", () => Promise.resolve({ token: "nonsense" })],
    ["node id 1 belongs", async (one) => ({ token: await token(one), options: { nodeId: 1 } })],
  ])('that is refused says "%s", and leaves nothing behind', async (words, prepare) => {
    const one = await first();
    const { token: made, options } = await prepare(one);
    const before = await api(one).read("cluster.members", {});
    const joining = start("new", {
      nodeId: 7,
      bind: "127.0.0.1:0",
      join: { addresses: one.addresses, token: made },
      ...options,
    });
    await expect(joining).rejects.toMatchObject({ name: "NodeStartError", message: expect.stringContaining(words) });
    expect(existsSync(join(dataDir("new"), "identity.key"))).toBe(false);
    expect((await api(one).read("cluster.members", {})).members.map(({ id }) => id)).toEqual(
      before.members.map(({ id }) => id),
    );
    // The same directory can be used as if nothing had happened.
    const good = await start("new", {
      nodeId: 8,
      bind: "127.0.0.1:0",
      join: { addresses: one.addresses, token: await token(one) },
    });
    expect(good.clusterId).toBe(one.clusterId);
  });

  // Otherwise anybody who knows the address and once had a token could fill the log of every member.
  test("that is refused writes nothing, however often it is asked for", async () => {
    const one = await first({ works: false });
    const revoked = await token(one);
    await api(one).write("token.revoke", { id: revoked.split(".")[1] ?? "" });
    const unknown = formatJoinToken(makeToken(), one.clusterId, [one.peerId]);
    const anothers = await token(one, { nodeId: 9 });
    const committed = async (): Promise<number> => (await api(one).call("cluster.status", {})).commitIndex;
    const before = await committed();
    for (const made of [revoked, unknown, anothers, unknown, unknown]) {
      const join = { addresses: one.addresses, token: made };
      await expect(start("new", { nodeId: 7, bind: "127.0.0.1:0", join })).rejects.toThrow(/token/);
    }
    expect(await committed()).toBe(before);
  });

  test("can be asked for again after a lost answer, and the id is not lost", async () => {
    const one = await first();
    const joining = { addresses: one.addresses, token: await token(one) };
    // The answer never arrived: there is an identity, and no data.
    mkdirSync(dataDir(2), { mode: 0o700 });
    const identity = await newIdentity(dataDir(2));
    await requestAdmission({ ...joining, identity, transport: "quic", nodeId: 2, advertise: ["127.0.0.1:1"] });
    const again = await start(2, { nodeId: 2, bind: "127.0.0.1:0", join: joining });
    expect(again.peerId).toBe(identity.peerId);
  });

  test("is refused to one that has run and lost its data: it has forgotten how it voted", async () => {
    const one = await first();
    const joining = { addresses: one.addresses, token: await token(one) };
    const node = await start(2, { nodeId: 2, bind: "127.0.0.1:0", join: joining });
    await joined(3, one);
    const allVote = async (): Promise<boolean> => {
      const { members } = await api(one).read("cluster.members", {});
      return members.filter(({ role }) => role === "voter").length === 3;
    };
    await until(allVote);
    await node.stop(1000);
    for (const file of readdirSync(dataDir(2)))
      if (file !== "identity.key") rmSync(join(dataDir(2), file), { recursive: true });
    await expect(start(2, { nodeId: 2, bind: "127.0.0.1:0", join: joining })).rejects.toThrow(/has run before/);
  });
});

describe("leaving", () => {
  test("returns when it is committed; the node ends, is cut off, and its id never comes back", {
    timeout: 60_000,
  }, async () => {
    const one = await first();
    const two = await joined(2, one);
    const three = await joined(3, one);
    const works = async (): Promise<boolean> =>
      (await api(one).read("worker.list", {})).workers.some(({ id }) => id === 3);
    await until(works);
    // Asked of the node itself, which does not lead.
    const { nodeId, index } = await api(three).call("cluster.leave", {});
    expect(nodeId).toBe(3);
    expect(await three.ended).toEqual({ kind: "removed" });
    const { members } = await api(two).read("cluster.members", {});
    expect(members.map(({ id }) => id)).toEqual([1, 2]);
    const { events } = await api(one).read("events.list", { afterIndex: index - 1 });
    expect(events[0]).toMatchObject({ kind: "membershipChanged", voters: [1, 2] });
    await three.stop(1000);
    // Its worker stays listed until somebody removes it.
    await api(one).write("worker.cordon", { id: 3 });
    await api(one).write("worker.remove", { id: 3 });
    expect(await works()).toBe(false);
    const joining = { addresses: one.addresses, token: await token(one) };
    await expect(start("new", { nodeId: 3, bind: "127.0.0.1:0", join: joining })).rejects.toMatchObject({
      message: expect.stringContaining("never used again"),
    });
  });

  test("of the leader hands over first", { timeout: 60_000 }, async () => {
    const one = await first();
    const two = await joined(2, one);
    const three = await joined(3, one);
    await api(one).call("cluster.leave", { nodeId: 1 });
    expect(await one.ended).toEqual({ kind: "removed" });
    await api(two).write("vm.create", { name: "after" });
    expect(await names(three)).toEqual(["after"]);
  });

  test("a member that comes back at another address is found there by all", { timeout: 60_000 }, async () => {
    const one = await first();
    const two = await joined(2, one);
    const three = await joined(3, one);
    await running.splice(running.indexOf(three), 1)[0]?.stop(1000);
    const moved = await start(3, { bind: "127.0.0.1:0" });
    expect(moved.addresses).not.toEqual(three.addresses);
    for (const node of [one, two]) {
      await until(async () => {
        const { members } = await api(node).call("cluster.status", {});
        const member = members.find(({ id }) => id === 3);
        return member?.connected === true && member.addresses[0] === moved.addresses[0];
      });
    }
    await api(moved).write("vm.create", { name: "after" });
    expect(await names(moved)).toEqual(["after"]);
  });

  test("stopping hands leadership over, so that the others need no election", { timeout: 60_000 }, async () => {
    const one = await first(PATIENT);
    const two = await joined(2, one, PATIENT);
    await joined(3, one, PATIENT);
    const before = await api(two).call("cluster.status", {});
    await one.stop(5000);
    await until(async () => ![null, 1].includes((await api(two).call("cluster.status", {})).leaderId));
    // A transfer is one term; an election after a silence could be more, and would come later.
    expect((await api(two).call("cluster.status", {})).term).toBe(before.term + 1);
  });

  test("is refused for a node that is no member; leadership is transferred to the node that was named", {
    timeout: 60_000,
  }, async () => {
    const one = await first();
    const two = await joined(2, one);
    await expect(api(two).call("cluster.leave", { nodeId: 9 })).rejects.toMatchObject({ code: "nodeNotFound" });
    expect((await transferred(two, 2)).to).toBe(2);
    const { from, to } = await transferred(one, null);
    expect([from, to].toSorted()).toEqual([1, 2]);
  });
});

describe("a worker that is no member", () => {
  async function worker(name: string, to: RunningNode, options: Partial<NodeOptions> = {}): Promise<RunningNode> {
    const joining = { addresses: to.addresses, token: await token(to) };
    return await start(name, { nodeId: 7, bind: "127.0.0.1:0", workerOnly: true, raft: {}, join: joining, ...options });
  }

  const found = async (asked: RunningNode, id = 7) =>
    (await api(asked).read("worker.list", {})).workers.find((each) => each.id === id);
  const isOnline = async (asked: RunningNode): Promise<boolean> => (await found(asked))?.status === "online";

  test("has no log and no vote; it runs tasks, and its data directory is all that a restart needs", {
    timeout: 60_000,
  }, async () => {
    const one = await first({ works: false });
    const seven = await worker("w", one, { worker: { rack: "r9", features: ["gpu"] } });
    expect([seven.nodeId, seven.clusterId, seven.socketPath]).toEqual([7, one.clusterId, null]);
    await until(async () => await isOnline(one));
    expect(await found(one)).toMatchObject({ driver: null, topology: { rack: "r9" } });
    expect((await api(one).read("cluster.members", {})).members.map(({ id }) => id)).toEqual([1]);
    expect(existsSync(join(dataDir("w"), "blixard.db"))).toBe(false);
    await api(one).write("task.submit", { id: "there", command: "echo", args: ["hello"] });
    await until(async () => (await api(one).read("task.show", { id: "there" })).task.state === "Succeeded");

    await seven.stop(1000);
    const again = await start("w", { raft: {} });
    expect([again.nodeId, again.peerId, again.addresses]).toEqual([7, seven.peerId, seven.addresses]);
    // The first attempt may still be placed on the process that has just ended.
    await api(one).write("task.submit", { id: "again", command: "echo", attemptsMax: 3 });
    await until(async () => (await api(one).read("task.show", { id: "again" })).task.state === "Succeeded");
    expect(await found(one)).toMatchObject({ topology: { rack: "r9" }, features: expect.arrayContaining(["gpu"]) });
  });

  test("reports to other servers when its own is gone, also to servers that joined later, also after a restart", {
    timeout: 60_000,
  }, async () => {
    const one = await first();
    const seven = await worker("w", one);
    await until(async () => await isOnline(one));
    const two = await joined(2, one);
    const three = await joined(3, one);
    // It knows them once they are in its store.
    const knows = (id: number) => readFileSync(join(dataDir("w"), "worker.db"), "utf8").includes(`{"id":${id},`);
    await until(() => knows(2) && knows(3));
    await running.splice(running.indexOf(one), 1)[0]?.stop(5000);
    const runs = async (id: string): Promise<void> => {
      await api(two).write("task.submit", { id, command: "echo", features: ["mine"] }, { timeoutMs: 20_000 });
      await until(async () => (await api(three).read("task.show", { id })).task.state === "Succeeded");
    };
    await running.splice(running.indexOf(seven), 1)[0]?.stop(1000);
    await start("w", { raft: {}, worker: { features: ["mine"] } });
    await runs("elsewhere");
  });

  test("that was removed ends by itself, also when it comes back, and its id is never given again", {
    timeout: 60_000,
  }, async () => {
    const one = await first();
    const seven = await worker("w", one);
    await until(async () => await isOnline(one));
    await expect(api(one).write("worker.remove", { id: 7 })).rejects.toMatchObject({ code: "workerIsOnline" });
    await expect(api(one).write("worker.remove", { id: 1 })).rejects.toMatchObject({ code: "workerIsMember" });
    await api(one).write("worker.cordon", { id: 7 });
    await api(one).write("worker.remove", { id: 7 });
    expect(await found(one)).toBeUndefined();
    expect(await seven.ended).toEqual({ kind: "removed" });
    await running.splice(running.indexOf(seven), 1)[0]?.stop(1000);
    const again = await start("w", { raft: {} });
    expect(await again.ended).toEqual({ kind: "removed" });
    expect(await found(one)).toBeUndefined();
    await expect(worker("new", one)).rejects.toMatchObject({ message: expect.stringContaining("never used again") });
  });

  test.each<[string, (one: RunningNode) => Promise<{ token?: string; options?: Partial<NodeOptions> }>]>([
    [
      "expired",
      async (one) => {
        const made = await token(one, { ttlMs: 1 });
        await api(one).write("vm.create", { name: "later" });
        return { token: made };
      },
    ],
    ["is for node 9", async (one) => ({ token: await token(one, { nodeId: 9 }) })],
    [
      "was used by node 2",
      async (one) => {
        const made = await token(one);
        await start(2, { nodeId: 2, bind: "127.0.0.1:0", join: { addresses: one.addresses, token: made } });
        return { token: made };
      },
    ],
    ["knows no token", async (one) => ({ token: formatJoinToken(makeToken(), one.clusterId, [one.peerId]) })],
    [
      "belongs to another cluster",
      async (one) => ({ token: formatJoinToken(makeToken(), "another-cluster", [one.peerId]) }),
    ],
    ["node id 1 belongs", () => Promise.resolve({ options: { nodeId: 1 } })],
    ["no use for --bootstrap", () => Promise.resolve({ options: { bootstrap: true } })],
    ["has to join", () => Promise.resolve({ options: { join: null } })],
    ["rack", () => Promise.resolve({ options: { worker: { rack: "No Label" } } })],
  ])('that is refused says "%s", and leaves nothing behind', async (words, prepare) => {
    const one = await first();
    const { token: made, options } = await prepare(one);
    const joining = { addresses: one.addresses, token: made ?? (await token(one)) };
    const refused = worker("w", one, { join: joining, ...options });
    await expect(refused).rejects.toMatchObject({ name: "NodeStartError", message: expect.stringContaining(words) });
    expect(readdirSync(dataDir("w"))).toEqual([]);
    expect(await found(one)).toBeUndefined();
    // The same directory can be used as if nothing had happened.
    await worker("w", one);
    await until(async () => await isOnline(one));
  });

  test("whose join was interrupted joins again; its directory does not become a member's without the flag", async () => {
    const one = await first();
    mkdirSync(dataDir("w"));
    WorkerStore.open(dataDir("w")).close();
    for (let time = 0; time < 2; time++) {
      const refused = worker("w", one, { workerOnly: false });
      await expect(refused).rejects.toMatchObject({ message: expect.stringContaining("only works") });
    }
    await worker("w", one);
    await until(async () => await isOnline(one));
  });

  test("cannot use the directory of a member, nor a member its own; one in use is nobody else's", async () => {
    const one = await first();
    await worker("w", one);
    await expect(start("w", { raft: {} })).rejects.toMatchObject({ message: expect.stringContaining("in use") });
    const joining = { addresses: one.addresses, token: await token(one) };
    const asMember = { ...DEFAULTS, dataDir: dataDir("w"), nodeId: 7, join: joining };
    await expect(joinCluster(asMember)).rejects.toMatchObject({ message: expect.stringContaining("only works") });
    const member = { nodeId: 1, workerOnly: true, raft: {} };
    await expect(start(1, member)).rejects.toMatchObject({ message: expect.stringContaining("holds a member") });
  });
});

test("a node whose data is damaged is rebuilt from its peers under a new id, and the old one leaves", {
  timeout: 60_000,
}, async () => {
  const one = await first();
  const two = await joined(2, one);
  const three = await joined(3, one);
  await api(one).write("vm.create", { name: "web" });
  await three.stop(1000);
  await expect(start(3, { replaceFromPeers: true })).rejects.toMatchObject({
    message: expect.stringContaining("sound"),
  });
  truncateSync(join(dataDir(3), "blixard.db"), 20_000);
  await expect(start(3, {})).rejects.toMatchObject({ hint: expect.stringContaining("--replace-from-peers") });
  const rebuilt = await start(3, { replaceFromPeers: true, join: { addresses: one.addresses, token: "" } });
  expect(rebuilt.nodeId).toBe(4);
  expect(rebuilt.peerId).not.toBe(three.peerId);
  await until(async () => {
    const { members } = await api(two).read("cluster.members", {});
    return members.map(({ id, role }) => `${id} ${role}`).join() === "1 voter,2 voter,4 voter";
  });
  expect(await names(rebuilt)).toEqual(["web"]);
  expect(readdirSync(dataDir(3)).some((file) => file.startsWith("set-aside-"))).toBe(true);
});

test("a node that was rebuilt still knows after a restart whose place it has taken", { timeout: 60_000 }, async () => {
  const one = await first();
  await joined(2, one);
  const three = await joined(3, one);
  await three.stop(1000);
  truncateSync(join(dataDir(3), "blixard.db"), 20_000);
  const rebuilt = await start(3, { replaceFromPeers: true, join: { addresses: one.addresses, token: "" } });
  await rebuilt.stop(0);
  // Without a flag, whether or not the old node has left already.
  expect((await start(3, {})).nodeId).toBe(4);
  await until(async () => {
    const { members } = await api(one).read("cluster.members", {});
    return members.map(({ id, role }) => `${id} ${role}`).join() === "1 voter,2 voter,4 voter";
  });
});

test("over TCP the API asks for a token, which can be revoked", async () => {
  const node = await first({ apiBind: "127.0.0.1:0" });
  const made = await token(node, { purpose: "api" });
  const over = (bearer: string | null): ApiClient => {
    const client = connectApi({ address: node.apiAddress ?? "", token: bearer });
    clients.set(String(bearer), client);
    return client;
  };
  await over(made).write("vm.create", { name: "web" });
  for (const wrong of [
    null,
    "nonsense",
    formatApiToken(makeToken()),
    `${made.slice(0, -1)}${made.endsWith("A") ? "B" : "A"}`,
    await token(node),
  ])
    await expect(over(wrong).read("vm.list", {})).rejects.toMatchObject({ code: "unauthenticated" });
  await api(node).write("token.revoke", { id: made.split(".")[1] ?? "" });
  await expect(over(made).read("vm.list", {})).rejects.toMatchObject({ code: "unauthenticated" });
});

describe("a recording", () => {
  test("of a whole run gives the same decisions again; a changed input is detected", { timeout: 60_000 }, async () => {
    const { openRecording, replay } = await loadRecording();
    const path = join(folder, "node1.recording");
    const one = await first({ record: path, ...PATIENT });
    await joined(2, one, PATIENT);
    const client = api(one);
    for (let n = 0; n < 50; n++) await client.write("vm.create", { name: `vm-${n}` });
    await client.call("cluster.transferLeader", { to: 2 });
    await client.write("vm.create", { name: "through-the-other" });
    await one.stop(1000);

    let steps = 0;
    let last = null;
    for (const replayed of replay(openRecording(path))) {
      expect({ number: replayed.number, same: replayed.same }).toEqual({ number: replayed.number, same: true });
      steps++;
      last = replayed.node;
    }
    expect(steps).toBeGreaterThan(200);
    expect(last?.state.vmCount).toBe(51);

    const recording = openRecording(path);
    let asked = 0;
    const otherwise = {
      ...recording,
      *steps() {
        for (const step of recording.steps()) {
          const { input } = step;
          const isWrite =
            input.kind === "request" &&
            input.request.kind === "propose" &&
            input.request.request.command.kind === "createVm";
          // As if a client had asked for something else.
          if (isWrite) asked++;
          if (!isWrite || asked !== 3) yield step;
          else
            yield {
              ...step,
              input: {
                ...input,
                request: {
                  kind: "propose",
                  request: { session: null, command: { kind: "deleteVm", name: "vm-0", expectedGeneration: null } },
                },
              },
            } as const;
        }
        return null;
      },
    };
    const firstOther = [...replay(otherwise)].find(({ same }) => !same);
    expect(firstOther?.step.input.kind).toBe("request");
    expect(asked).toBe(51);
  });

  test("that is damaged or foreign is refused; one that was cut off ends there", { timeout: 60_000 }, async () => {
    const { openRecording, replay } = await loadRecording();
    const path = join(folder, "node1.recording");
    const one = await first({ record: path });
    await api(one).write("vm.create", { name: "web" });
    await one.stop(1000);
    const { size } = statSync(path);
    truncateSync(path, size - 5);
    const cut = [...replay(openRecording(path))];
    expect(cut.every(({ same }) => same)).toBe(true);
    const foreign = join(folder, "foreign");
    writeFileSync(foreign, "hello, this is no recording at all");
    expect(() => openRecording(foreign)).toThrow(expect.objectContaining({ name: "RecordingError" }));
    expect(() => openRecording(join(folder, "missing"))).toThrow(expect.objectContaining({ name: "RecordingError" }));
  });
});
