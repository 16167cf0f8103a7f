import type { TokenPurpose } from "./tokens.ts";
import type { VmSpec } from "./vm-spec.ts";

/**
 * What a client can ask the replicated state to do. A generation is a positive integer; names are labels (RFC 1123, lower case, at most 63).
 */
export type Command =
  /** Begins a client session. Asked again with the same token, it answers the same session. Carries no session itself. */
  | { readonly kind: "openSession"; readonly clientToken: string }
  /** Ends the session that the request carries; its stored results go with it. */
  | { readonly kind: "closeSession" }
  | { readonly kind: "createVm"; readonly name: string; readonly spec: VmSpec }
  | { readonly kind: "updateVm"; readonly name: string; readonly expectedGeneration: number; readonly spec: VmSpec }
  /** With null it is deleted whatever its generation. */
  | { readonly kind: "deleteVm"; readonly name: string; readonly expectedGeneration: number | null }
  /** `ttlMs` is 1 ms to a year, from cluster time on; `nodeId` null lets the token admit anybody. */
  | {
      readonly kind: "createToken";
      readonly id: string;
      readonly secretHash: string;
      readonly purpose: TokenPurpose;
      readonly ttlMs: number;
      readonly nodeId: number | null;
    }
  | { readonly kind: "revokeToken"; readonly id: string }
  /** Binds an id to an identity, and uses the token up. What makes it a member is a configuration of consensus. */
  | {
      readonly kind: "admitNode";
      readonly tokenId: string;
      readonly secretHash: string;
      readonly nodeId: number;
      readonly peerId: string;
      readonly addresses: readonly string[];
    }
  /** One to eight addresses. An id that is unknown is bound to the identity. */
  | {
      readonly kind: "announceNode";
      readonly nodeId: number;
      readonly peerId: string;
      readonly addresses: readonly string[];
    };

/**
 * Makes a retried request happen once (Ongaro's thesis, section 6.3).
 *
 * A client numbers its requests from 1 and retries one unchanged, with the same `sequence`, until it has an answer. `lowestUnacknowledged` is
 * the lowest number whose answer it still waits for: results below it are forgotten.
 */
export interface RequestSession {
  /** As answered to openSession: the log index of its entry. */
  readonly id: number;
  readonly sequence: number;
  /** 1 to `sequence`, and less than 64 below it. */
  readonly lowestUnacknowledged: number;
}

export interface CommandRequest {
  /** Null: no session, and a retry may apply a second time (at least once). */
  readonly session: RequestSession | null;
  readonly command: Command;
}
