/** How a node joins a cluster: the side that asks, the side that admits, and the change of the membership. */
export { answerJoin } from "./admit.ts";
export { requestAdmission, requestReplacement, requestWorkerAdmission } from "./join-client.ts";
export { changeMembership } from "./membership-change.ts";
export { JoinRefused, refuse } from "./protocol.ts";
