import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { multiaddr } from "@multiformats/multiaddr";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import type { Heartbeat, Introduction, Message, PeerId, SnapshotChunk } from "../../core/index.ts";
import { Identity } from "../identity/index.ts";
import { withPort } from "./addresses.ts";
import { askToJoin, Network, NetworkError, type NetworkHandlers } from "./index.ts";
import { PROTOCOLS } from "./protocols.ts";
import { createTransport } from "./transport.ts";

type Kind = "quic" | "tcp";

/** One node: its network, what it has heard, and the peers that it knows as members. */
class End {
  readonly identity: Identity;
  readonly id: number;
  /** Port 0 until it has listened for the first time. */
  address: string;
  readonly kind: Kind;
  readonly members = new Set<PeerId>();
  readonly heard: { readonly from: PeerId; readonly message: Message }[] = [];
  /** Why connections to others ended. */
  readonly lost: string[] = [];
  readonly clusterId: string;
  handlers: Partial<NetworkHandlers> = {};
  #network: Network | null = null;

  constructor(identity: Identity, id: number, address: string, kind: Kind, clusterId = "test") {
    this.identity = identity;
    this.id = id;
    this.address = address;
    this.kind = kind;
    this.clusterId = clusterId;
  }

  static async make(id: number, kind: Kind, clusterId?: string): Promise<End> {
    return new End(await Identity.generate(), id, "127.0.0.1:0", kind, clusterId);
  }

  get network(): Network {
    if (this.#network === null) throw new Error("not started");
    return this.#network;
  }

  get peerId(): PeerId {
    return this.identity.peerId;
  }

  async start(): Promise<void> {
    this.#network = await Network.start({
      identity: this.identity,
      nodeId: this.id,
      clusterId: this.clusterId,
      incarnation: 0,
      bind: this.address,
      addresses: [this.address],
      transport: this.kind,
      log: pino(
        { level: "info" },
        {
          write: (line) => {
            const { msg, reason } = JSON.parse(line);
            if (msg === "disconnected") this.lost.push(reason);
          },
        },
      ),
      handlers: {
        message: (from, message) => {
          this.heard.push({ from, message });
          this.handlers.message?.(from, message);
        },
        toldAddresses: (from, addresses) => this.handlers.toldAddresses?.(from, addresses),
        isMember: (peerId) => this.members.has(peerId),
        isServer: (peerId) => this.members.has(peerId),
        image: (_, question) => Promise.resolve(question),
        channel: (channel) => channel.close(),
        workers: this.handlers.workers ?? null,
        toldServers: (from, servers) => this.handlers.toldServers?.(from, servers),
        toldRoutes: (from, news) => this.handlers.toldRoutes?.(from, news),
        toldRemoved: (from) => this.handlers.toldRemoved?.(from),
        introduction: (to, refused) => this.handlers.introduction?.(to, refused) ?? null,
        call: async (from, request, signal) => (await this.handlers.call?.(from, request, signal)) ?? request,
        join: async (from, request, signal) => (await this.handlers.join?.(from, request, signal)) ?? request,
      },
    });
    this.address = `127.0.0.1:${this.#network.boundPort}`;
    ends.push(this);
  }

  knows(...others: readonly End[]): void {
    for (const { peerId } of others) this.members.add(peerId);
    this.network.setPeers(others.map(({ id, peerId, address }) => ({ id, peerId, addresses: [address] })));
  }

  isConnectedTo(other: { readonly peerId: PeerId }): boolean {
    return this.network.status().some(({ peerId, connected }) => peerId === other.peerId && connected);
  }
}

