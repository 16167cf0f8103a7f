/**
 * The replicated state, and what Raft's committed commands do to it. Consensus sees commands as opaque bytes; this
 * folder knows nothing of consensus.
 *
 * A client's `CommandRequest` becomes bytes (`encodeRequest`). The leader stamps them with its clock and its id
 * (`stampRequest`). Every replica applies the committed entry (`applyEntries`). Snapshots hold the whole state;
 * queries read it.
 */

export {
  AppliedOutOfOrder,
  type ApplyOutcome,
  applyEntries,
  type CommandEntry,
  type MembershipEntry,
} from "./apply.ts";
export { Batch, type Touched } from "./batch.ts";
export {
  AUDITED_COMMANDS,
  type AuditedKind,
  type Command,
  type CommandRequest,
  commandSchema,
  LEVEL,
  levelOf,
  type OwnCommand,
} from "./command.ts";
export { type DecodedEntry, decodeEntryData, type EntryStamp, STAMP_BYTES, stampRequest } from "./entry-data.ts";
export type { EventLog, EventPage } from "./events.ts";
export { hashOfIndex, hashOfText } from "./hash.ts";
export { InvalidCommand, InvalidSnapshot } from "./invalid.ts";
export { packed, unpacked } from "./msgpack.ts";
export { announcementRefusal } from "./nodes.ts";
export { needsPlace, placementContext, taskRequest, vmRequest, workerView } from "./placement.ts";
export { explainer, occupants, type Plan, taskExplainer } from "./plan.ts";
export {
  type ClusterQuery,
  type ClusterQueryResult,
  getVm,
  type ListVms,
  listVms,
  query,
  type VmPage,
} from "./query.ts";
export { decodeRequest, encodeRequest } from "./request-codec.ts";
export { decodeSnapshot } from "./snapshot-decode.ts";
export { encodeSnapshot } from "./snapshot-encode.ts";
export { type ClusterState, emptyState, nodeIdOf, nodeOf, poolOf, quotaOf, taskOf, vmOf, workerOf } from "./state.ts";
export { differences, leavesOf, TABLE_CONSTANTS, type Table, tableOf, tableValues } from "./table.ts";
