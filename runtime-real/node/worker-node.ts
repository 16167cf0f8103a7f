/**
 * A running worker that is no member: no log, no vote. It keeps a connection to one server and reports there. If no
 * answer comes, it goes to another; the servers tell it where they all are.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { NodeId, PeerId } from "../../core/index.ts";
import { ConsoleHost, Consoles } from "../consoles/index.ts";
import { NodeStartError } from "../errors/index.ts";
import type { Identity } from "../identity/index.ts";
import { HostImages, type ImagePeers } from "../images/index.ts";
import { refuse } from "../join/index.ts";
import { openDriver } from "../machines/index.ts";
import { Network, NetworkError } from "../network/index.ts";
import { HostRoutes, WorkerRoutes } from "../routes/index.ts";
import { AgentLoop, type Driver, probeFacts } from "../worker/index.ts";
import { createLogger } from "./logging.ts";
import type { NodeOptions } from "./options.ts";
import type { NodeEnd, RunningNode } from "./running-node.ts";
import { decodeServers } from "./servers.ts";
import { joinAsWorker, openWorkerStore, resumeWorker, storeFailed } from "./worker-data-directory.ts";
import { type WorkerSettings, type WorkerStore, WorkerStoreError } from "./worker-store.ts";

/** @throws NodeStartError */
export async function startWorkerNode(options: NodeOptions): Promise<RunningNode> {
  const store = openWorkerStore(options.dataDir);
  try {
    const stored = store.read();
    const log = createLogger(options.log, stored?.nodeId ?? options.nodeId);
    const { settings, identity } =
      stored === null ? await joinAsWorker(options, store, log) : await resumeWorker(options, store, stored, log);
    return await WorkerNode.start({ dataDir: options.dataDir, store, settings, identity, log });
  } catch (error) {
    store.close();
    if (error instanceof WorkerStoreError) throw storeFailed(error);
    if (error instanceof NetworkError) throw new NodeStartError(error.message, error.hint);
    throw error;
  }
}

interface WorkerNodeParts {
  readonly dataDir: string;
  readonly store: WorkerStore;
  readonly settings: WorkerSettings;
  readonly identity: Identity;
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
  #worker: AgentLoop | null = null;
  #routes: WorkerRoutes | null = null;
  #isRemoved = false;
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

  async #start({ dataDir, identity, log }: WorkerNodeParts): Promise<void> {
    const { nodeId, clusterId, incarnation, bind, transport, servers } = this.#settings;
    let driver: Driver | null = null;
    const consoles = new Consoles({
      workerId: nodeId,
      host: new ConsoleHost({ workerId: nodeId, driver: () => driver }),
      // It speaks for no other host.
      open: () => Promise.reject(new Error("a worker asks no peers")),
      peerIdOf: () => null,
      patienceMs: 0,
      members: () => [],
    });
    const routes = new WorkerRoutes({ nodeId, host: new HostRoutes({ clusterId, log }), log });
    this.#routes = routes;
    const images = new HostImages(dataDir, this.#imagePeers(), log);
    const network = await Network.start({
      identity,
      nodeId,
      clusterId,
      incarnation,
      bind,
      addresses: this.addresses,
      transport,
      log,
      handlers: {
        // It takes nothing from peers but answers to its own reports, and what servers ask of consoles and images.
        isMember: () => false,
        isServer: (peerId) => this.#settings.servers.some((server) => server.peerId === peerId),
        channel: (channel) => consoles.answer(channel),
        image: async (from, question, signal) => await images.exchange.answer(from, question, signal),
        message: () => undefined,
        toldAddresses: () => undefined,
        workers: null,
        toldServers: (from, list) => this.#toldServers(from, list),
        toldRoutes: (_, news) => routes.told(news),
        toldRemoved: (from) => this.#toldRemoved(from),
        introduction: () => null,
        call: () => Promise.reject(new Error("a worker answers no calls")),
        join: () => Promise.resolve(refuse("notMember", "this node only works: ask a member of the cluster")),
      },
    });
    this.#network = network;
    const { worker } = this.#settings;
    driver = await openDriver({ dataDir, options: worker, images, owner: { clusterId, workerId: nodeId }, log });
    this.#worker = await AgentLoop.start({
      workerId: nodeId,
      dataDir,
      facts: await probeFacts(dataDir, worker, driver?.features ?? [], this.addresses),
      driver,
      servers: servers.map(({ id }) => id),
      log,
      report: async (to, report) => await this.#report(to, report),
      ended: () => {
        log.warn("this worker has been removed from the cluster: nothing of it is left here");
        this.#isRemoved = true;
        this.#end({ kind: "removed" });
      },
      startedByHand: (vm) =>
        log.warn({ vm }, `somebody has started the unit of a VM on a host that is no member: blixard vm start ${vm}`),
      halted: (reason) => this.#end({ kind: "halted", reason }),
    });
    log.info({ clusterId, peerId: this.peerId, addresses: this.addresses, transport, role: "worker" }, "node is up");
  }

  /** It gets images over the server that it is connected to, and gives its own to that server. */
  #imagePeers(): ImagePeers {
    return {
      isMember: false,
      isMemberOfCluster: (peerId) => this.#settings.servers.some((server) => server.peerId === peerId),
      ask: async (to, question, limitMs, signal) => {
        if (this.#network === null) throw new Error("the network is not up");
        return await this.#network.askForImage(to, question, limitMs, signal);
      },
      members: () => this.#settings.servers.flatMap(({ id, peerId }) => (id === this.#server ? [peerId] : [])),
      workers: () => [],
    };
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
    await Promise.race([this.#routes?.stop(this.#isRemoved), delay(limitMs / 2, null, { ref: false })]);
    await this.#network?.stop(limitMs / 2 + 100);
    this.#store.close();
    this.#log.info("node has stopped");
    this.#log.flush();
  }
}
