/**
 * Who is told that a change of the membership is done is told so of that change: the entry that the answer names is
 * committed, is a final configuration, and has all that was asked for.
 *
 * Checks each such answer of an honest member against the committed entry at its index: term and kind, and for each
 * change that the member is where it was to come, or gone. Does not check: refusals, which may come although the change
 * happens after all; entries that are older than what is remembered of a run.
 */
import {
  type ClientAnswer,
  type ClientRequest,
  type Configuration,
  type ConfigurationChange,
  decodeConfigurationRecord,
  type NodeId,
} from "../../core/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

type Changed = Extract<ClientAnswer, { readonly kind: "membershipChanged" }>;
type Changes = Extract<ClientRequest, { readonly kind: "changeMembership" }>["changes"];

export function membershipAnswers({ violate, ledger }: OracleContext): Oracle {
  const name = "membership-answers";
  /** What the process of each member was asked and has not answered. */
  const asked = new Map<NodeId, Map<number, Changes>>();

  function judge(oracle: Oracle, nodeId: NodeId, changes: Changes, { index, term }: Changed): void {
    const entry = ledger.entryAt(index);
    if (entry === null && index <= ledger.commitIndex) return;
    oracle.checks += 1;
    const missing =
      entry === null
        ? "is not committed"
        : entry.term !== term || entry.kind !== "configuration"
          ? `is a ${entry.kind} of term ${entry.term}`
          : whatLacks(decodeConfigurationRecord(entry.data).configuration, changes);
    if (missing !== null)
      violate(
        name,
        () => `node ${nodeId} says that a change is done by entry ${index} of term ${term}, which ${missing}`,
      );
  }

  return {
    name,
    summary: "who is told that a change of members is done, is told so of that change",
    checks: 0,
    crashed({ member }) {
      asked.delete(member.id);
    },
    requested({ id }, requestId, request) {
      if (request.kind !== "changeMembership") return;
      const open = asked.get(id) ?? new Map<number, Changes>();
      asked.set(id, open.set(requestId, request.changes));
    },
    answered({ member }, _, requestId, answer) {
      const open = asked.get(member.id);
      const changes = open?.get(requestId);
      if (changes === undefined) return;
      open?.delete(requestId);
      if (answer.kind === "membershipChanged") judge(this, member.id, changes, answer);
    },
  };
}

/** Null: all of it has been carried out. */
function whatLacks(configuration: Configuration, changes: Changes): string | null {
  if (configuration.outgoing.length > 0) return "is a joint configuration";
  const undone = changes.find((change) => !isDone(configuration, change));
  return undone === undefined ? null : `does not ${undone.kind} node ${undone.id}`;
}

function isDone({ voters, learners, members }: Configuration, change: ConfigurationChange): boolean {
  const { id } = change;
  switch (change.kind) {
    case "addLearner":
      return learners.includes(id) && members.some((member) => member.id === id && member.peerId === change.peerId);
    case "promote":
      return voters.includes(id);
    case "demote":
      return learners.includes(id) && !voters.includes(id);
    case "remove":
      return members.every((member) => member.id !== id);
  }
}