const ends: End[] = [];
const children: ChildProcess[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await Promise.all(ends.splice(0).map((end) => end.network.stop(500)));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function pair(kind: Kind): Promise<readonly [End, End]> {
  const [one, two] = [await End.make(1, kind), await End.make(2, kind)];
  await Promise.all([one.start(), two.start()]);
  one.knows(two);
  two.knows(one);
  await until(() => one.isConnectedTo(two) && two.isConnectedTo(one));
  return [one, two];
}

const header = { clusterId: "test", incarnation: 0, from: 1, to: 2, term: 1 } as const;
const heartbeat = (round: number): Heartbeat => ({ type: "heartbeat", ...header, commit: 0, round });

function rounds(end: End): number[] {
  return end.heard.flatMap(({ message }) => (message.type === "heartbeat" ? [message.round] : []));
}

describe.each<Kind>(["quic", "tcp"])("two nodes over %s", (kind) => {
  test("hear each other's messages in order, once, under the sender's own name", async () => {
    const [one, two] = await pair(kind);
    for (let round = 1; round <= 2000; round++) one.network.send(two.peerId, heartbeat(round));
    two.network.send(one.peerId, heartbeat(7));
    await until(() => two.heard.length >= 2000 && one.heard.length >= 1);
    expect(rounds(two)).toEqual(Array.from({ length: 2000 }, (_, n) => n + 1));
    expect(new Set(two.heard.map(({ from }) => from))).toEqual(new Set([one.peerId]));
    expect(one.heard).toEqual([{ from: two.peerId, message: heartbeat(7) }]);
  });

  test("report over a connection that is still being made, and get the servers and routes with the answers", async () => {
    const [server, worker] = [await End.make(1, kind), await End.make(2, kind)];
    const servers = new TextEncoder().encode("here and there");
    server.handlers = {
      workers: {
        isWorker: (peerId) => peerId === worker.peerId,
        isRemoved: () => false,
        report: (from, report) => Promise.resolve(from === worker.peerId ? report.toReversed() : null),
        servers: () => servers,
        routes: (since) => {
          const version = (since ?? 0) + 1;
          return { version, messages: version > 2 ? [] : [Uint8Array.of(version, 1), Uint8Array.of(version, 2)] };
        },
      },
    };
    const told: [PeerId, string][] = [];
    const routes: number[][] = [];
    worker.handlers = {
      toldServers: (from, text) => void told.push([from, new TextDecoder().decode(text)]),
      toldRoutes: (_, news) => void routes.push([...news]),
    };
    await Promise.all([server.start(), worker.start()]);
    worker.network.setPeers([{ id: 1, peerId: server.peerId, addresses: [server.address] }]);
    // The first report matters: an agent that gets no answer turns to another server.
    expect(await worker.network.report(server.peerId, Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(3, 2, 1));
    expect(await worker.network.report(server.peerId, Uint8Array.of(4, 5))).toEqual(Uint8Array.of(5, 4));
    expect(await worker.network.report(server.peerId, Uint8Array.of(6))).toEqual(Uint8Array.of(6));
    expect(told).toEqual([[server.peerId, "here and there"]]);
    await until(() => routes.length === 4);
    expect(routes).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
  });

  test("a worker that was removed is told so, cut off, and heard no more", async () => {
    const [server, worker] = [await End.make(1, kind), await End.make(2, kind)];
    let isRemoved = false;
    const reported: number[] = [];
    server.handlers = {
      workers: {
        isWorker: (peerId) => peerId === worker.peerId && !isRemoved,
        isRemoved: (peerId) => peerId === worker.peerId && isRemoved,
        report(_, report) {
          reported.push(report.length);
          return Promise.resolve(report);
        },
        servers: () => new Uint8Array(1),
        routes: (version) => ({ version, messages: [] }),
      },
    };
    const told: PeerId[] = [];
    worker.handlers = { toldRemoved: (from) => void told.push(from) };
    await Promise.all([server.start(), worker.start()]);
    worker.network.setPeers([{ id: 1, peerId: server.peerId, addresses: [server.address] }]);
    expect(await worker.network.report(server.peerId, Uint8Array.of(1))).toEqual(Uint8Array.of(1));
    expect(told).toEqual([]);
    isRemoved = true;
    server.network.review();
    await until(() => told.length > 0);
    expect(told[0]).toBe(server.peerId);
    expect(worker.isConnectedTo(server)).toBe(false);
    expect(await worker.network.report(server.peerId, Uint8Array.of(1, 2))).toBeNull();
    expect(reported).toEqual([1]);
  });

  test("send large messages on a stream of their own, which does not delay others", async () => {
    const [one, two] = await pair(kind);
    const meta = {
      ...{
        index: 1,
        term: 1,
        chain: "c",
        configurationIndex: 0,
        lineage: [],
        digest: "d",
        chunkCount: 8,
        sizeBytes: 8,
      },
      configuration: {
        voters: [1],
        outgoing: [],
        learners: [],
        members: [{ id: 1, peerId: "p", promote: false }],
        retired: [],
      },
    };
    const chunk = (sequence: number): SnapshotChunk => ({
      type: "snapshotChunk",
      ...header,
      meta,
      sequence,
      bytes: new Uint8Array(512 * 1024).fill(sequence),
      certificate: null,
    });
    for (let sequence = 0; sequence < 8; sequence++) one.network.send(two.peerId, chunk(sequence));
    one.network.send(two.peerId, heartbeat(1));
    await until(() => two.heard.length === 9);
    const chunks = two.heard.flatMap(({ message }) => (message.type === "snapshotChunk" ? [message] : []));
    expect(chunks.map(({ sequence, bytes }) => [sequence, bytes.length, bytes[9]])).toEqual(
      Array.from({ length: 8 }, (_, n) => [n, 512 * 1024, n]),
    );
  });

  test("call each other, and hear when that fails", async () => {
    const [one, two] = await pair(kind);
    two.handlers = {
      async call(from, request) {
        if (request.length === 3) throw new Error("no");
        return Uint8Array.of(...request, from.length);
      },
    };
    const answers = await Promise.all(
      [1, 2].map((n) => one.network.call(two.peerId, Uint8Array.of(n), { timeoutMs: 5000 })),
    );
    expect(answers.map((answer) => [...answer])).toEqual([
      [1, 52],
      [2, 52],
    ]);
    await expect(one.network.call(two.peerId, new Uint8Array(3), { timeoutMs: 5000 })).rejects.toThrow(NetworkError);
    await expect(one.network.call("nobody", new Uint8Array(1), { timeoutMs: 50 })).rejects.toMatchObject({
      kind: "notConnected",
    });
    two.handlers = { call: () => new Promise(() => undefined) };
    await expect(one.network.call(two.peerId, new Uint8Array(1), { timeoutMs: 50 })).rejects.toMatchObject({
      kind: "timedOut",
    });
  });

  test("are cut off from each other at once when one is no member any more", async () => {
    const [one, two] = await pair(kind);
    one.members.clear();
    one.network.setPeers([]);
    await until(() => !two.isConnectedTo(one));
    const before = one.heard.length;
    two.network.send(one.peerId, heartbeat(1));
    await until(() => two.network.status()[0]?.lastError?.includes("notMember") === true);
    expect(one.heard.length).toBe(before);
  });

  test("find each other again after one was away, on the same port", async () => {
    const [one, two] = await pair(kind);
    await two.network.stop(500);
    await until(() => !one.isConnectedTo(two));
    await two.start();
    two.knows(one);
    await until(() => one.isConnectedTo(two) && two.isConnectedTo(one));
    one.network.send(two.peerId, heartbeat(1));
    await until(() => rounds(two).includes(1));
  });
});

describe("a hello", () => {
  test("is refused by another cluster, which says so", async () => {
    const [one, two] = [await End.make(1, "quic"), await End.make(2, "quic", "another")];
    await Promise.all([one.start(), two.start()]);
    one.knows(two);
    two.knows(one);
    await until(() => one.network.status()[0]?.lastError?.includes("wrongCluster") === true);
    expect(one.isConnectedTo(two)).toBe(false);
  });

  test("of a member that is not known yet is accepted with what proves its membership", async () => {
    const [one, two] = [await End.make(1, "quic"), await End.make(2, "quic")];
    const proof: Introduction = { type: "introduction", ...header, links: [] };
    one.handlers = { introduction: (_, refused) => (refused === null ? proof : null) };
    // The core would check the signatures. Here it is enough that there is an introduction.
    two.handlers = { message: (from, message) => void (message.type === "introduction" && two.members.add(from)) };
    await Promise.all([one.start(), two.start()]);
    one.knows(two);
    await until(() => one.isConnectedTo(two));
    expect(two.heard).toEqual([{ from: one.peerId, message: proof }]);
  });

  test("of one who has left is answered with what shows it", async () => {
    const [one, two] = [await End.make(1, "quic"), await End.make(2, "quic")];
    const shown: Introduction = { type: "introduction", ...header, links: [] };
    two.handlers = { introduction: (_, refused) => (refused === one.peerId ? shown : null) };
    await Promise.all([one.start(), two.start()]);
    one.knows(two);
    await until(() => one.heard.length > 0);
    expect(one.heard[0]).toEqual({ from: two.peerId, message: shown });
    expect(one.isConnectedTo(two)).toBe(false);
  });
});

describe("a stranger", () => {
  test("reaches the join protocol, and nothing else", async () => {
    const member = await End.make(1, "quic");
    await member.start();
    const asked: PeerId[] = [];
    member.handlers = {
      join(from, request) {
        asked.push(from);
        return Promise.resolve(request);
      },
    };
    const stranger = await Identity.generate();
    const { peerId, answer } = await askToJoin({
      identity: stranger,
      address: member.address,
      transport: "quic",
      request: Uint8Array.of(1, 2, 3),
      timeoutMs: 5000,
      accept: () => true,
    });
    expect([peerId, [...answer], asked]).toEqual([member.peerId, [1, 2, 3], [stranger.peerId]]);

    const libp2p = await createTransport({ privateKey: stranger.privateKey, kind: "quic", listen: [], gater: {} });
    const port = member.address.split(":")[1];
    const connection = await libp2p.dial(multiaddr(`/ip4/127.0.0.1/udp/${port}/quic-v1`));
    for (const protocol of [PROTOCOLS.raft, PROTOCOLS.snapshot, PROTOCOLS.call]) {
      const closed = Promise.withResolvers<void>();
      // The member may end the stream while its protocol is still being agreed on: that is a refusal too.
      const stream = await connection.newStream(protocol).catch(() => null);
      if (stream === null) continue;
      stream.addEventListener("close", () => closed.resolve());
      stream.addEventListener("remoteCloseWrite", () => closed.resolve());
      try {
        stream.send(new Uint8Array(64));
      } catch {
        closed.resolve();
      }
      await closed.promise;
    }
    expect(member.heard).toEqual([]);
    await Promise.race([libp2p.stop(), new Promise((resolve) => setTimeout(resolve, 500))]);
  });

  test("is told nothing when the joining node expects somebody else", async () => {
    const member = await End.make(1, "quic");
    await member.start();
    let asked = 0;
    member.handlers = {
      join(_, request) {
        asked++;
        return Promise.resolve(request);
      },
    };
    const asking = askToJoin({
      identity: await Identity.generate(),
      address: member.address,
      transport: "quic",
      request: Uint8Array.of(1),
      timeoutMs: 5000,
      accept: () => false,
    });
    await expect(asking).rejects.toMatchObject({ kind: "notConnected" });
    expect(asked).toBe(0);
  });
});

test("ten nodes that dial at once are all accepted", async () => {
  const hub = await End.make(1, "quic");
  const others = await Promise.all(Array.from({ length: 10 }, (_, n) => End.make(2 + n, "quic")));
  await Promise.all([hub, ...others].map((end) => end.start()));
  hub.knows(...others);
  for (const other of others) other.knows(hub);
  await until(() => others.every((other) => other.isConnectedTo(hub) && hub.isConnectedTo(other)));
});

test("an address that is taken, or is none, is refused with what to do", async () => {
  const one = await End.make(1, "quic");
  await one.start();
  const two = new End(await Identity.generate(), 2, one.address, "quic");
  await expect(two.start()).rejects.toMatchObject({ kind: "cannotListen", message: expect.stringContaining("in use") });
  const three = new End(await Identity.generate(), 3, "nonsense", "quic");
  await expect(three.start()).rejects.toMatchObject({ kind: "cannotListen" });
});

describe.each<Kind>(["quic", "tcp"])("a peer in another process, over %s,", (kind) => {
  /** Node 2 as a process; `lines` is what it has printed. */
  async function process2(
    one: End,
  ): Promise<{ two: { peerId: PeerId }; start(): Promise<ChildProcess>; lines: string[] }> {
    const folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
    folders.push(folder);
    const identity = await Identity.generate();
    const key = join(folder, "identity.key");
    identity.save(key);
    const address = await withPort("127.0.0.1:0", kind);
    const lines: string[] = [];
    one.members.add(identity.peerId);
    one.network.setPeers([{ id: 2, peerId: identity.peerId, addresses: [address] }]);
    return {
      two: { peerId: identity.peerId },
      lines,
      async start() {
        const program = join(import.meta.dirname, "testing", "peer.ts");
        const child = spawn(process.execPath, [program, key, address, kind, "1", one.peerId, one.address], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        children.push(child);
        createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
        await until(() => one.isConnectedTo({ peerId: identity.peerId }));
        return child;
      },
    };
  }

  test("is missed when it is killed, and connected again when it comes back", async () => {
    const one = await End.make(1, kind);
    await one.start();
    const { two, start, lines } = await process2(one);
    const child = await start();
    child.kill("SIGKILL");
    await until(() => !one.isConnectedTo(two));
    // The transport notices it, sooner than a ping without an answer would.
    expect(one.lost).toEqual(["the connection was closed"]);
    await start();
    one.network.send(two.peerId, heartbeat(1));
    await until(() => lines.includes("heartbeat 1"));
  });

  test("is missed when it hangs, and what waits for it stays bounded", async () => {
    const one = await End.make(1, kind);
    await one.start();
    const { two, start } = await process2(one);
    const child = await start();
    child.kill("SIGSTOP");
    for (let round = 0; one.isConnectedTo(two); round++) {
      for (let n = 0; n < 200; n++) one.network.send(two.peerId, heartbeat(round * 200 + n));
      expect(one.network.status()[0]?.queued).toBeLessThanOrEqual(4096 + 64);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(one.network.status()[0]?.lastError).not.toBeNull();
    child.kill("SIGCONT");
    await until(() => one.isConnectedTo(two));
  });

  test("is missed when only its JavaScript hangs", async () => {
    const one = await End.make(1, kind);
    await one.start();
    const { two, start } = await process2(one);
    await start();
    one.network.send(two.peerId, { ...heartbeat(1), term: 666 });
    await until(() => !one.isConnectedTo(two));
    // Its transport goes on in a thread of its own.
    expect(one.lost).toEqual(["it does not answer any more"]);
  });

  test("that hangs does not keep this one from stopping", async () => {
    const one = await End.make(1, kind);
    await one.start();
    const { start } = await process2(one);
    const child = await start();
    child.kill("SIGSTOP");
    await one.network.stop(300);
    ends.splice(ends.indexOf(one), 1);
  });
});
