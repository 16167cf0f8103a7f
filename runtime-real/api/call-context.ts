/** What is known of a call beside what it asks for. */
import type { Logger } from "pino";

/** Who calls. */
export type Caller =
  /** Over the socket in the data directory. Whoever may open it is the operator of this host. */
  | { readonly kind: "local" }
  /** Over TCP with a bearer token. */
  | { readonly kind: "token"; readonly tokenId: string }
  /** Another member of the cluster. */
  | { readonly kind: "member"; readonly peerId: string };

export interface CallContext {
  readonly requestId: string;
  readonly caller: Caller;
  /** Carries the request id. */
  readonly log: Logger;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}
