/** The procedures over HTTP: on a Unix socket for the operator of this host, and over TCP, where it is configured, for whoever holds a token. */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import type { Logger } from "pino";
import type { ClusterEvent } from "../../core/index.ts";
import { API_ERRORS, ApiError } from "../errors/index.ts";
import { parseAddress } from "../network/index.ts";
import { type CallContext, type Caller, dispatch, type Handlers } from "./dispatch.ts";
import { openApiDocument } from "./openapi.ts";

/** Where the stream of events comes from: this node's own state. */
export interface EventSource {
  page(
    afterIndex: number,
    limit: number,
  ): { readonly events: readonly ClusterEvent[]; readonly complete: boolean; readonly oldestIndex: number | null };
  /** `listener` is called when there may be more; returns what ends it. */
  subscribe(listener: () => void): () => void;
}

export interface ApiOptions {
  readonly handlers: Handlers;
  readonly events: EventSource;
  readonly socketPath: string;
  /** host:port; null: none. */
  readonly tcpBind: string | null;
  /** Who holds this bearer token; null: nobody. */
  authenticate(bearer: string): Caller | null;
  readonly log: Logger;
  readonly version: string;
}

export interface ApiServer {
  readonly tcpAddress: string | null;
  /** Takes no more requests, and waits so long for those that are under way. */
  stop(limitMs: number): Promise<void>;
}

/** The API's address is taken, or cannot be made. */
export class ApiListenError extends Error {
  override readonly name = "ApiListenError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

const BODY_BYTES_MAX = 1024 * 1024;
const CONNECTIONS_MAX = 2048;
const EVENT_PAGE = 100;
const KEEP_ALIVE_MS = 15_000;
const STREAMS_MAX = 256;

interface Environment {
  Bindings: { readonly incoming: IncomingMessage };
  Variables: { caller: Caller; requestId: string };
}

/** Of one HTTP request. The logger and the signal cost more than most procedures, and most need neither: they are made when they are asked for. */
class HttpCall implements CallContext {
  readonly requestId: string;
  readonly caller: Caller;
  readonly #context: Context<Environment>;
  readonly #log: Logger;
  readonly #procedure: string;
  #child: Logger | null = null;

  constructor(context: Context<Environment>, log: Logger, procedure: string) {
    this.requestId = context.get("requestId");
    this.caller = context.get("caller");
    this.#context = context;
    this.#log = log;
    this.#procedure = procedure;
  }

  get log(): Logger {
    this.#child ??= this.#log.child({ requestId: this.requestId, procedure: this.#procedure.slice(0, 64) });
    return this.#child;
  }

