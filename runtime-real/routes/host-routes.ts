/**
 * The routes of this host to guests on other hosts: brought to what is wanted, and held there. They carry a protocol
 * number of blixard's and a metric of the cluster, so what an earlier process has left is found, and nobody else's
 * route is touched. All nodes of a cluster that share a host want the same. The metric is higher than that of the
 * route to a guest's own device: while a guest is here, that one is used.
 */
import { networkInterfaces } from "node:os";
import { crc32 } from "node:zlib";
import type { Logger } from "pino";
import { z } from "zod";
import { IpError, ipBatch, ipJson, ROUTE_PROTOCOL } from "../iproute/index.ts";

/** Lines of one call of `ip`. */
const BATCH_LINES = 1000;
/** When an interface goes down its routes go with it: so the routes are looked at again from time to time. */
const REVIEW_MS = 10_000;
const RETRY_MS = { first: 500, max: 30_000 } as const;
/** The host has no `ip`, or this process may not use it. */
const HOPELESS_RETRY_MS = 600_000;

const METRIC_MIN = 1_000_000;
const METRIC_SPAN = 2_000_000_000;

const routesSchema = z.array(
  z.object({
    dst: z.string(),
    gateway: z.string().optional(),
    protocol: z.string().optional(),
    metric: z.int().optional(),
  }),
);

type Hops = ReadonlyMap<string, string>;

const FAMILIES = ["-4", "-6"] as const;

export interface HostRoutesParts {
  readonly clusterId: string;
  readonly log: Pick<Logger, "info" | "warn">;
  /** For tests, as is the next. */
  readonly reviewMs?: number;
  /** Options of `ip`, such as the network namespace. */
  readonly ipOptions?: readonly string[];
}

export class HostRoutes {
  readonly #metric: number;
  readonly #log: HostRoutesParts["log"];
  readonly #reviewMs: number;
  readonly #ipOptions: readonly string[];
  #wanted: Hops = new Map();
  /** Null: they have to be read. */
  #present: Map<string, string> | null = null;
  #running: Promise<void> | null = null;
  #isStale = false;
  #timer: NodeJS.Timeout | null = null;
  #retryMs: number = RETRY_MS.first;
  /** So that one trouble is told once. */
  #lastTrouble = "";
  #isStopped = false;

  constructor({ clusterId, log, reviewMs = REVIEW_MS, ipOptions = [] }: HostRoutesParts) {
    this.#metric = METRIC_MIN + (crc32(clusterId) % METRIC_SPAN);
    this.#log = log;
    this.#reviewMs = reviewMs;
    this.#ipOptions = ipOptions;
  }

  /** By address of a guest, where packets for it go next. From now on these, and no others. */
  want(hops: Hops): void {
    this.#wanted = hops;
    this.#start();
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** They stay as they are: traffic goes on while the node does not run. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.settled();
  }

  #start(): void {
    if (this.#isStopped) return;
    this.#isStale = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    while (this.#isStale && !this.#isStopped) {
      this.#isStale = false;
      const startMs = performance.now();
      const nextMs = await this.#sync();
      if (nextMs !== null) this.#wakeIn(Math.max(nextMs, 20 * (performance.now() - startMs)));
    }
  }

  #wakeIn(delayMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#present = null;
      this.#start();
    }, delayMs);
    this.#timer.unref();
  }

  /** Returns in how long the routes are to be looked at again; null: not before others are wanted. */
  async #sync(): Promise<number | null> {
    try {
      const present = this.#present ?? (await this.#read());
      const wanted = this.#reachable();
      const changes = changesBetween(present, wanted);
      await this.#apply(changes);
      this.#present = wanted;
      if (changes.length > 0)
        this.#log.info({ routes: wanted.size, changed: changes.length }, "routes to guests changed");
      this.#retryMs = RETRY_MS.first;
      this.#lastTrouble = "";
      return wanted.size === 0 ? null : this.#reviewMs;
    } catch (error) {
      this.#present = null;
      return this.#failed(error);
    }
  }

  #failed(error: unknown): number | null {
    const isHopeless = error instanceof IpError && (error.isMissing || error.isForbidden);
    const trouble = error instanceof Error ? error.message : String(error);
    // A host where nobody wants a route needs none.
    if (this.#wanted.size > 0 && trouble !== this.#lastTrouble) {
      this.#lastTrouble = trouble;
      this.#log.warn(
        { err: error },
        isHopeless
          ? "no routes to guests on other hosts: this needs iproute2, and root or CAP_NET_ADMIN"
          : "routes to guests on other hosts could not be set: a worker has to be on a network of this host",
      );
    }
    if (isHopeless) return this.#wanted.size === 0 ? null : HOPELESS_RETRY_MS;
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS.max);
    return this.#retryMs;
  }

  /** Those that lead to this host itself are no routes. */
  #reachable(): Map<string, string> {
    const own = new Set(
      Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []),
    );
    return new Map([...this.#wanted].filter(([, hop]) => !own.has(hop)));
  }

  async #read(): Promise<Map<string, string>> {
    const present = new Map<string, string>();
    for (const family of FAMILIES) {
      const routes = await ipJson(
        routesSchema,
        ...this.#ipOptions,
        family,
        ...["route", "show", "table", "main", "proto", `${ROUTE_PROTOCOL}`],
      );
      for (const { dst, gateway, metric } of routes) if (metric === this.#metric) present.set(dst, gateway ?? "");
    }
    return present;
  }

  /** All of them: a worker that is out of reach must not keep others from being reached. */
  async #apply(changes: readonly Change[]): Promise<void> {
    const mark = `proto ${ROUTE_PROTOCOL} metric ${this.#metric}`;
    let failure: unknown = null;
    for (const family of FAMILIES) {
      const lines = changes
        .filter(({ address }) => address.includes(":") === (family === "-6"))
        .map(({ address, hop }) =>
          hop === null ? `route delete ${address} ${mark}` : `route replace ${address} via ${hop} ${mark}`,
        );
      for (let at = 0; at < lines.length; at += BATCH_LINES) {
        try {
          await ipBatch(lines.slice(at, at + BATCH_LINES), ...this.#ipOptions, family);
        } catch (error) {
          failure ??= error;
        }
      }
    }
    if (failure !== null) throw failure;
  }
}

interface Change {
  readonly address: string;
  /** Null: the route goes. */
  readonly hop: string | null;
}

function changesBetween(present: Hops, wanted: Hops): readonly Change[] {
  const changes: Change[] = [];
  for (const address of present.keys()) if (!wanted.has(address)) changes.push({ address, hop: null });
  for (const [address, hop] of wanted) if (present.get(address) !== hop) changes.push({ address, hop });
  return changes;
}
