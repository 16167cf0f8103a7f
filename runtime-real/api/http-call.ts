/** One HTTP request, as the handlers of procedures see it. */
import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { Logger } from "pino";
import type { CallContext, Caller } from "./call-context.ts";

/** What belongs to each request, for Hono. */
export interface Environment {
  Bindings: { readonly incoming: IncomingMessage };
  Variables: { caller: Caller; requestId: string };
}

/**
 * Makes the logger and the signal on demand: they cost more than most procedures, and most procedures need neither.
 */
export class HttpCall implements CallContext {
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