  get signal(): AbortSignal {
    return this.#context.req.raw.signal;
  }
}

export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const stopping = new AbortController();
  const streams = { open: 0 };
  const local = serverOf(appOf(options, () => ({ kind: "local" }), stopping.signal, streams));
  await listenOnSocket(local, options.socketPath);
  const servers = [local];
  let tcpAddress: string | null = null;
  if (options.tcpBind !== null) {
    const tcp = serverOf(
      appOf(options, (bearer) => (bearer === null ? null : options.authenticate(bearer)), stopping.signal, streams),
    );
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

// ---- Listening

function serverOf(app: Hono<Environment>): Server {
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 60_000, maxHeaderSize: 16 * 1024 },
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

/** Made in a directory that nobody else can enter, and then moved: at no moment may another user connect. */
async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (await answers(path))
    throw new ApiListenError(
      `${path} is another process's`,
      "a node runs on this data directory already: stop it first",
    );
  const nest = join(dirname(path), `.api-${process.pid}`);
  mkdirSync(nest, { recursive: true, mode: 0o700 });
  const born = join(nest, "s");
  try {
    rmSync(born, { force: true });
    await listening(server, () => server.listen(born));
    chmodSync(born, 0o600);
    renameSync(born, path);
  } catch (error) {
    throw new ApiListenError(
      `cannot make the socket ${path}: ${error instanceof Error ? error.message : String(error)}`,
      "a path to a socket has 107 characters at most; check the directory's permissions too",
    );
  } finally {
    rmSync(nest, { recursive: true, force: true });
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function listenOnTcp(server: Server, bind: string): Promise<string> {
  const address = parseAddress(bind);
  if (address === null) throw new ApiListenError(`${bind} is no address`, "give host:port, such as 127.0.0.1:7100");
  try {
    await listening(server, () => server.listen(address.port, address.host));
  } catch (error) {
    throw new ApiListenError(
      `cannot listen on ${bind}: ${error instanceof Error ? error.message : String(error)}`,
      "is another process listening there? --api-bind takes another address",
    );
  }
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return address.host.includes(":") ? `[${address.host}]:${port}` : `${address.host}:${port}`;
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}

// ---- Answering

function appOf(
  options: ApiOptions,
  identify: (bearer: string | null) => Caller | null,
  stopping: AbortSignal,
  streams: { open: number },
): Hono<Environment> {
  const { handlers, log, version } = options;
  const document = JSON.stringify(openApiDocument(version));
  const app = new Hono<Environment>();

  app.use(async (context, next) => {
    const given = context.req.header("x-request-id");
    const requestId = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    context.set("requestId", requestId);
    context.header("x-request-id", requestId);
    const caller = identify(/^Bearer (\S{1,512})$/i.exec(context.req.header("authorization") ?? "")?.[1] ?? null);
    if (caller === null)
      return refuse(
        context,
        new ApiError(
          "unauthenticated",
          "this address asks for a token",
          "send `Authorization: Bearer TOKEN`; `blixard token create --purpose api` makes one",
        ),
      );
    if (stopping.aborted) return refuse(context, new ApiError("stopping", "this node is stopping", "ask another node"));
    context.set("caller", caller);
    await next();
    return undefined;
  });

  app.post("/v1/:procedure", async (context) => {
    const name = context.req.param("procedure");
    const call = new HttpCall(context, log, name);
    const startMs = performance.now();
    try {
      const answer = await dispatch(handlers, name, await readBody(context), call);
      logDone(call, log, name, startMs);
      return context.json(answer);
    } catch (error) {
      if (error instanceof ApiError) {
        // While there is no leader every client is told so, again and again: what the node makes of it stands in its log once.
        const level = API_ERRORS[error.code] >= 503 ? "debug" : "info";
        if (log.isLevelEnabled(level)) call.log[level]({ code: error.code, durationMs: since(startMs) }, error.message);
        return refuse(context, error);
      }
      call.log.error({ err: error, durationMs: since(startMs) }, "a procedure failed");
      return refuse(
        context,
        new ApiError("internal", "the node failed to answer", "its log says more under this request id"),
      );
    }
  });

  app.get("/v1/openapi.json", (context) => context.body(document, 200, { "content-type": "application/json" }));

  app.get("/v1/events", (context) => {
    const from = context.req.header("last-event-id") ?? context.req.query("after") ?? "0";
    const after = /^\d{1,15}$/.test(from) ? Number(from) : null;
    if (after === null)
      return refuse(
        context,
        new ApiError("invalidRequest", "after: must be a log index", "give 0 for everything that is kept", {
          field: "after",
        }),
      );
    if (streams.open >= STREAMS_MAX)
      return refuse(
        context,
        new ApiError("tooManyPending", `${STREAMS_MAX} streams are open already`, "close some, or ask another node"),
      );
    return streamEvents(context, options.events, after, stopping, streams);
  });

  app.notFound((context) =>
    refuse(
      context,
      new ApiError(
        "unknownProcedure",
        `there is nothing at ${context.req.method} ${context.req.path.slice(0, 128)}`,
        "POST /v1/PROCEDURE; GET /v1/openapi.json lists them all",
      ),
    ),
  );
  app.onError((error, context) => {
    if (error instanceof ApiError) return refuse(context, error);
    log.error({ err: error, requestId: context.get("requestId") }, "an HTTP request failed");
    return refuse(
      context,
      new ApiError("internal", "the node failed to answer", "its log says more under this request id"),
    );
  });
  return app;
}

/** What changes who belongs to the cluster is told at info, all else at debug: at ten thousand writes a second a line each would be most of the work. */
function logDone(call: HttpCall, log: Logger, name: string, startMs: number): void {
  const isTold =
    (name === "cluster.leave" || name === "cluster.transferLeader" || name.startsWith("token.")) &&
    name !== "token.list";
  const level = isTold ? "info" : "debug";
  if (log.isLevelEnabled(level)) call.log[level]({ durationMs: since(startMs) }, "done");
}

function since(startMs: number): number {
  return Math.round((performance.now() - startMs) * 100) / 100;
}

function refuse(context: Context<Environment>, error: ApiError): Response {
  const { code, message, hint, details } = error;
  return context.json(
    { error: { code, message, hint, details, requestId: context.get("requestId") } },
    API_ERRORS[code],
  );
}

async function readBody(context: Context<Environment>): Promise<unknown> {
  const announced = Number(context.req.header("content-length") ?? Number.NaN);
  if (announced > BODY_BYTES_MAX) throw tooLarge(announced);
  const type = context.req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type))
    throw new ApiError("invalidRequest", "content-type: must be application/json", "send JSON, and say so", {
      field: "content-type",
    });
  const text = await textOf(context.env.incoming);
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("invalidRequest", "request: is no JSON", "correct it and send it again", { field: "request" });
  }
}

