/**
 * A live cluster with a member that sends garbage, a stranger that impersonates, and malformed HTTP bodies: it keeps
 * serving, in bounded memory.
 */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { quic } from "@chainsafe/libp2p-quic";
import { generateKeyPair, privateKeyFromProtobuf } from "@libp2p/crypto/keys";
import type { Connection, PrivateKey, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeMessage, encodeMessage, type Message } from "../../core/index.ts";
import { RealCluster, type RealNode, until } from "./testing/index.ts";

const FRAMES = 900_000;
const RUBBISH_STREAMS = 500;
const BODIES = 100_000;

const cluster = new RealCluster();
beforeAll(() => cluster.start(3), 60_000);
afterAll(() => cluster.destroy());

/** Numbers in [0, 1), the same for one seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function serves(): Promise<void> {
  const api = cluster.client();
  const name = `alive-${Math.floor(performance.now())}`;
  await api.write("vm.create", { name }, { timeoutMs: 20_000 });
  expect((await api.read("vm.show", { name })).vm.name).toBe(name);
  await api.close();
}

async function dial(
  privateKey: PrivateKey,
  node: RealNode,
): Promise<{ connection: Connection; stop(): Promise<void> }> {
  const address = (await node.status())?.node.addresses[0] ?? "";
  const port = address.split(":")[1];
  const libp2p = await createLibp2p({ privateKey, transports: [quic()], connectionMonitor: { enabled: false } });
  const connection = await libp2p.dial(multiaddr(`/ip4/127.0.0.1/udp/${port}/quic-v1`));
  const stop = async (): Promise<void> => {
    await Promise.race([libp2p.stop(), new Promise((resolve) => setTimeout(resolve, 500))]);
  };
  return { connection, stop };
}

/** Resolves when the other side ends the stream. */
function ended(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    stream.addEventListener("close", () => resolve());
    stream.addEventListener("remoteCloseWrite", () => resolve());
  });
}

function framed(payloads: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    payloads.map((payload) => {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(payload.length);
      return Buffer.concat([head, payload]);
    }),
  );
}

/** Messages that are well formed and have random contents. */
function lies(random: () => number, clusterId: string, from: number, to: number): () => Message {
  const number = (max: number): number => Math.floor(random() * max);
  const text = (): string => "x".repeat(1 + number(40));
  return () => {
    const header = {
      clusterId: random() < 0.9 ? clusterId : text(),
      incarnation: number(2),
      from: random() < 0.8 ? from : 1 + number(6),
      to: random() < 0.9 ? to : 1 + number(6),
      term: number(2 ** 20),
    };
    switch (number(10)) {
      case 0:
        return {
          type: "requestVote",
          ...header,
          preVote: random() < 0.5,
          lastIndex: number(1e6),
          lastTerm: number(1e6),
          certificate: null,
          transfer: "",
        };
      case 1:
        return {
          type: "voteResponse",
          ...header,
          preVote: random() < 0.5,
          granted: true,
          signature: text(),
          proof: null,
          wallMs: number(1e6),
        };
      case 2:
        return {
          type: "append",
          ...header,
          prevIndex: number(1e6),
          prevTerm: number(1e6),
          prevChain: text(),
          entries: [],
          commit: number(1e6),
          certificate: null,
        };
      case 3:
        return {
          type: "appendResponse",
          ...header,
          outcome: "matched",
          matchIndex: number(1e6),
          matchChain: text(),
          hintIndex: number(1e6),
          hintTerm: number(1e6),
          proof: null,
          endorsement: null,
        };
      case 4:
        return { type: "heartbeat", ...header, commit: number(1e6), round: number(1e6) };
      case 5:
        return {
          type: "heartbeatResponse",
          ...header,
          round: number(1e6),
          certified: true,
          proof: null,
          wallMs: number(1e6),
        };
      case 6:
        return { type: "timeoutNow", ...header, transfer: text() };
      case 7:
        return { type: "readIndex", ...header, requestId: number(1e6) };
      case 8:
        return {
          type: "forward",
          ...header,
          requestId: number(1e6),
          data: new Uint8Array(number(60)).fill(number(256)),
        };
      default:
        return { type: "whoAreYou", ...header, configurationIndex: number(1e6) };
    }
  };
}

