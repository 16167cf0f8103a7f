/**
 * The API over HTTP: on a Unix socket for the operator of this host, and, if configured, on TCP for holders of a
 * token.
 */
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { Identify } from "./admission.ts";
import { type AppOptions, appOf } from "./app.ts";
import type { Caller } from "./call-context.ts";
import type { ConsoleSource } from "./console-source.ts";
import { asksForConsole, serveConsoles } from "./console-upgrade.ts";
import type { Environment } from "./http-call.ts";
import { listenOnSocket, listenOnTcp } from "./listen.ts";
import type { Streams } from "./streams.ts";

const CONNECTIONS_MAX = 2048;

export interface ApiOptions extends AppOptions {
  readonly consoles: ConsoleSource;
  readonly socketPath: string;
  /** host:port; null: none. */
  readonly tcpBind: string | null;
  /** The holder of this bearer token; null: nobody. */
  authenticate(bearer: string): Caller | null;
}

export interface ApiServer {
  readonly tcpAddress: string | null;
  /** Takes no more requests. Those that are under way get this much time. */
  stop(limitMs: number): Promise<void>;
}

export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const stopping = new AbortController();
  const streams: Streams = { open: 0 };
  const serverFor = (identify: Identify): Server => {
    const server = serverOf(appOf(options, identify, stopping.signal, streams));
    const { consoles, log } = options;
    serveConsoles(server, { consoles, log, stopping: stopping.signal, streams, identify });
    return server;
  };
  const local = serverFor(() => ({ kind: "local" }));
  await listenOnSocket(local, options.socketPath);
  const servers = [local];
  let tcpAddress: string | null = null;
  if (options.tcpBind !== null) {
    const tcp = serverFor((bearer) => (bearer === null ? null : options.authenticate(bearer)));
    try {
      tcpAddress = await listenOnTcp(tcp, options.tcpBind);
    } catch (error) {
      await closed(local);
      throw error;
    }
    servers.push(tcp);
  }
  return {
    tcpAddress,
    async stop(limitMs) {
      const ended = Promise.all(servers.map(closed));
      stopping.abort();
      for (const server of servers) server.closeIdleConnections();
      const limit = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, limitMs);
      await ended;
      clearTimeout(limit);
      rmSync(options.socketPath, { force: true });
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function serverOf(app: Hono<Environment>): Server {
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 60_000,
      maxHeaderSize: 16 * 1024,
      shouldUpgradeCallback: asksForConsole,
    },
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}
