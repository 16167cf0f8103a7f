/**
 * A node that only works: no member, no log, no vote. It keeps a connection to one server, reports there, and goes to another when no answer comes; servers tell it
 * where they all are.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { HostFacts, NodeId, PeerId } from "../../core/index.ts";
import { NodeStartError } from "../errors/index.ts";
import { Identity } from "../identity/index.ts";
import { JoinRefused, refuse, requestWorkerAdmission } from "../join/index.ts";
import { Network, NetworkError } from "../network/index.ts";
import { InvalidToken } from "../tokens/index.ts";
import { probeFacts, WorkerHost } from "../worker/index.ts";
import { chosen, DEFAULT_SETTINGS, hintFor, identityPath, loadIdentity, unusable } from "./life.ts";
import { createLogger } from "./logging.ts";
import type { NodeOptions } from "./options.ts";
import type { NodeEnd, RunningNode } from "./running-node.ts";
import { decodeServers } from "./servers.ts";
import { type WorkerSettings, WorkerStore, WorkerStoreError } from "./worker-store.ts";

/** @throws NodeStartError */
export async function startWorkerNode(options: NodeOptions): Promise<RunningNode> {
  const store = openStore(options.dataDir);
  try {
    const stored = store.read();
    const log = createLogger(options.log, stored?.nodeId ?? options.nodeId);
    const { settings, identity } =
      stored === null ? await begin(options, store, log) : await goOn(options, store, stored, log);
    const facts = await probeFacts(options.dataDir, settings.worker, null);
    return await WorkerNode.start({ dataDir: options.dataDir, store, settings, identity, facts, log });
  } catch (error) {
    store.close();
    if (error instanceof WorkerStoreError) throw storeFailed(error);
    if (error instanceof NetworkError) throw new NodeStartError(error.message, error.hint);
    throw error;
  }
}

function openStore(dataDir: string): WorkerStore {
  if (existsSync(join(dataDir, "blixard.db")))
    throw new NodeStartError(
      `${dataDir} holds a member of a cluster, which works too unless it was told not to`,
      "leave --worker-only away, or give an empty --data-dir",
    );
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(dataDir, error);
  }
  try {
    return WorkerStore.open(dataDir);
  } catch (error) {
    if (error instanceof WorkerStoreError) throw storeFailed(error);
    throw error;
  }
}

function storeFailed(error: WorkerStoreError): NodeStartError {
  return new NodeStartError(
    error.message,
    "stop the other process, or mend the directory; a worker that has lost it joins again with an empty one, under a new id",
  );
}

interface Begun {
  readonly settings: WorkerSettings;
  readonly identity: Identity;
}

async function goOn(options: NodeOptions, store: WorkerStore, stored: WorkerSettings, log: Logger): Promise<Begun> {
  const { dataDir, nodeId } = options;
  if (nodeId !== null && nodeId !== stored.nodeId)
    throw new NodeStartError(
      `${dataDir} belongs to worker ${stored.nodeId}, not ${nodeId}`,
      "leave --id away, or give another --data-dir: an id is bound to its directory for ever",
    );
  refuseWhatMembersHave(options);
  if (options.join !== null)
    log.warn("this worker has joined already: --join is not needed any more and has no effect");
  const identity = loadIdentity(dataDir);
  const { bind, advertise, transport, worker } = await chosen(options, { ...DEFAULT_SETTINGS, ...stored });
  const settings: WorkerSettings = { ...stored, bind, advertise, transport, worker };
  if (JSON.stringify(settings) !== JSON.stringify(stored)) store.save(settings);
  return { settings, identity };
}

async function begin(options: NodeOptions, store: WorkerStore, log: Logger): Promise<Begun> {
  const { dataDir, nodeId, join: joining, workerOnly } = options;
  // A join that was cut off leaves such a directory: whoever leaves the flag out must not get another kind of node than they ask for.
  if (!workerOnly)
    throw new NodeStartError(
      `${dataDir} was begun as that of a node that only works`,
      "give --worker-only as well, or an empty --data-dir",
    );
  const path = identityPath(dataDir);
  const hadIdentity = existsSync(path);
  try {
    refuseWhatMembersHave(options);
    if (nodeId === null || joining === null)
      throw new NodeStartError(
        `${dataDir} holds no worker yet, so this one has to join`,
        "give --worker-only --id N --join ADDRESS --token TOKEN; `blixard token create` on a member makes a token",
      );
    const { bind, advertise, transport, worker } = await chosen(options, DEFAULT_SETTINGS);
    // Before anybody is asked: what is wrong with it must cost no token.
    await probeFacts(dataDir, worker, null);
    const identity = hadIdentity ? loadIdentity(dataDir) : await Identity.generate();
    // Kept before it is shown to anybody: if the answer is lost, the same request is made again by the same identity.
    if (!hadIdentity) identity.save(path);
    const asked = { identity, nodeId, transport, addresses: joining.addresses, advertise, token: joining.token };
    const { clusterId, incarnation, servers } = await requestWorkerAdmission(asked);
    const chosenHere = { bind, advertise, transport, worker };
    const settings: WorkerSettings = { version: 1, clusterId, incarnation, nodeId, ...chosenHere, servers };
    store.save(settings);
    log.info({ clusterId }, "admitted to the cluster as a worker");
    return { settings, identity };
  } catch (error) {
    store.remove();
    if (!(error instanceof JoinRefused || error instanceof InvalidToken)) throw error;
    // A refusal leaves nothing behind. With `notNow` the cluster may know this identity already.
    const isFinal = error instanceof InvalidToken || error.kind !== "notNow";
    if (isFinal && !hadIdentity) rmSync(path, { force: true });
    throw new NodeStartError(`cannot join: ${error.message}`, hintFor(error));
  }
}

