/** What an entry of the table of procedures is made of. */
import type { z } from "zod";
import type { schema } from "../../core/index.ts";
import { zodOf } from "./zod-of.ts";

/** SPEC section 7. */
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

/** What an action is done to; null: to all of the kind. */
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
  /** Reads change nothing and may be asked again; writes are retried within a session only. */
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

export const cluster = (): Resource => ({ kind: "cluster" });
export const ofVm = ({ name }: { readonly name: string }): Resource => ({ kind: "vm", name });