test("900,000 lying messages of a member, and streams of rubbish, change nothing and harm nobody", {
  timeout: 240_000,
}, async () => {
  // A real member whose identity is stolen.
  const traitor = await cluster.add();
  await until(async () => (await cluster.nodes[0]?.status())?.members.some(({ id }) => id === traitor.id) === true);
  const stolen = privateKeyFromProtobuf(readFileSync(join(traitor.dataDir, "identity.key")));
  await traitor.end("SIGKILL");
  const target = await cluster.leader();
  const before = await target.status();
  const clusterId = before?.clusterId ?? "";
  const { connection, stop } = await dial(stolen, target);
  const random = randomOf(1);
  const lie = lies(random, clusterId, traitor.id, target.id);

  const stream = await connection.newStream("/blixard/raft/1");
  for (let sent = 0; sent < FRAMES; sent += 1000) {
    const payloads = Array.from({ length: 1000 }, () => encodeMessage(lie()));
    // Well-formed lies. Malformed bytes are refused at the first wrong byte, and are sent below.
    if (sent < 20_000) for (const payload of payloads) decodeMessage(payload);
    if (!stream.send(framed(payloads))) await stream.onDrain();
  }
  // If it resets the stream at the malformed message, it has read all the messages before it.
  const reset = ended(stream);
  stream.send(framed([Uint8Array.of(1, 2, 3)]));
  await reset;
  for (let n = 0; n < RUBBISH_STREAMS; n++) {
    const protocol =
      ["/blixard/raft/1", "/blixard/snapshot/1", "/blixard/call/1", "/blixard/hello/1", "/blixard/join/1"][n % 5] ?? "";
    const rubbish = await connection.newStream(protocol).catch(() => null);
    if (rubbish === null) continue;
    const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 2000) }, () => Math.floor(random() * 256)));
    try {
      rubbish.send(random() < 0.5 ? framed([bytes]) : bytes);
      if (random() < 0.5) await rubbish.close({ signal: AbortSignal.timeout(100) });
    } catch {
      // Reset by the node, as expected.
    }
    rubbish.abort(new Error("done"));
  }
  await serves();
  const after = await target.status();
  expect(after?.members.find(({ id }) => id === traitor.id)?.messages?.received).toBeGreaterThanOrEqual(FRAMES);
  expect(after?.members.filter(({ role }) => role === "voter").map(({ id }) => id)).toEqual(
    expect.arrayContaining([1, 2, 3]),
  );
  for (const node of cluster.nodes.slice(0, 3)) {
    expect(node.runs).toBe(true);
    expect((await node.status())?.node.role).not.toBe("halted");
    // Three times as many messages must not make it larger than this many did.
    expect(node.usage().residentMiB).toBeLessThan(1000);
  }
  await stop();
});

test("a stranger's Raft message changes nothing", { timeout: 60_000 }, async () => {
  const target = await cluster.leader();
  const before = await target.status();
  const { connection, stop } = await dial(await generateKeyPair("Ed25519"), target);
  const lie = lies(randomOf(2), before?.clusterId ?? "", 2, target.id);
  for (let n = 0; n < 20; n++) {
    const stream = await connection.newStream("/blixard/raft/1").catch(() => null);
    if (stream === null) continue;
    try {
      stream.send(framed(Array.from({ length: 50 }, () => encodeMessage(lie()))));
    } catch {
      // Reset, as expected.
    }
  }
  await serves();
  const after = await target.status();
  expect([after?.term, after?.leaderId]).toEqual([before?.term, before?.leaderId]);
  await stop();
});

test("100,000 HTTP bodies of every kind are refused one by one, and the node serves on", {
  timeout: 180_000,
}, async () => {
  const [target] = cluster.nodes;
  if (target === undefined) throw new Error("fixture");
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const random = randomOf(3);
  const valid = JSON.stringify({
    name: "x",
    spec: { vcpus: 2, metadata: { a: "b" } },
    session: { id: 1, sequence: 1, lowestUnacknowledged: 1 },
  });
  const procedures = [
    "vm.create",
    "vm.list",
    "token.create",
    "cluster.leave",
    "events.list",
    "session.open",
    "nonsense",
    "__proto__",
  ];
  const body = (): string => {
    const kind = random();
    if (kind < 0.1) return "[".repeat(Math.floor(random() * 5000));
    if (kind < 0.2) return `{"name":${JSON.stringify("é\u0000".repeat(Math.floor(random() * 200)))}}`;
    if (kind < 0.3) return `{"__proto__":{"name":"x"},"constructor":${Math.floor(random() * 1e9)}}`;
    if (kind < 0.4) return JSON.stringify({ name: random() * 1e308, spec: null });
    const bytes = Buffer.from(valid);
    for (let n = 1 + Math.floor(random() * 4); n > 0; n--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    return bytes.toString("latin1");
  };
  const codes = new Map<number, number>();
  const send = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const name = procedures[Math.floor(random() * procedures.length)] ?? "";
      const sent = request(
        {
          socketPath: target.socketPath,
          agent,
          method: "POST",
          path: `/v1/${name}`,
          headers: { "content-type": "application/json" },
        },
        (response) => {
          const code = response.statusCode ?? 0;
          codes.set(code, (codes.get(code) ?? 0) + 1);
          response.resume();
          response.once("end", resolve);
          response.once("error", reject);
        },
      );
      sent.once("error", reject);
      sent.end(body());
    });
  let left = BODIES;
  const client = async (): Promise<void> => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: 32 }, client));
  agent.destroy();
  expect(codes.get(500)).toBeUndefined();
  expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(BODIES);
  expect(target.usage().residentMiB).toBeLessThan(1000);
  await serves();
});