/** What a node can be told that has a log, and an API. */
function refuseWhatMembersHave({ bootstrap, replaceFromPeers, apiBind, record, works, raft }: NodeOptions): void {
  const wrong = [
    bootstrap ? "--bootstrap" : null,
    replaceFromPeers ? "--replace-from-peers" : null,
    apiBind === null ? null : "--api-bind",
    record === null ? null : "--record",
    works === false ? "--no-worker" : null,
    Object.keys(raft).length === 0 ? null : "--election-timeout and --heartbeat",
  ].find((flag) => flag !== null);
  if (wrong !== undefined)
    throw new NodeStartError(`a node that only works has no use for ${wrong}`, "leave it away, or use it on a member");
}

interface WorkerNodeParts {
  readonly dataDir: string;
  readonly store: WorkerStore;
  readonly settings: WorkerSettings;
  readonly identity: Identity;
  readonly facts: HostFacts;
  readonly log: Logger;
}

class WorkerNode implements RunningNode {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly peerId: PeerId;
  readonly addresses: readonly string[];
  readonly socketPath = null;
  readonly apiAddress = null;
  /** By itself it ends only when it has been removed, and nothing of it is left on its host. */
  readonly ended: Promise<NodeEnd>;
  readonly #end: (end: NodeEnd) => void;
  readonly #store: WorkerStore;
  readonly #log: Logger;
  #settings: WorkerSettings;
  #network: Network | null = null;
  #worker: WorkerHost | null = null;
  /** Whom it is connected to, or about to be. */
  #server: NodeId | null = null;
  #stopping: Promise<void> | null = null;

  private constructor({ store, settings, identity, log }: WorkerNodeParts) {
    this.nodeId = settings.nodeId;
    this.clusterId = settings.clusterId;
    this.peerId = identity.peerId;
    this.addresses = settings.advertise;
    this.#settings = settings;
    this.#store = store;
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<NodeEnd>();
    this.ended = promise;
    this.#end = resolve;
  }

  static async start(parts: WorkerNodeParts): Promise<WorkerNode> {
    const node = new WorkerNode(parts);
    try {
      await node.#start(parts);
      return node;
    } catch (error) {
      await node.stop(0);
      throw error;
    }
  }

  async #start({ dataDir, identity, facts, log }: WorkerNodeParts): Promise<void> {
    const { nodeId, clusterId, incarnation, bind, transport, servers } = this.#settings;
    const network = await Network.start({
      identity,
      nodeId,
      clusterId,
      incarnation,
      bind,
      transport,
      log,
      handlers: {
        // Nobody has anything to say to it but what it has asked for.
        isMember: () => false,
        message: () => undefined,
        workers: null,
        toldServers: (from, list) => this.#toldServers(from, list),
        toldRemoved: (from) => this.#toldRemoved(from),
        introduction: () => null,
        call: () => Promise.reject(new Error("a worker answers no calls")),
        join: () => Promise.resolve(refuse("notMember", "this node only works: ask a member of the cluster")),
      },
    });
    this.#network = network;
    this.#worker = await WorkerHost.start({
      workerId: nodeId,
      dataDir,
      facts,
      driver: null,
      servers: servers.map(({ id }) => id),
      log,
      report: async (to, report) => await this.#report(to, report),
      ended: () => {
        log.warn("this worker has been removed from the cluster: nothing of it is left here");
        this.#end({ kind: "removed" });
      },
    });
    log.info({ clusterId, peerId: this.peerId, addresses: this.addresses, transport, role: "worker" }, "node is up");
  }

  async #report(to: NodeId, report: Uint8Array): Promise<Uint8Array | null> {
    const server = this.#settings.servers.find(({ id }) => id === to);
    if (server === undefined || this.#network === null) return null;
    if (this.#server !== to) {
      this.#server = to;
      this.#network.setPeers([server]);
    }
    return await this.#network.report(server.peerId, report);
  }

  #toldServers(from: PeerId, list: Uint8Array): void {
    const servers = decodeServers(list);
    if (servers === null || servers.length === 0) {
      this.#log.warn({ from }, "a server has told where the servers are, in words that cannot be read");
      return;
    }
    if (JSON.stringify(servers) === JSON.stringify(this.#settings.servers)) return;
    this.#settings = { ...this.#settings, servers };
    this.#log.info({ servers: servers.map(({ id }) => id) }, "the servers have changed");
    try {
      this.#store.save(this.#settings);
    } catch (error) {
      this.#log.error({ err: error }, "the addresses of the servers could not be stored");
    }
    const current = servers.find(({ id }) => id === this.#server);
    this.#network?.setPeers(current === undefined ? [] : [current]);
    if (current === undefined) this.#server = null;
  }

  #toldRemoved(from: PeerId): void {
    this.#log.debug({ from }, "a server says that this worker has been removed");
    this.#worker?.removed();
  }

  async stop(limitMs: number): Promise<void> {
    this.#stopping ??= this.#stop(limitMs);
    await this.#stopping;
  }

  async #stop(limitMs: number): Promise<void> {
    await Promise.race([this.#worker?.stop(), delay(limitMs / 2, null, { ref: false })]);
    await this.#network?.stop(limitMs / 2 + 100);
    this.#store.close();
    this.#log.info("node has stopped");
    this.#log.flush();
  }
}
