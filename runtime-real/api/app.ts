/**
 * The routes of the API: procedures, the stream of events, the OpenAPI document. And what the log says about each
 * call.
 */
import { type Context, Hono } from "hono";
import type { Logger } from "pino";
import { API_ERRORS, ApiError } from "../errors/index.ts";
import { admit, type Identify, requestIdOf } from "./admission.ts";
import { dispatch, type Handlers } from "./dispatch.ts";
import { errorBody } from "./error-body.ts";
import { type EventSource, streamEvents } from "./event-stream.ts";
import { readBody } from "./http-body.ts";
import { type Environment, HttpCall } from "./http-call.ts";
import { openApiDocument } from "./openapi.ts";
import { demandRoom, type Streams } from "./streams.ts";

export interface AppOptions {
  readonly handlers: Handlers;
  readonly events: EventSource;
  readonly log: Logger;
  readonly version: string;
}

export function appOf(
  options: AppOptions,
  identify: Identify,
  stopping: AbortSignal,
  streams: Streams,
): Hono<Environment> {
  const { handlers, log, version } = options;
  const document = JSON.stringify(openApiDocument(version));
  const app = new Hono<Environment>();

  app.use(async (context, next) => {
    const requestId = requestIdOf(context.req.header("x-request-id"));
    context.set("requestId", requestId);
    context.header("x-request-id", requestId);
    context.set("caller", admit(context.req.header("authorization"), identify, stopping));
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
        // While there is no leader, every request of every client fails. The node logs that once elsewhere.
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
    demandRoom(streams);
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

/**
 * Changes of the membership and of tokens are logged at info, all else at debug: at ten thousand writes a second a
 * line for each would cost more than the writes.
 */
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
  return context.json(errorBody(error, context.get("requestId")), API_ERRORS[error.code]);
}
