/**
 * What a link does to its peer, seen by a bare transport in the place of the peer. These are behaviours of the
 * transport that tests of a whole network would hide.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { decodeMessage, type Heartbeat } from "../../core/index.ts";
import { FrameReader } from "../frames/index.ts";
import { Identity } from "../identity/index.ts";
import { encodeAnswer, helloOf } from "./handshake.ts";
import { Network } from "./index.ts";
import { PROTOCOLS } from "./protocols.ts";
import { say } from "./say.ts";
import { createTransport, stopWithin } from "./transport.ts";

type Kind = "quic" | "tcp";

const networks: Network[] = [];
const transports: Libp2p[] = [];
const closers: (() => void)[] = [];
afterEach(async () => {
  await Promise.all(networks.splice(0).map((network) => network.stop(500)));
  await Promise.all(transports.splice(0).map(async (libp2p) => await stopWithin(libp2p, 500)));
  for (const close of closers.splice(0)) close();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The network of node 1, for which `peerId` is a member. */
async function node(kind: Kind, peerId: string, logged: string[] = []): Promise<{ network: Network; peerId: string }> {
  const identity = await Identity.generate();
  const network = await Network.start({
    identity,
    nodeId: 1,
    clusterId: "test",
    incarnation: 0,
    bind: "127.0.0.1:0",
    addresses: [],
    transport: kind,
    log: pino({ level: "debug" }, { write: (line) => void logged.push(line) }),
    handlers: {
      message: () => undefined,
      toldAddresses: () => undefined,
      isMember: (asked) => asked === peerId,
      isServer: (asked) => asked === peerId,
      image: (_, question) => Promise.resolve(question),
      channel: (channel) => channel.close(),
      workers: null,
      toldServers: () => undefined,
      toldRoutes: () => undefined,
      toldRemoved: () => undefined,
      introduction: () => null,
      call: async (_, request) => request,
      join: async (_, request) => request,
    },
  });
  networks.push(network);
  return { network, peerId: identity.peerId };
}

/** A peer that welcomes everybody and answers pings. `streams` are those that were opened to it for Raft messages. */
class Bare {
  readonly identity: Identity;
  readonly libp2p: Libp2p;
  readonly rounds: number[] = [];
  readonly streams: Stream[] = [];
  /** Whether it reads from streams for Raft messages. */
  reads = true;
  #generation = 1;

  private constructor(identity: Identity, libp2p: Libp2p) {
    this.identity = identity;
    this.libp2p = libp2p;
  }

