/**
 * Every act by its name in the table of verdicts. To add one: write it here and in `verdicts.ts`; the compiler misses
 * whichever is forgotten.
 */
import type { Act } from "../lie.ts";
import type { ActName } from "../verdicts.ts";
import { corruptMessage } from "./corrupting.ts";
import { clientEvents, clientHint, clientRead, clientRefusal, clientWrite } from "./deceiving.ts";
import { falseReport, workerAssignment, workerLease, workerRemoval, workerSilence, workerStale } from "./directing.ts";
import { falseAnswer, falseLeaderAnswer, lyingAcknowledgement, unstoredAcknowledgement } from "./following.ts";
import { consistentForgedSnapshot, forgedJoin, forgedSnapshot } from "./forging.ts";
import { joinerIntroduction, joinerMembership, joinerSnapshot, joinerStart } from "./joining.ts";
import { equivocation, prematureCommit, rewriteCommitted } from "./leading.ts";
import { identityForgery, replay, selectiveSilence, silence } from "./talking.ts";
import { fakeLeader, termRush, twoVotes, wrongTerm } from "./voting.ts";

export const ACTS: Readonly<Record<ActName, Act>> = {
  equivocation,
  "rewrite-committed": rewriteCommitted,
  "premature-commit": prematureCommit,
  "two-votes": twoVotes,
  "fake-leader": fakeLeader,
  "wrong-term": wrongTerm,
  "term-rush": termRush,
  "corrupt-message": corruptMessage,
  replay,
  "identity-forgery": identityForgery,
  silence,
  "selective-silence": selectiveSilence,
  "lying-acknowledgement": lyingAcknowledgement,
  "unstored-acknowledgement": unstoredAcknowledgement,
  "forged-snapshot": forgedSnapshot,
  "consistent-forged-snapshot": consistentForgedSnapshot,
  "forged-join": forgedJoin,
  "false-answer": falseAnswer,
  "false-leader-answer": falseLeaderAnswer,
  "joiner-introduction": joinerIntroduction,
  "joiner-start": joinerStart,
  "joiner-snapshot": joinerSnapshot,
  "joiner-membership": joinerMembership,
  "worker-lease": workerLease,
  "worker-assignment": workerAssignment,
  "worker-stale": workerStale,
  "worker-removal": workerRemoval,
  "worker-silence": workerSilence,
  "false-report": falseReport,
  "client-read": clientRead,
  "client-write": clientWrite,
  "client-refusal": clientRefusal,
  "client-hint": clientHint,
  "client-events": clientEvents,
};
