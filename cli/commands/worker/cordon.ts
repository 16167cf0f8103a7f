/** `blixard worker cordon` and `uncordon`. */
import type { Command } from "commander";
import { type ClientOptions, change, withClientOptions } from "../../client/index.ts";
import { parseNodeId, type Session, withExamples } from "../../frame/index.ts";

export function registerCordon(worker: Command, session: Session): void {
  changing(worker, session, {
    verb: "cordon",
    example: "blixard worker cordon 2",
    description: "Place nothing new on a worker; what is there stays.",
    done: (id) => `worker ${id} is cordoned: it takes nothing new until \`blixard worker uncordon ${id}\``,
  });
}

export function registerUncordon(worker: Command, session: Session): void {
  changing(worker, session, {
    verb: "uncordon",
    example: "blixard worker uncordon 2",
    description: "Let a worker take VMs again; ends a drain.",
    done: (id) => `worker ${id} takes VMs again`,
  });
}

interface Change {
  readonly verb: "cordon" | "uncordon";
  readonly example: string;
  readonly description: string;
  readonly done: (id: number) => string;
}

function changing(worker: Command, session: Session, { verb, example, description, done }: Change): void {
  withClientOptions(withExamples(worker.command(verb), [example]))
    .description(description)
    .argument("<worker>", "its number", parseNodeId)
    .action(async (id: number, options: ClientOptions) => {
      await change(session, options, `worker.${verb}`, { id }, { what: { id }, done: done(id) });
    });
}
