/**
 * The real storage, network and loop keep the contract that the simulator keeps too
 * (runtime-sim/run/runtime-contract.test.ts), while nodes stop and start.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS, Node, type NodeId } from "../../core/index.ts";
import { RuntimeContract } from "../../core/testing/index.ts";
import { CoreLoop, realRuntime } from "../core-loop/index.ts";
import { Identity } from "../identity/index.ts";
import { Network, withPort } from "../network/index.ts";
import { Storage } from "../storage/index.ts";
import { DEFAULT_WORKER } from "../worker/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Member {
  readonly id: NodeId;
  readonly identity: Identity;
  readonly address: string;
}

/** A core with real storage and network, without the rest of a node. */
class Place {
  readonly member: Member;
  readonly node: Node;
  readonly loop: CoreLoop;
  readonly #network: Network;
  readonly #storage: Storage;

  private constructor(member: Member, node: Node, loop: CoreLoop, network: Network, storage: Storage) {
    this.member = member;
    this.node = node;
    this.loop = loop;
    this.#network = network;
    this.#storage = storage;
  }

  static async start(
    member: Member,
    members: readonly Member[],
    transport: "quic" | "tcp",
    contract: RuntimeContract,
    folder: string,
  ): Promise<Place> {
    const { id, identity, address } = member;
    const dataDir = join(folder, `${id}`);
    const { mkdirSync } = await import("node:fs");
    mkdirSync(dataDir, { recursive: true });
    const storage = await Storage.open(dataDir);
    if (storage.restored === null) {
      const genesis = Node.genesis(
        "contract",
        0,
        members.map((each) => ({ id: each.id, peerId: each.identity.peerId })),
      );
      const settings = {
        clusterId: "contract",
        incarnation: 0,
        nodeId: id,
        bind: address,
        advertise: [address],
        transport,
        apiBind: null,
        works: false,
        worker: DEFAULT_WORKER,
        replaces: null,
        peers: [],
      };
      await storage.initialise(genesis, settings);
    }
    const { restored } = storage;
    if (restored === null) throw new Error("nothing was stored");
    const options = {
      ...DEFAULT_RAFT_OPTIONS,
      snapshotAfterEntries: 100,
      snapshotEveryEntries: 50,
      electionTimeoutMs: 300,
      heartbeatMs: 30,
    };
    const stamp = { nowMs: performance.now(), wallMs: Date.now() };
    const node = new Node(id, options, realRuntime(identity), restored, stamp);
    const network = await Network.start({
      ...{
        identity,
        nodeId: id,
        clusterId: "contract",
        incarnation: 0,
        bind: address,
        addresses: [address],
        transport,
        log: pino({ level: "silent" }),
      },
      handlers: {
        message: (from, message) => loop.message(from, message),
        toldAddresses: () => undefined,
        isMember: (peerId) => node.isMember(peerId),
        isServer: (peerId) => node.isMember(peerId),
        image: (_, question) => Promise.resolve(question),
        channel: (channel) => channel.close(),
        workers: null,
        toldServers: () => undefined,
        toldRoutes: () => undefined,
        toldRemoved: () => undefined,
        introduction: () => null,
        call: (_, request) => Promise.resolve(request),
        join: (_, request) => Promise.resolve(request),
      },
    });
    const first = node.start();
    contract.booted(identity.peerId, restored, stamp, first);
    const loop: CoreLoop = new CoreLoop(
      { start: () => first, step: (input) => node.step(input) },
      {
        send: (to, message) => network.send(to, message),
        write: (write) => storage.write(write),
        nowMs: () => performance.now(),
        wallMs: Date.now,
        evidence: () => undefined,
        halted: (reason) => {
          throw new Error(reason);
        },
        stepped: (input, effects) => contract.stepped(identity.peerId, input, effects),
      },
    );
    storage.listen({
      written: (writeId) => loop.written(writeId),
      failed: (writeId, reason) => loop.writeFailed(writeId, reason),
    });
    network.setPeers(
      members
        .filter((each) => each.id !== id)
        .map((each) => ({ id: each.id, peerId: each.identity.peerId, addresses: [each.address] })),
    );
    loop.start();
    return new Place(member, node, loop, network, storage);
  }

  async stop(): Promise<void> {
    this.loop.stop();
    await this.#network.stop(10_000);
    await this.#storage.close();
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test.each(["quic", "tcp"] as const)(
  "the real runtime over %s keeps the contract, while nodes stop and start",
  { timeout: 60_000 },
  async (transport) => {
    // Long enough for a busy machine. What matters is a wake that does not come at all.
    const contract = new RuntimeContract({ network: "ordered", latenessMs: 5000 });
    const members = await Promise.all(
      [1, 2, 3].map(async (id) => ({
        id,
        identity: await Identity.generate(),
        address: await withPort("127.0.0.1:0", transport),
      })),
    );
    const places = await Promise.all(
      members.map((member) => Place.start(member, members, transport, contract, folder)),
    );
    for (let round = 0; round < 6; round++) {
      await until(() => places.some(({ node }) => node.role === "leader" && node.commitIndex >= 1));
      const applied: Promise<unknown>[] = [];
      for (let n = 0; n < 60; n++) {
        const place = places[n % 3];
        const name = `vm-${randomUUID().slice(0, 8)}`;
        const command = { kind: "openSession", clientToken: name } as const;
        if (place !== undefined)
          applied.push(place.loop.request({ kind: "propose", request: { session: null, command } }));
      }
      await Promise.all(applied);
      const at = round % 3;
      const [old] = places.splice(at, 1);
      if (old === undefined) throw new Error("fixture");
      await old.stop();
      places.splice(at, 0, await Place.start(old.member, members, transport, contract, folder));
    }
    await until(
      () =>
        new Set(places.map(({ node }) => node.appliedIndex)).size === 1 &&
        places.some(({ node }) => node.role === "leader"),
    );
    await Promise.all(places.map((place) => place.stop()));
    expect(contract.violations).toEqual([]);
    expect(contract.counts).toMatchObject({ boots: 9 });
    expect(contract.counts.messages).toBeGreaterThan(300);
    expect(contract.counts.writes).toBeGreaterThan(30);
    expect(contract.counts.wakes).toBeGreaterThan(10);
  },
);
