/**
 * Procedures called by another member, for what only the leader can do. Calls and answers are JSON, as they are rare.
 */
import type { Logger } from "pino";
import { z } from "zod";
import { API_ERRORS, ApiError, type ApiErrorCode } from "../errors/index.ts";
import { dispatch, type Handlers } from "./dispatch.ts";
import type { AnswerOf, CheckedRequestOf, ProcedureName } from "./procedures.ts";

const call = z.strictObject({
  procedure: z.string().max(64),
  requestId: z.string().regex(/^[\w.-]{1,64}$/),
  body: z.unknown(),
});

const isErrorCode = (code: string): code is ApiErrorCode => Object.hasOwn(API_ERRORS, code);

const answered = z.union([
  z.strictObject({ answer: z.unknown() }),
  z.strictObject({
    error: z.strictObject({
      code: z.string().refine(isErrorCode),
      message: z.string(),
      hint: z.string(),
      details: z.record(z.string(), z.unknown()),
    }),
  }),
]);

export function encodeCall<Name extends ProcedureName>(
  procedure: Name,
  body: CheckedRequestOf<Name>,
  requestId: string,
): Uint8Array {
  return encode({ procedure, requestId, body });
}

/** Answers a call. Never rejects, whatever the bytes hold. */
export async function answerCall(
  handlers: Handlers,
  from: string,
  bytes: Uint8Array,
  log: Logger,
  signal: AbortSignal,
): Promise<Uint8Array> {
  try {
    const parsed = call.safeParse(decode(bytes));
    if (!parsed.success)
      throw new ApiError(
        "invalidRequest",
        "the call of a member cannot be read",
        "do all members run the same version?",
      );
    const { procedure, requestId, body } = parsed.data;
    const child = log.child({ requestId, procedure, from });
    child.debug("a member calls");
    return encode({
      answer: await dispatch(handlers, procedure, body, {
        requestId,
        caller: { kind: "member", peerId: from },
        log: child,
        signal,
      }),
    });
  } catch (error) {
    if (!(error instanceof ApiError)) log.error({ err: error, from }, "a member's call failed");
    const { code, message, hint, details } =
      error instanceof ApiError
        ? error
        : new ApiError("internal", "the member that was asked failed to answer", "its log says more");
    return encode({ error: { code, message, hint, details } });
  }
}

/** @throws ApiError */
export function decodeCallAnswer<Name extends ProcedureName>(bytes: Uint8Array): AnswerOf<Name> {
  const parsed = answered.safeParse(decode(bytes));
  if (!parsed.success)
    throw new ApiError("internal", "the answer of a member cannot be read", "do all members run the same version?");
  if ("answer" in parsed.data) {
    // The handler of the same procedure has made it, on a member that the connection has authenticated.
    return parsed.data.answer as AnswerOf<Name>;
  }
  const { code, message, hint, details } = parsed.data.error;
  throw new ApiError(code, message, hint, details);
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decode(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
