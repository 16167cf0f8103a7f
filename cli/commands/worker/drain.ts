/** `blixard worker drain`: starts a drain and waits until nothing is placed on the worker. */
import type { Command } from "commander";
import type { ApiClient } from "../../../runtime-real/index.ts";
import { progressTo, QUESTION_MS, untilSeen, type WaitOptions, withNode, withWaitOptions } from "../../client/index.ts";
import { FailureError, parseNodeId, type Session, withExamples } from "../../frame/index.ts";
import { plural } from "../../output/index.ts";
import { whyNowhere } from "../vm/index.ts";
import type { Shown, Worker } from "./status.ts";

export function registerDrain(worker: Command, session: Session): void {
  const { terminal } = session;
  withWaitOptions(
    withExamples(worker.command("drain"), ["blixard worker drain 2", "blixard worker drain 2 --no-wait"])
      .description(
        "Move what is on a worker elsewhere, a few VMs at a time, and wait until all of it is seen gone. Ctrl-C ends the waiting, not the drain; the same command looks on.",
      )
      .argument("<worker>", "its number", parseNodeId),
    "it is empty",
    { ms: 86_400_000, text: "1d" },
  ).action(async (id: number, options: WaitOptions) => {
    await withNode(options, async (api) => {
      const timeoutMs = Math.min(options.timeout, QUESTION_MS);
      const answer = await api.write("worker.drain", { id }, { timeoutMs });
      if (options.wait === false) {
        if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
        else terminal.out(`worker ${id} is being drained: log index ${answer.index}, term ${answer.term}`);
        return;
      }
      const drained = await untilEmpty(api, id, options, session);
      if (drained === null) return;
      if (options.json === true) terminal.out(JSON.stringify({ id, ...answer, ...drained }));
      else {
        terminal.out(
          `worker ${id} is empty: ${leftWords(drained)}; it takes nothing new until \`blixard worker uncordon ${id}\``,
        );
      }
    });
  });
}

function leftWords({ vms, tasks }: { readonly vms: number; readonly tasks: number }): string {
  const parts = [...(vms === 0 ? [] : [plural(vms, "VM")]), ...(tasks === 0 ? [] : [plural(tasks, "task")])];
  if (parts.length === 0) return "nothing was there";
  return `${parts.join(" and ")} ${vms + tasks === 1 ? "has" : "have"} left`;
}

/**
 * The numbers of VMs and tasks that have left. Null: the wait was interrupted.
 *
 * @throws FailureError when the worker is not empty in time
 */
async function untilEmpty(
  api: ApiClient,
  id: number,
  options: WaitOptions,
  session: Session,
): Promise<{ readonly vms: number; readonly tasks: number } | null> {
  const progress = progressTo(session);
  const interrupt = session.watchInterrupt();
  const timeoutMs = Math.min(options.timeout, QUESTION_MS);
  let first: Worker | null = null;
  let left = "";
  const ended = await untilSeen<{ readonly vms: number; readonly tasks: number }>(
    async () => {
      const shown = await api.read("worker.show", { id }, { timeoutMs });
      const { worker } = shown;
      first ??= worker;
      const total = Math.max(first.vmCount + first.taskCount, worker.vmCount + worker.taskCount);
      const now = worker.vmCount + worker.taskCount;
      if (now === 0) return { vms: first.vmCount, tasks: first.taskCount };
      if (worker.status !== "draining" && worker.status !== "offline")
        throw new FailureError(
          `worker ${id} is not drained any more: somebody has made it ${worker.status}`,
          `\`blixard audit\` says who; \`blixard worker drain ${id}\` goes on`,
        );
      left = `${now} of ${total} left`;
      progress(`worker ${id}: ${left}${await drainNote(api, shown, timeoutMs)}`);
      return null;
    },
    performance.now() + options.timeout,
    interrupt.signal,
  );
  session.terminal.progress("");
  switch (ended.kind) {
    case "seen":
      return ended.result;
    case "timedOut":
      throw new FailureError(
        `worker ${id} is being drained, and ${left} after all this time`,
        `the drain goes on: \`blixard worker show ${id}\` says what is there, the same command waits again`,
      );
    case "interrupted":
      session.terminal.err(
        `the drain of worker ${id} goes on: ${left}; the same command looks on, \`blixard worker uncordon ${id}\` ends it`,
      );
      session.end(interrupt.exitCode);
      return null;
  }
}

/** What delays the drain, as far as the API shows it. */
async function drainNote(api: ApiClient, { worker, vms }: Shown, timeoutMs: number): Promise<string> {
  if (worker.status === "offline") return " (the worker is offline: nothing of it can be seen to go)";
  const leaving = vms.filter(({ eviction, desired }) => eviction !== null || desired === "deleted");
  if (leaving.length > 0)
    return `: ${leaving
      .map(({ name, state }) => `${name} ${state}`)
      .slice(0, 3)
      .join(", ")}`;
  const [stuck] = vms;
  if (stuck === undefined) return `: waits for ${plural(worker.taskCount, "task")} to end`;
  // Why it stays is what the scheduler says about the other workers.
  const plan = await api.read("vm.explain", { name: stuck.name }, { timeoutMs }).catch(() => null);
  if (plan === null) return "";
  // The leader evicts a few VMs at a time.
  if (plan.workerId !== null) return ": the next one goes when what was moved runs elsewhere";
  return `: ${stuck.name} finds no other place (${whyNowhere(plan, stuck.spec.workerId).join("; ")})`;
}
