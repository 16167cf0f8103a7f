/** What an entry of the table of procedures is made of. */
import type { z } from "zod";

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

export interface Procedure<Request extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  /** One sentence for the OpenAPI document. */
  readonly summary: string;
  /** Reads change nothing and may be asked again; writes are retried within a session only. */
  readonly effect: "read" | "write";
  readonly action: Action;
  readonly resource: (request: z.output<Request>) => Resource;
  readonly request: Request;
  readonly answer: Answer;
}

export function procedure<Request extends z.ZodType, Answer extends z.ZodType>(
  entry: Procedure<Request, Answer>,
): Procedure<Request, Answer> {
  return entry;
}

export const cluster = (): Resource => ({ kind: "cluster" });
export const ofVm = ({ name }: { readonly name: string }): Resource => ({ kind: "vm", name });
