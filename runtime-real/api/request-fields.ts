/** Fields that many requests have. */
import { CLUSTER_LIMITS, schema } from "../../core/index.ts";

const { flag, InvalidField, integer, nullable, record } = schema;

const sessionFields = record({
  id: integer(1).doc("As answered by session.open"),
  sequence: integer(1).doc("Number of this request; a retry carries the same"),
  lowestUnacknowledged: integer(1).doc("The lowest number whose answer is still awaited"),
});
type Session = schema.Infer<typeof sessionFields>;

export const sessionSchema = sessionFields
  .rule("an answer that is awaited is not too far back", checkWindow, ({ sequence, ...others }) => ({
    ...others,
    sequence,
    lowestUnacknowledged: sequence,
  }))
  .doc("Makes a retried write happen exactly once");

function checkWindow({ sequence, lowestUnacknowledged }: Session): void {
  const lowest = Math.max(1, sequence - CLUSTER_LIMITS.outstandingRequests + 1);
  if (lowestUnacknowledged < lowest)
    throw new InvalidField(".lowestUnacknowledged", lowest, `must be at least ${lowest}`);
  if (lowestUnacknowledged > sequence)
    throw new InvalidField(".lowestUnacknowledged", sequence, `must be at most ${sequence}`);
}

/** Of every write that may be retried. */
export const withSession = { session: nullable(sessionSchema).default(null) };

/** How fresh a read must be. */
export const withStale = {
  stale: flag.default(false).doc("Read what this node has, without asking the leader"),
};

export const pageLimit = integer(1, CLUSTER_LIMITS.listPage).default(CLUSTER_LIMITS.listPage);
