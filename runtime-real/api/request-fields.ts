/** Fields that many requests have. */
import { CLUSTER_LIMITS, requestSessionSchema, schema } from "../../core/index.ts";
import { DIGEST } from "../images/index.ts";

const { flag, integer, nullable, textMatching } = schema;

export const sessionSchema = requestSessionSchema.doc("Makes a retried write happen exactly once");

/** Of every write that may be retried. */
export const withSession = { session: nullable(sessionSchema).default(null) };

/** How fresh a read must be. */
export const withStale = {
  stale: flag.default(false).doc("Read what this node has, without asking the leader"),
};

export const pageLimit = integer(1, CLUSTER_LIMITS.listPage).default(CLUSTER_LIMITS.listPage);

const DIGEST_LENGTH = "sha256:".length + 64;

export const digestSchema = textMatching(DIGEST_LENGTH, DIGEST_LENGTH, {
  expression: DIGEST,
  rule: "must be sha256: and 64 lower-case hexadecimal digits",
  sample: (_, random) => `sha256:${Array.from({ length: 64 }, () => random(16).toString(16)).join("")}`,
}).doc("Of an image");
