/**
 * Nothing is committed that a member does not know: a member of an earlier feature level cannot decode a command of a
 * later one, and would go on with another state than the others.
 *
 * Checks each command when it is first known to be committed, against the builds that the members of the latest
 * configuration run at that moment; a member that is down counts with the build that it will be started as. Does not
 * check: members that come later, which have to be told from which level on they may come; messages, and fields of
 * commands, that an earlier level does not know.
 */
import { decodeEntryData, type Entry, levelOf } from "../../core/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";

export function knownCommands({ violate, ledger, findMember }: OracleContext): Oracle {
  const name = "known-commands";
  /** Committed, and not looked at yet. */
  let fresh: Entry[] = [];
  ledger.subscribe({
    committedEntry(entry) {
      if (entry.kind === "command") fresh.push(entry);
    },
    skippedTo() {},
  });

  return {
    name,
    summary: "every member knows every command that is committed",
    checks: 0,
    committed(_watched, node) {
      const entries = fresh;
      if (entries.length === 0) return;
      fresh = [];
      let lowest = Infinity;
      for (const { id } of node.configuration.members) lowest = Math.min(lowest, findMember(id)?.level ?? Infinity);
      for (const { index, data } of entries) {
        const { request } = decodeEntryData(data);
        if (request === undefined) continue;
        this.checks += 1;
        const level = levelOf(request.command);
        if (level <= lowest) continue;
        violate(
          name,
          () =>
            `entry ${index} is ${request.command.kind}, of feature level ${level}; a member knows level ${lowest} only`,
        );
      }
    },
  };
}
