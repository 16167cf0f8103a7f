/** How nodes come into a cluster: the side that asks, the side that admits, and the change of membership that follows. */
export { answerJoin } from "./admit.ts";
export { requestAdmission, requestReplacement, requestWorkerAdmission } from "./join-client.ts";
export { changeMembership } from "./membership-change.ts";
export { JoinRefused, refuse } from "./protocol.ts";