  static async start(kind: Kind): Promise<Bare> {
    const identity = await Identity.generate();
    const { privateKey } = identity;
    const listen = [multiaddr(kind === "quic" ? "/ip4/127.0.0.1/udp/0/quic-v1" : "/ip4/127.0.0.1/tcp/0")];
    const libp2p = await createTransport({ privateKey, kind, listen, gater: {} });
    transports.push(libp2p);
    const bare = new Bare(identity, libp2p);
    await libp2p.handle(PROTOCOLS.hello, (stream) => bare.#hello(stream));
    await libp2p.handle(PROTOCOLS.raft, (stream) => bare.#raft(stream));
    return bare;
  }

  get peer() {
    const port = /\/(?:udp|tcp)\/(\d+)/.exec(String(this.libp2p.getMultiaddrs()[0]))?.[1];
    return { id: 2, peerId: this.identity.peerId, addresses: [`127.0.0.1:${port}`] };
  }

  /** Connections that others have made to it. */
  get inbound(): readonly Connection[] {
    return this.libp2p.getConnections().filter(({ direction }) => direction === "inbound");
  }

  /** From now on it answers nothing on the connections that it has. */
  forget(): void {
    this.#generation++;
  }

  #hello(stream: Stream): void {
    const generation = this.#generation;
    let isGreeted = false;
    const reader = new FrameReader(1 << 20, (frame) => {
      if (generation !== this.#generation) return;
      say(stream, isGreeted ? frame : encodeAnswer({ kind: "welcome", nodeId: 2 }));
      isGreeted = true;
    });
    stream.addEventListener("message", ({ data }) => reader.push(data.subarray()));
  }

  #raft(stream: Stream): void {
    this.streams.push(stream);
    const reader = new FrameReader(1 << 24, (frame) => {
      const message = decodeMessage(frame);
      if (message.type === "heartbeat") this.rounds.push(message.round);
    });
    stream.addEventListener("message", ({ data }) => reader.push(data.subarray()));
    if (!this.reads) stream.pause();
  }
}

const heartbeat = (round: number): Heartbeat => ({
  ...{ type: "heartbeat", clusterId: "test", incarnation: 0, from: 1, to: 2, term: 1, commit: 0 },
  round,
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each<Kind>(["quic", "tcp"])("over %s", (kind) => {
  test("all messages go over one stream of one connection, whenever they are sent", async () => {
    const bare = await Bare.start(kind);
    const { network } = await node(kind, bare.identity.peerId);
    network.setPeers([bare.peer]);
    await until(() => network.status()[0]?.connected === true);
    for (let round = 1; round <= 1000; round++) {
      network.send(bare.identity.peerId, heartbeat(round));
      if (round % 10 === 0) await turn();
    }
    await until(() => bare.rounds.length === 1000);
    expect(bare.streams.length).toBe(1);
    expect(bare.inbound.length).toBe(1);
  });

  test("a connection on which nobody answers, as after a restart, is replaced by a new one", async () => {
    const bare = await Bare.start(kind);
    const logged: string[] = [];
    const { network } = await node(kind, bare.identity.peerId, logged);
    network.setPeers([bare.peer]);
    await until(() => network.status()[0]?.connected === true);
    const [stale] = bare.inbound;
    bare.forget();
    await until(() => logged.filter((line) => JSON.parse(line).msg === "connected").length === 2);
    network.send(bare.identity.peerId, heartbeat(1));
    await until(() => bare.rounds.length === 1);
    const [fresh] = bare.inbound;
    expect(bare.inbound.length).toBe(1);
    expect(fresh?.id).not.toBe(stale?.id);
  });

  test("when a peer does not read, the oldest messages are dropped, the newest arrive, and nobody waits", async () => {
    const bare = await Bare.start(kind);
    bare.reads = false;
    const { network } = await node(kind, bare.identity.peerId);
    network.setPeers([bare.peer]);
    await until(() => network.status()[0]?.connected === true);
    const dropped = (): number => network.status()[0]?.dropped ?? 0;
    let round = 0;
    while (dropped() < 10_000) {
      for (let n = 0; n < 1000; n++) network.send(bare.identity.peerId, heartbeat(++round));
      await turn();
    }
    await until(() => bare.streams.length === 1);
    bare.streams[0]?.resume();
    await until(() => bare.rounds.at(-1) === round);
    const { rounds } = bare;
    expect(rounds.length).toBe(round - dropped());
    const gap = rounds.findIndex((got, at) => got !== at + 1);
    // Messages that were under way already, then a gap, then all of the newest.
    expect(rounds.slice(0, gap)).toEqual(Array.from({ length: gap }, (_, at) => at + 1));
    expect(rounds.slice(-4096)).toEqual(Array.from({ length: 4096 }, (_, at) => round - 4095 + at));
    expect(rounds).toEqual(rounds.toSorted((a, b) => a - b));
    expect(bare.streams.length).toBe(1);
  });

  test("a peer that takes the connection and answers no hello never counts as connected", async () => {
    const identity = await Identity.generate();
    const { privateKey } = identity;
    const listen = [multiaddr(kind === "quic" ? "/ip4/127.0.0.1/udp/0/quic-v1" : "/ip4/127.0.0.1/tcp/0")];
    const mute = await createTransport({ privateKey, kind, listen, gater: {} });
    transports.push(mute);
    let asked = 0;
    await mute.handle(PROTOCOLS.hello, (stream) => {
      asked++;
      stream.abort(new Error("not today"));
    });
    const logged: string[] = [];
    const { network } = await node(kind, identity.peerId, logged);
    const port = /\/(?:udp|tcp)\/(\d+)/.exec(String(mute.getMultiaddrs()[0]))?.[1];
    network.setPeers([{ id: 2, peerId: identity.peerId, addresses: [`127.0.0.1:${port}`] }]);
    await until(() => asked >= 2);
    expect(logged.map((line) => JSON.parse(line).msg)).not.toContain("connected");
    expect(network.status()[0]).toMatchObject({ connected: false, lastError: expect.any(String) });
  });

  test("an address where nothing answers is given up long before the transport would", async () => {
    const port = kind === "quic" ? await deafUdp() : await deafTcp();
    const identity = await Identity.generate();
    const { network } = await node(kind, identity.peerId);
    const patient = await createTransport({ privateKey: identity.privateKey, kind, listen: [], gater: {} });
    transports.push(patient);
    const address = multiaddr(`/ip4/127.0.0.1/${kind === "quic" ? `udp/${port}/quic-v1` : `tcp/${port}`}`);
    const abort = new AbortController();
    const theirs = patient.dial(address, { signal: abort.signal }).then(
      () => "the transport",
      () => "the transport",
    );
    network.setPeers([{ id: 2, peerId: identity.peerId, addresses: [`127.0.0.1:${port}`] }]);
    const ours = until(() => network.status()[0]?.lastError !== null).then(() => "the link");
    expect(await Promise.race([ours, theirs])).toBe("the link");
    abort.abort();
  });

  test("a peer is found although nobody answers at its first address, and somebody else at its second", async () => {
    const bare = await Bare.start(kind);
    const stranger = await Bare.start(kind);
    const port = kind === "quic" ? await deafUdp() : await deafTcp();
    const { network } = await node(kind, bare.identity.peerId);
    const addresses = [`127.0.0.1:${port}`, ...stranger.peer.addresses, ...bare.peer.addresses];
    network.setPeers([{ ...bare.peer, addresses }]);
    await until(() => network.status()[0]?.connected === true);
  });

  test("more calls than a peer takes are refused at once, and those under way are answered", async () => {
    const bare = await Bare.start(kind);
    const gate = Promise.withResolvers<void>();
    await bare.libp2p.handle(
      PROTOCOLS.call,
      (stream) => {
        const reader = new FrameReader(1024, (frame) => void gate.promise.then(() => say(stream, frame)));
        stream.addEventListener("message", ({ data }) => reader.push(data.subarray()));
      },
      { maxInboundStreams: 128 },
    );
    const { network } = await node(kind, bare.identity.peerId);
    network.setPeers([bare.peer]);
    await until(() => network.status()[0]?.connected === true);
    const call = (n: number): Promise<Uint8Array> =>
      network.call(bare.identity.peerId, Uint8Array.of(n), { timeoutMs: 20_000 });
    const calls = Array.from({ length: 64 }, (_, n) => call(n));
    await expect(call(64)).rejects.toMatchObject({ kind: "busy" });
    gate.resolve();
    expect((await Promise.all(calls)).map(([n]) => n)).toEqual(Array.from({ length: 64 }, (_, n) => n));
    expect([...(await call(65))]).toEqual([65]);
  });
});

test("ten nodes of one host that dial at once are all accepted at the first try", async () => {
  const hub = await Bare.start("quic");
  const logged: string[] = [];
  const nodes = await Promise.all(
    Array.from({ length: 10 }, async () => await node("quic", hub.identity.peerId, logged)),
  );
  for (const { network } of nodes) network.setPeers([hub.peer]);
  await until(() => nodes.every(({ network }) => network.status()[0]?.connected === true));
  expect(logged.filter((line) => JSON.parse(line).msg === "cannot connect")).toEqual([]);
});

test("a few strangers are accepted at a time, and members in addition", async () => {
  const member = await Bare.start("quic");
  const { network } = await node("quic", member.identity.peerId);
  const address = multiaddr(`/ip4/127.0.0.1/udp/${network.boundPort}/quic-v1`);
  const dialled = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const { privateKey } = await Identity.generate();
      const stranger = await createTransport({ privateKey, kind: "quic", listen: [], gater: {} });
      transports.push(stranger);
      return await stranger.dial(address).catch(() => null);
    }),
  );
  // A stranger that is turned away learns it only after its dial has succeeded.
  await until(() => dialled.filter((connection) => connection?.status === "open").length <= 32);
  const theirs = await member.libp2p.dial(address);
  const stream = await theirs.newStream(PROTOCOLS.hello);
  const answered = new Promise((resolve) => stream.addEventListener("message", resolve, { once: true }));
  say(stream, helloOf({ nodeId: 2, clusterId: "test", incarnation: 0, introduction: null, addresses: [] }));
  await answered;
  expect(theirs.status).toBe("open");
});

test.each<[string, () => Promise<void>, unknown]>([
  ["hangs", () => new Promise(() => undefined), "hangs"],
  ["fails", () => Promise.reject(new Error("no")), new Error("no")],
  ["stops in order", () => Promise.resolve(), "stopped"],
])("a transport that %s is waited for within the limit only", async (_, stop, end) => {
  expect(await stopWithin({ stop }, 20)).toEqual(end);
});

/** A port that accepts packets and never answers. */
function deafUdp(): Promise<number> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  return new Promise((resolve) => socket.bind(0, "127.0.0.1", () => resolve(socket.address().port)));
}

function deafTcp(): Promise<number> {
  const server = createServer((socket) => void closers.push(() => socket.destroy()));
  closers.push(() => server.close());
  return new Promise((resolve, reject) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
      else reject(new Error("no port"));
    }),
  );
}
