/** A second, plain version of the replicated state, for the oracle `as-modelled`. */
export { ClusterModel } from "./model.ts";
export { whyWrong } from "./queries.ts";
export { ONLY } from "./tables.ts";
