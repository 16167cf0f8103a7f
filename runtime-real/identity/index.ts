/** Who a node is: its key, what it signs, and how others check that. */
export { Identity, IdentityError, sha256, verifySignature } from "./identity.ts";
