/** Questions about images: over which connection they go, who may ask, and how much an answer may hold. */
import { setTimeout as delay } from "node:timers/promises";
import type { Libp2p } from "@libp2p/interface";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { joinFrames } from "../frames/index.ts";
import { Identity } from "../identity/index.ts";
import { Network, type NetworkHandlers } from "./index.ts";
import { IMAGE_LIMIT_BYTES, PROTOCOLS } from "./protocols.ts";
import { handlersWith } from "./testing/index.ts";
import { createTransport, multiaddrOf, type TransportKind } from "./transport.ts";

const LIMIT_MS = 5000;
const NEVER = new AbortController().signal;

const networks: Network[] = [];
const strangers: Libp2p[] = [];
afterEach(async () => {
  await Promise.all(strangers.splice(0).map(async (stranger) => await stranger.stop()));
  await Promise.all(networks.splice(0).map((network) => network.stop(500)));
});

async function start(identity: Identity, nodeId: number, transport: TransportKind, handlers: NetworkHandlers) {
  const own = { identity, nodeId, bind: "127.0.0.1:0", transport, handlers, addresses: [] };
  const network = await Network.start({ ...own, log: pino({ level: "silent" }), clusterId: "test", incarnation: 0 });
  networks.push(network);
  return { network, address: `127.0.0.1:${network.boundPort}` };
}

/** Answers as many bytes as it is asked for, and notes who asks. */
function giving(asked: string[]): NetworkHandlers["image"] {
  return (from, question) => {
    asked.push(from);
    return Promise.resolve(new Uint8Array(Number(new TextDecoder().decode(question))));
  };
}

/** A server, and a worker that is no member: it connects to the server, and the server not to it. */
async function serverAndWorker(transport: TransportKind) {
  const [server, worker] = [await Identity.generate(), await Identity.generate()];
  const asked = { server: [] as string[], worker: [] as string[] };
  const ofServer = await start(
    server,
    1,
    transport,
    handlersWith({ workers: [worker.peerId] }, { image: giving(asked.server) }),
  );
  const ofWorker = await start(
    worker,
    2,
    transport,
    handlersWith({}, { isServer: (peerId) => peerId === server.peerId, image: giving(asked.worker), workers: null }),
  );
  ofWorker.network.setPeers([{ id: 1, peerId: server.peerId, addresses: [ofServer.address] }]);
  while (ofWorker.network.status()[0]?.connected !== true) await delay(5);
  return { server, worker, ofServer, ofWorker, asked };
}

async function answerLength(network: Network, to: string, bytes: number, signal = NEVER): Promise<number> {
  return (await network.askForImage(to, new TextEncoder().encode(`${bytes}`), LIMIT_MS, signal)).length;
}

describe.each<TransportKind>(["quic", "tcp"])("over %s", (transport) => {
  test("a worker asks its server and the server the worker, over the one connection that there is", async () => {
    const { server, worker, ofServer, ofWorker, asked } = await serverAndWorker(transport);
    const chunk = 1024 * 1024 + 1;
    const [there, back] = await Promise.all([
      answerLength(ofServer.network, worker.peerId, chunk),
      answerLength(ofWorker.network, server.peerId, chunk),
    ]);
    expect({ there, back, asked }).toEqual({
      there: chunk,
      back: chunk,
      asked: { server: [worker.peerId], worker: [server.peerId] },
    });
    expect([...ofServer.network.connected()]).toEqual([worker.peerId]);
  });

  test("an answer that is too long, one that nobody waits for, and one from a peer that is not there", async () => {
    const { server, ofServer, ofWorker } = await serverAndWorker(transport);
    await expect(answerLength(ofWorker.network, server.peerId, IMAGE_LIMIT_BYTES + 1)).rejects.toThrow("a frame of");
    const end = new AbortController();
    end.abort(new Error("given up"));
    await expect(answerLength(ofWorker.network, server.peerId, 1, end.signal)).rejects.toMatchObject({
      name: "NetworkError",
    });
    await expect(answerLength(ofServer.network, "nobody", 1)).rejects.toMatchObject({ kind: "notConnected" });
    expect(await answerLength(ofWorker.network, server.peerId, 1)).toBe(1);
  });

  test("answers that have come are kept by nobody, however long they might have taken", {
    timeout: 60_000,
  }, async () => {
    const { server, ofWorker } = await serverAndWorker(transport);
    const question = new TextEncoder().encode(`${1024 * 1024}`);
    let most = 0;
    for (let n = 0; n < 400; n++) {
      await ofWorker.network.askForImage(server.peerId, question, 600_000, NEVER);
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    // A part of what has come, and of what the other end, which is in this process too, has sent.
    expect(most / 2 ** 20).toBeLessThan(250);
  });

  test("a stranger is told nothing, neither by a server nor by a worker", async () => {
    const { ofServer, ofWorker, asked } = await serverAndWorker(transport);
    for (const { address } of [ofServer, ofWorker]) {
      const { privateKey } = await Identity.generate();
      const stranger = await createTransport({ privateKey, kind: transport, listen: [], gater: {} });
      strangers.push(stranger);
      const [host = "", port = ""] = address.split(":");
      const connection = await stranger.dial(await multiaddrOf(host, Number(port), transport));
      const stream = await connection.newStream(PROTOCOLS.image).catch(() => null);
      if (stream === null) continue;
      let told = 0;
      stream.addEventListener("message", () => {
        told++;
      });
      try {
        stream.send(joinFrames([new TextEncoder().encode("100")]));
      } catch {
        // It was reset already.
      }
      while (stream.remoteWriteStatus !== "closed" && stream.status === "open") await delay(5);
      expect(told).toBe(0);
    }
    expect(asked).toEqual({ server: [], worker: [] });
  });
});
