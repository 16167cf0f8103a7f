/**
 * What a client was told is true: every acknowledged write is committed as it was acknowledged, and whatever a read
 * shows was written by a committed entry.
 *
 * Checks every answer when it reaches the client:
 * - applied (index, term, result): that entry is committed with that term, holds this very request, and gave this
 *   result to the first node that applied it;
 * - a VM that was read, however stale: nothing above the highest committed index, and the committed entry at its
 *   `updatedIndex` wrote this spec to that name.
 * A liar that leads is the first to know what is committed, and its clients hear of it before any honest member does:
 * in a run with a liar, an answer that is ahead of what honest members know is checked once they have come so far.
 *
 * With leader-completeness and committed-immutable this holds for ever after; that the final state contains all of it,
 * state-machine-safety's replay of every committed entry checks. Does not check: whether an answer was the right one
 * at that time (linearizability, read-freshness); answers about entries that have left the ledger's window.
 */
import { type ClientAnswer, type Command, decodeEntryData, type VmRecord } from "../../core/index.ts";
import { askedText, type ClientOperation } from "../workload/index.ts";
import { hasLiar, type OracleContext } from "./context.ts";
import { appliedText, committedText } from "./ledger.ts";
import type { Oracle } from "./oracle.ts";
import { isSame, isSameResult } from "./same.ts";

export function acknowledgedDurable({ violate, ledger, members }: OracleContext): Oracle {
  const name = "acknowledged-durable";
  /** Answered, and not known to be committed yet. */
  let ahead: ClientOperation[] = [];

  function checkApplied(operation: ClientOperation, answer: Extract<ClientAnswer, { kind: "applied" }>): void {
    const { index, term, result } = answer;
    if (index > ledger.commitIndex) {
      violate(
        name,
        () =>
          `${describe(operation)} was acknowledged at index ${index}, but only ${ledger.commitIndex} is committed (${committedText(ledger, ledger.commitIndex)})`,
      );
      return;
    }
    const entry = ledger.entryAt(index);
    if (entry === null) return;
    if (entry.term !== term) {
      violate(
        name,
        () =>
          `${describe(operation)} was acknowledged at index ${index} of term ${term}, but term ${entry.term} is ` +
          `committed there, ${committedText(ledger, index)}`,
      );
      return;
    }
    const { request } = decodeEntryData(entry.data);
    if (request === undefined || !isRequestOf(operation, request)) {
      violate(
        name,
        () =>
          `${describe(operation)} was acknowledged by entry ${index}, which holds ${JSON.stringify(request)}, ${committedText(ledger, index)}`,
      );
      return;
    }
    const first = ledger.resultAt(index);
    if (first !== undefined && !isSameResult(first, result)) {
      violate(
        name,
        () =>
          `${describe(operation)} was answered ${JSON.stringify(result)}, but entry ${index} gave ` +
          `${JSON.stringify(first)} on ${appliedText(ledger, index)}`,
      );
    }
  }

  function checkSeen(operation: ClientOperation, vm: VmRecord): void {
    const index = vm.updatedIndex;
    if (index > ledger.commitIndex) {
      violate(
        name,
        () =>
          `${describe(operation)} saw a write at index ${index}, but only ${ledger.commitIndex} is committed (${committedText(ledger, ledger.commitIndex)})`,
      );
      return;
    }
    const entry = ledger.entryAt(index);
    if (entry === null) return;
    const command = decodeEntryData(entry.data).request?.command;
    if (command === undefined || !mayHaveWritten(command, vm)) {
      violate(
        name,
        () =>
          `${describe(operation)} saw ${JSON.stringify(vm)}, but entry ${index} holds ${JSON.stringify(command)}, ${committedText(ledger, index)}`,
      );
    }
  }

  function check(operation: ClientOperation): void {
    const { answer } = operation;
    if (answer?.kind === "applied") checkApplied(operation, answer);
    else if (answer?.kind === "read") {
      const { index, result } = answer;
      if (index > ledger.commitIndex) {
        violate(
          name,
          () =>
            `${describe(operation)} was served at index ${index}, but only ${ledger.commitIndex} is committed (${committedText(ledger, ledger.commitIndex)})`,
        );
      } else if (result.kind === "vm" && result.vm !== null) {
        checkSeen(operation, result.vm);
      }
    }
  }

  return {
    name,
    summary: "what clients were told or shown is committed",
    checks: 0,
    completed(operation) {
      const { answer } = operation;
      if (answer?.kind !== "applied" && answer?.kind !== "read") return;
      this.checks += 1;
      if (answer.index > ledger.commitIndex && hasLiar(members)) ahead.push(operation);
      else check(operation);
    },
    applied(_watched, { appliedIndex }) {
      if (ahead.length === 0) return;
      const known = ({ answer }: ClientOperation): boolean =>
        answer !== null && "index" in answer && answer.index <= appliedIndex;
      const due = ahead.filter(known);
      if (due.length === 0) return;
      ahead = ahead.filter((operation) => !known(operation));
      for (const operation of due) check(operation);
    },
    finished() {
      for (const operation of ahead.splice(0)) check(operation);
    },
  };
}

function mayHaveWritten(command: Command, vm: VmRecord): boolean {
  switch (command.kind) {
    case "createVm":
    case "updateVm":
      return command.name === vm.name && isSame(command.spec, vm.spec);
    case "setVmDesired":
    case "restartVm":
    case "migrateVm":
    case "deleteVm":
    case "placeVm":
    case "evictVm":
    case "recoverVm":
    case "dropNomination":
      return command.name === vm.name;
    case "preempt":
      return command.name === vm.name || command.victims.includes(vm.name);
    case "observe":
      return command.machines.some(({ name: seen }) => seen === vm.name);
    case "rebalance":
      return command.moves.some(({ name: moved }) => moved === vm.name);
    // Which VMs lose their worker, or their target, is not in them.
    case "workerLost":
    case "confirmWorkerDead":
    case "removeWorker":
      return true;
    default:
      return false;
  }
}

function isRequestOf(
  operation: ClientOperation,
  request: NonNullable<ReturnType<typeof decodeEntryData>["request"]>,
): boolean {
  const { session, command } = request;
  if ((session?.id ?? 0) !== operation.session) return false;
  if (session !== null && session.sequence !== operation.sequence) return false;
  return operation.asked.kind === "write" && isSame(operation.asked.command, command);
}

function describe({ id, client, asked }: ClientOperation): string {
  return `operation ${id} of client ${client} (${askedText(asked)})`;
}
