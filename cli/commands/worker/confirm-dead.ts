import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { confirm, parseNodeId, type Session, withExamples } from "../../frame/index.ts";
import { plural } from "../../output/index.ts";

export function registerConfirmDead(worker: Command, { terminal }: Session): void {
  withClientOptions(withExamples(worker.command("confirm-dead"), ["blixard worker confirm-dead 2 --yes"]))
    .description(
      "Give your word that a worker's host is off, so that its VMs run elsewhere at once. If it is not off, they run twice.",
    )
    .argument("<worker>", "its number", parseNodeId)
    .option("--yes", "do not ask")
    .action(async (id: number, options: ClientOptions & { readonly yes?: true }) => {
      const { timeout: timeoutMs } = options;
      await withNode(options, async (api) => {
        const { worker: now } = await api.read("worker.show", { id }, { timeoutMs });
        const isHeard = now.status === "offline" ? "" : " The cluster HEARS of it, though: it is not off.";
        const what = `${plural(now.vmCount, "VM")} and ${plural(now.taskCount, "task")}`;
        await confirm(
          `Is the host of worker ${id} off, without any doubt?${isHeard} Its ${what} will run elsewhere.`,
          options,
        );
        const answer = await api.write("worker.confirmDead", { id }, { timeoutMs });
        if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
        else
          terminal.out(
            `worker ${id} counts as dead: ${what} may run elsewhere; log index ${answer.index}, term ${answer.term}`,
          );
      });
    });
}