/** Straight from the connection: a Request of the web's kind would cost more than the rest of the call. */
function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_BYTES_MAX) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge(size));
      }
    });
    incoming.once("end", () =>
      resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString("utf8")),
    );
    incoming.once("error", reject);
    incoming.once("close", () => {
      if (incoming.complete) return;
      reject(new ApiError("invalidRequest", "request: the connection ended before it was whole", "send it again"));
    });
  });
}

function tooLarge(sizeBytes: number): ApiError {
  return new ApiError(
    "requestTooLarge",
    `the body has ${sizeBytes} bytes or more, the limit is ${BODY_BYTES_MAX}`,
    "make it smaller",
    { sizeBytes, limitBytes: BODY_BYTES_MAX },
  );
}

/** Reads a page when the reader has taken the one before: a slow one costs its connection and nothing more. */
function streamEvents(
  context: Context<Environment>,
  source: EventSource,
  after: number,
  stopping: AbortSignal,
  streams: { open: number },
): Response {
  return streamSSE(context, async (stream) => {
    streams.open++;
    let wake: () => void = () => undefined;
    const unsubscribe = source.subscribe(() => wake());
    const end = (): void => wake();
    stopping.addEventListener("abort", end);
    stream.onAbort(end);
    try {
      for (let last = after; !stream.aborted && !stopping.aborted; ) {
        const more = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const { events, complete, oldestIndex } = source.page(last, EVENT_PAGE);
        if (!complete && oldestIndex !== null) {
          await stream.writeSSE({ event: "gap", data: JSON.stringify({ kind: "gap", oldestIndex }) });
          last = oldestIndex - 1;
          continue;
        }
        for (const event of events) {
          await stream.writeSSE({
            id: `${event.index}`,
            event: event.kind,
            data: JSON.stringify({ kind: "event", event }),
          });
          last = event.index;
        }
        if (events.length > 0) continue;
        const limit = setTimeout(end, KEEP_ALIVE_MS);
        await more;
        clearTimeout(limit);
        // A comment: shows the reader that the node lives, and the node that the reader does.
        if (!stream.aborted && !stopping.aborted) await stream.write(":\n\n");
      }
    } finally {
      streams.open--;
      unsubscribe();
      stopping.removeEventListener("abort", end);
    }
  });
}
