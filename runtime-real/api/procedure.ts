/** The type of an entry in the table of procedures. */
import { z } from "zod";
import type { Command, RequestSession, schema } from "../../core/index.ts";
import { written } from "./schemas.ts";
import { zodOf } from "./zod-of.ts";

/**
 * What a caller wants to do, in the words that access policies will use. No policy is applied yet: every caller that
 * is authenticated may call every procedure.
 */
export type Action =
  | "readCluster"
  | "manageCluster"
  | "leaveCluster"
  | "readNode"
  | "manageNode"
  | "createVM"
  | "readVM"
  | "updateVM"
  | "deleteVM"
  | "executeVM"
  | "readTask"
  | "submitTask"
  | "cancelTask"
  | "readQuota"
  | "manageQuota"
  | "readPool"
  | "managePool";

/** To what an action is done; null: to all resources of this kind. */
export type Resource =
  | { readonly kind: "cluster" }
  | { readonly kind: "node"; readonly id: number | null }
  | { readonly kind: "vm"; readonly name: string | null }
  | { readonly kind: "task"; readonly id: string | null }
  | { readonly kind: "tenant"; readonly name: string | null }
  | { readonly kind: "pool"; readonly name: string | null };

interface Entry<Out, In, Answer extends z.ZodType> {
  /** One sentence for the OpenAPI document. */
  readonly summary: string;
  /** A read changes nothing and may be repeated. A write may be repeated only within a session. */
  readonly effect: "read" | "write";
  readonly action: Action;
  readonly resource: (request: Out) => Resource;
  readonly request: schema.Schema<Out, In>;
  readonly answer: Answer;
}

export interface Procedure<Out = unknown, In = unknown, Answer extends z.ZodType = z.ZodType>
  extends Entry<Out, In, Answer> {
  /** Checks a request and fills in its defaults. */
  readonly parser: z.ZodType<Out, In>;
}

export function procedure<Out, In, Answer extends z.ZodType>(
  entry: Entry<Out, In, Answer>,
): Procedure<Out, In, Answer> {
  return { ...entry, parser: zodOf(entry.request) };
}

const committed = z.strictObject({ ...written });

interface CommandEntry<Out, In, Answer extends z.ZodType> extends Omit<Entry<Out, In, Answer>, "effect"> {
  readonly command: (request: Out) => Command;
}

/** What is asked of the core for a request. */
interface Proposal {
  readonly session: RequestSession | null;
  readonly command: Command;
}

export interface CommandProcedure<Out = unknown, In = unknown, Answer extends z.ZodType = z.ZodType>
  extends Procedure<Out, In, Answer> {
  readonly proposal: (request: Out) => Proposal;
}

/** Whatever opens a session stands in none. */
type Sessioned = { readonly session: RequestSession | null } | { readonly clientToken: string };

/** A write that is one command of the core, and answers when that is committed and applied. It needs no handler. */
export function commandProcedure<Out extends Sessioned, In>(
  entry: Omit<CommandEntry<Out, In, typeof committed>, "answer">,
): CommandProcedure<Out, In, typeof committed> {
  return answeredCommand({ ...entry, answer: committed });
}

/** The same, where the answer has all fields of the command's result too. */
export function answeredCommand<Out extends Sessioned, In, Answer extends z.ZodType>({
  command,
  ...others
}: CommandEntry<Out, In, Answer>): CommandProcedure<Out, In, Answer> {
  return {
    ...procedure({ ...others, effect: "write" }),
    proposal: (request) => ({ session: "session" in request ? request.session : null, command: command(request) }),
  };
}

export const cluster = (): Resource => ({ kind: "cluster" });
export const ofVm = ({ name }: { readonly name: string }): Resource => ({ kind: "vm", name });
