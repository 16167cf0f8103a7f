/** Channels between nodes: which connection they take, who may open one, and what a peer that breaks the rules gets. */
import { setTimeout as delay } from "node:timers/promises";
import type { Libp2p } from "@libp2p/interface";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { Identity } from "../identity/index.ts";
import type { Channel } from "./channel.ts";
import { Network, type NetworkHandlers } from "./index.ts";
import { CHANNEL_LIMIT_BYTES, PROTOCOLS } from "./protocols.ts";
import { handlersWith } from "./testing/index.ts";
import { createTransport, multiaddrOf, type TransportKind } from "./transport.ts";

const networks: Network[] = [];
const strangers: Libp2p[] = [];
afterEach(async () => {
  await Promise.all(strangers.splice(0).map(async (stranger) => await stranger.stop()));
  await Promise.all(networks.splice(0).map((network) => network.stop(500)));
});

async function start(identity: Identity, nodeId: number, transport: TransportKind, handlers: NetworkHandlers) {
  const bind = "127.0.0.1:0";
  const own = { identity, nodeId, bind, transport, handlers, addresses: [], log: pino({ level: "silent" }) };
  const network = await Network.start({ ...own, clusterId: "test", incarnation: 0 });
  networks.push(network);
  return { network, address: `127.0.0.1:${network.boundPort}` };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

class Heard {
  readonly frames: string[] = [];
  bytes = 0;
  isClosed = false;
  answers: Channel | null = null;

  frame(frame: Uint8Array): void {
    this.bytes += frame.length;
    if (frame.length < 100) this.frames.push(new TextDecoder().decode(frame));
    this.answers?.send(frame.toReversed());
  }

  closed(): void {
    this.isClosed = true;
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A server, and a worker that is no member: it connects to the server, and the server not to it. */
async function serverAndWorker(transport: TransportKind) {
  const [server, worker] = [await Identity.generate(), await Identity.generate()];
  const atWorker = new Heard();
  const opened: Channel[] = [];
  const ofServer = await start(server, 1, transport, handlersWith({ workers: [worker.peerId] }));
  const ofWorker = await start(worker, 2, transport, {
    ...handlersWith({}),
    isServer: (peerId) => peerId === server.peerId,
    channel: (channel) => {
      opened.push(channel);
      atWorker.answers = channel;
      channel.listen(atWorker);
    },
  });
  ofWorker.network.setPeers([{ id: 1, peerId: server.peerId, addresses: [ofServer.address] }]);
  await until(() => ofWorker.network.status()[0]?.connected === true);
  return { server, worker, ofServer, ofWorker, atWorker, opened };
}

describe.each<TransportKind>(["quic", "tcp"])("over %s", (transport) => {
  test("a server reaches a worker over the connection that the worker has opened", async () => {
    const { worker, ofServer, atWorker } = await serverAndWorker(transport);
    const heard = new Heard();
    const channel = await ofServer.network.channel(worker.peerId);
    channel.listen(heard);
    for (const text of ["abc", "", "defg"]) channel.send(bytes(text));
    await until(() => heard.frames.length === 3);
    expect({ there: atWorker.frames, back: heard.frames }).toEqual({
      there: ["abc", "", "defg"],
      back: ["cba", "", "gfed"],
    });
    channel.close();
    await until(() => atWorker.isClosed);
    channel.send(bytes("too late"));
  });

  test("what was sent before the end still comes, and the other end learns of the end", async () => {
    const { worker, ofServer, opened, atWorker } = await serverAndWorker(transport);
    const heard = new Heard();
    const channel = await ofServer.network.channel(worker.peerId);
    channel.listen(heard);
    channel.send(bytes("hello"));
    await until(() => atWorker.frames.length === 1);
    for (let n = 0; n < 8; n++) opened[0]?.send(new Uint8Array(32 * 1024));
    opened[0]?.close();
    await until(() => heard.isClosed);
    expect(heard.bytes).toBe("hello".length + 8 * 32 * 1024);
  });

  test("when the connection is lost, both ends learn of it, and there is no channel to somebody who is gone", async () => {
    const { worker, ofServer, ofWorker } = await serverAndWorker(transport);
    const heard = new Heard();
    const channel = await ofServer.network.channel(worker.peerId);
    channel.listen(heard);
    await ofWorker.network.stop(200);
    await until(() => heard.isClosed);
    await expect(ofServer.network.channel(worker.peerId)).rejects.toMatchObject({ kind: "notConnected" });
  });

  test("a worker takes no channel from its server that another node claims to be", async () => {
    const { server, worker, ofWorker, opened } = await serverAndWorker(transport);
    const stranger = await createTransport({
      privateKey: (await Identity.generate()).privateKey,
      kind: transport,
      listen: [],
      gater: {},
    });
    strangers.push(stranger);
    const [host = "", port = ""] = ofWorker.address.split(":");
    const connection = await stranger.dial(await multiaddrOf(host, Number(port), transport));
    expect(connection.remotePeer.toString()).toBe(worker.peerId);
    expect(stranger.peerId.toString()).not.toBe(server.peerId);
    const stream = await connection.newStream(PROTOCOLS.console).catch(() => null);
    if (stream !== null) await until(() => stream.remoteWriteStatus === "closed" || stream.status !== "open");
    expect(opened).toEqual([]);
  });

  test("a frame that is too long ends the channel", async () => {
    const { worker, ofServer, opened, atWorker } = await serverAndWorker(transport);
    const channel = await ofServer.network.channel(worker.peerId);
    const heard = new Heard();
    channel.listen(heard);
    channel.send(new Uint8Array(CHANNEL_LIMIT_BYTES + 1));
    await until(() => heard.isClosed);
    expect({ opened: opened.length, bytes: atWorker.bytes }).toEqual({ opened: 1, bytes: 0 });
  });
});
