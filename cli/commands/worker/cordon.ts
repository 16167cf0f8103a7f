/** `blixard worker cordon` and `uncordon`. */
import type { Command } from "commander";
import type { AnswerOf, ApiClient } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { parseNodeId, type Session, withExamples } from "../../frame/index.ts";

export function registerCordon(worker: Command, session: Session): void {
  changing(worker, session, {
    verb: "cordon",
    example: "blixard worker cordon 2",
    description: "Place nothing new on a worker; what is there stays.",
    done: (id) => `worker ${id} is cordoned: it takes nothing new until \`blixard worker uncordon ${id}\``,
    ask: (api, id, timeoutMs) => api.write("worker.cordon", { id }, { timeoutMs }),
  });
}

export function registerUncordon(worker: Command, session: Session): void {
  changing(worker, session, {
    verb: "uncordon",
    example: "blixard worker uncordon 2",
    description: "Let a worker take VMs again; ends a drain.",
    done: (id) => `worker ${id} takes VMs again`,
    ask: (api, id, timeoutMs) => api.write("worker.uncordon", { id }, { timeoutMs }),
  });
}

interface Change {
  readonly verb: string;
  readonly example: string;
  readonly description: string;
  readonly done: (id: number) => string;
  readonly ask: (api: ApiClient, id: number, timeoutMs: number) => Promise<AnswerOf<"worker.cordon">>;
}

function changing(worker: Command, { terminal }: Session, { verb, example, description, done, ask }: Change): void {
  withClientOptions(withExamples(worker.command(verb), [example]))
    .description(description)
    .argument("<worker>", "its number", parseNodeId)
    .action(async (id: number, options: ClientOptions) => {
      const answer = await withNode(options, (api) => ask(api, id, options.timeout));
      if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
      else terminal.out(`${done(id)}: log index ${answer.index}, term ${answer.term}`);
    });
}
