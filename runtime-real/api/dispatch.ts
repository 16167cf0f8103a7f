/** The one point that every call passes, whether it came over HTTP or from another member. */

import type { z } from "zod";
import type { Command, RequestSession } from "../../core/index.ts";
import { ApiError } from "../errors/index.ts";
import type { CallContext } from "./call-context.ts";
import type { CoreRequests } from "./core-requests.ts";
import {
  type AnswerOf,
  type CheckedRequestOf,
  type CommandName,
  isCommandName,
  isProcedureName,
  type ProcedureName,
  procedures,
} from "./procedures.ts";

type HandledName = Exclude<ProcedureName, CommandName>;

type OwnHandlers = {
  readonly [Name in HandledName]: (request: CheckedRequestOf<Name>, context: CallContext) => Promise<AnswerOf<Name>>;
};

/**
 * One function for each procedure that is more than a command of the core, and one for all that are nothing else. They
 * throw ApiError; anything else that they throw is a defect.
 */
export type Handlers = OwnHandlers & Pick<CoreRequests, "commit">;

/** The table of procedures again, typed so that the compiler relates a name to its request and its handler. */
const requests: { readonly [Name in HandledName]: { readonly parser: z.ZodType<CheckedRequestOf<Name>> } } = procedures;

const commands: {
  readonly [Name in CommandName]: {
    readonly parser: z.ZodType<CheckedRequestOf<Name>>;
    readonly proposal: (request: CheckedRequestOf<Name>) => {
      readonly session: RequestSession | null;
      readonly command: Command;
    };
  };
} = procedures;

/** @throws ApiError */
export async function dispatch(
  handlers: Handlers,
  name: string,
  body: unknown,
  context: CallContext,
): Promise<unknown> {
  if (!isProcedureName(name))
    throw new ApiError(
      "unknownProcedure",
      `there is no procedure ${JSON.stringify(name.slice(0, 64))}`,
      "GET /v1/openapi.json lists them all",
    );
  return isCommandName(name) ? await commit(handlers, name, body, context) : await call(handlers, name, body, context);
}

async function commit<Name extends CommandName>(
  handlers: Handlers,
  name: Name,
  body: unknown,
  context: CallContext,
): Promise<unknown> {
  const { parser, proposal } = commands[name];
  const parsed = parser.safeParse(body);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const { session, command } = proposal(parsed.data);
  const { index, term, result } = await handlers.commit(session, command, context);
  const { ok: _, kind: __, ...told } = result;
  return { index, term, ...told };
}

async function call<Name extends HandledName>(
  handlers: OwnHandlers,
  name: Name,
  body: unknown,
  context: CallContext,
): Promise<unknown> {
  const parsed = requests[name].parser.safeParse(body);
  if (!parsed.success) throw invalidRequest(parsed.error);
  return await handlers[name](parsed.data, context);
}

/** What is wrong, in words. */
function wordsOf(issue: z.core.$ZodIssue): string {
  const [ofKey] = issue.code === "invalid_key" ? issue.issues : [];
  return ofKey === undefined ? (boundWords(issue) ?? issue.message) : `its key ${wordsOf(ofKey)}`;
}

/** What is out of bounds, in words; null: that is not what is wrong. */
function boundWords(issue: z.core.$ZodIssue): string | null {
  if (issue.code !== "too_big" && issue.code !== "too_small") return null;
  const [bound, limit] =
    issue.code === "too_big"
      ? [issue.inclusive === false ? "less than" : "at most", issue.maximum]
      : [issue.inclusive === false ? "more than" : "at least", issue.minimum];
  switch (issue.origin) {
    case "string":
      return `must have ${bound} ${limit} ${limit === 1 ? "character" : "characters"}`;
    case "array":
      return `must have ${bound} ${limit} ${limit === 1 ? "entry" : "entries"}`;
    default:
      return `must be ${bound} ${limit}`;
  }
}

/** What is wrong with a request that does not fit its schema. */
export function invalidRequest(error: z.ZodError): ApiError {
  const [issue] = error.issues;
  const field = issue === undefined || issue.path.length === 0 ? "request" : issue.path.map(String).join(".");
  const reason = issue === undefined ? "is not valid" : wordsOf(issue);
  return new ApiError("invalidRequest", `${field}: ${reason}`, "correct the field and send it again", {
    field,
    reason,
  });
}
