/** What the core needs of a real process: randomness, signatures and digests. */
import type { Runtime } from "../../core/index.ts";
import { type Identity, sha256, verifySignature } from "../identity/index.ts";

export function realRuntime(identity: Identity): Runtime {
  return {
    peerId: identity.peerId,
    randomUint32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    sign: (statement) => identity.sign(statement),
    verify: verifySignature,
    digest: sha256,
  };
}
