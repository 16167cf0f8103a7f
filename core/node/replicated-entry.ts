/** What the replicated state is told of an entry of the log. */
import type { CommandEntry, MembershipEntry } from "../cluster/index.ts";
import { decodeConfigurationRecord, type Entry, isJoint } from "../raft/index.ts";

/** Whether it is told at all. A joint configuration is transitional: the final one, which follows at once, counts. */
export function isReplicated(entry: Entry): boolean {
  if (entry.kind === "configuration") return isFinalConfiguration(entry);
  return entry.kind === "command";
}

export function replicatedEntry(entry: Entry): CommandEntry | MembershipEntry {
  if (entry.kind === "command") return entry;
  const { voters, learners, members } = decodeConfigurationRecord(entry.data).configuration;
  return { index: entry.index, term: entry.term, membership: { voters, learners, members } };
}

export function isFinalConfiguration(entry: Entry): boolean {
  return entry.kind === "configuration" && !isJoint(decodeConfigurationRecord(entry.data).configuration);
}
