/** Fields that many requests have. */
import { CLUSTER_LIMITS, requestSessionSchema, schema } from "../../core/index.ts";

const { flag, integer, nullable } = schema;

export const sessionSchema = requestSessionSchema.doc("Makes a retried write happen exactly once");

/** Of every write that may be retried. */
export const withSession = { session: nullable(sessionSchema).default(null) };

/** How fresh a read must be. */
export const withStale = {
  stale: flag.default(false).doc("Read what this node has, without asking the leader"),
};

export const pageLimit = integer(1, CLUSTER_LIMITS.listPage).default(CLUSTER_LIMITS.listPage);
