/** `blixard sim replay`: runs the core again over a recording of a real node, and shows how it decided. */
import type { Effect, Input } from "../../../core/index.ts";
import { loadRecording, RecordingError } from "../../../runtime-real/index.ts";
import { EXIT, type ExitCode, FailureError } from "../../frame/index.ts";
import { plural, type Terminal } from "../../output/index.ts";

export interface ReplayOptions {
  readonly from: number;
  readonly to: number;
  readonly verbose?: true;
  readonly show?: true;
  readonly json?: true;
}

const PROGRESS_STEPS = 20_000;

/** @throws FailureError */
export async function replayRecording(path: string, options: ReplayOptions, terminal: Terminal): Promise<ExitCode> {
  const { openRecording, replay } = await loadRecording();
  try {
    const recording = openRecording(path);
    const { start } = recording;
    if (options.json !== true)
      terminal.out(
        `node ${start.nodeId} of cluster ${start.restored.snapshot.clusterId}, blixard ${recording.blixard}; began with log ${start.restored.snapshot.meta.index} to ${start.restored.entries.at(-1)?.index ?? start.restored.snapshot.meta.index}`,
      );
    if (options.show === true) return showOnly(recording.steps(), recording.skippedSteps, options, terminal);

    const steps = replay(recording);
    let before = "";
    let count = 0;
    for (let next = steps.next(); ; next = steps.next()) {
      if (next.done === true) {
        if (options.json === true) terminal.out(JSON.stringify({ steps: count, same: true, reason: next.value }));
        else
          terminal.out(
            `${plural(count, "step")}, the same decisions; ${next.value === null ? "the recording has no end: the process was killed" : `it ended: ${next.value}`}`,
          );
        return EXIT.holds;
      }
      const { number, step, effects, node, same } = next.value;
      count = number;
      if (number % PROGRESS_STEPS === 0) terminal.progress(`step ${number}`);
      const now = `${node.role} in term ${node.term}, leader ${node.leaderId}, voters ${node.configuration.voters.join(",")}${node.halted ? ", halted" : ""}`;
      const changed = now !== before;
      before = now;
      const isWanted = number >= options.from && number <= options.to && (changed || options.verbose === true);
      if (isWanted || !same) {
        const atMs = step.input.nowMs - start.stamp.nowMs;
        if (options.json === true)
          terminal.out(
            JSON.stringify({
              step: number,
              atMs,
              input: inputWords(step.input),
              decisions: effects.map(effectWords),
              state: now,
              same,
            }),
          );
        else {
          terminal.out(
            `${`${number}`.padStart(9)}  ${(atMs / 1000).toFixed(3).padStart(10)} s  ${inputWords(step.input)}${changed ? `  →  ${now}` : ""}`,
          );
          if (options.verbose === true || !same)
            for (const effect of effects) terminal.out(`${" ".repeat(25)}${effectWords(effect)}`);
        }
      }
      if (!same) {
        terminal.err(
          `${terminal.paintErr("red", "not the same")}: at step ${number} this core decides otherwise than the recorded one`,
        );
        terminal.err("hint: is it another version of blixard? Then this is where they differ");
        return EXIT.failed;
      }
    }
  } catch (error) {
    if (error instanceof RecordingError) throw new FailureError(error.message, error.hint);
    throw error;
  }
}

function showOnly(
  steps: Generator<{ readonly input: Input }, string | null, undefined>,
  skipped: number,
  options: ReplayOptions,
  terminal: Terminal,
): ExitCode {
  for (let number = skipped + 1, next = steps.next(); ; number++, next = steps.next()) {
    if (next.done === true) {
      terminal.out(next.value === null ? "the recording has no end" : `it ended: ${next.value}`);
      return EXIT.holds;
    }
    if (number < options.from || number > options.to) continue;
    const { input } = next.value;
    terminal.out(
      options.json === true
        ? JSON.stringify({ step: number, input: inputWords(input) })
        : `${`${number}`.padStart(9)}  ${inputWords(input)}`,
    );
  }
}

function inputWords(input: Input): string {
  switch (input.kind) {
    case "wake":
      return "woke";
    case "message":
      return `${input.message.type} from node ${input.message.from}, term ${input.message.term}`;
    case "written":
      return `write ${input.writeId} is durable`;
    case "writeFailed":
      return `write ${input.writeId} FAILED: ${input.reason}`;
    case "request":
      return `request ${input.requestId}: ${input.request.kind === "propose" ? input.request.request.command.kind : input.request.kind}`;
  }
}

function effectWords(effect: Effect): string {
  switch (effect.kind) {
    case "send":
      return `sends ${effect.message.type} to node ${effect.message.to}`;
    case "write": {
      const { id, entries, hardState, snapshot } = effect.write;
      const parts = [
        ...(entries === null ? [] : [`entries ${entries[0]?.index ?? 0} to ${entries.at(-1)?.index ?? 0}`]),
        ...(hardState === null ? [] : [`term ${hardState.term}, vote ${hardState.votedFor}`]),
        ...(snapshot === null ? [] : [`a snapshot at ${snapshot.snapshot.meta.index}`]),
      ];
      return `writes ${id}: ${parts.join("; ")}`;
    }
    case "wakeAt":
      return `wants to be woken at ${effect.atMs.toFixed(0)} ms`;
    case "answer":
      return `answers ${effect.requestId}: ${effect.answer.kind === "refused" ? effect.answer.refusal.kind : effect.answer.kind}`;
    case "evidence":
      return `has evidence: ${effect.evidence.kind}`;
    case "halt":
      return `HALTS: ${effect.reason}`;
  }
}
