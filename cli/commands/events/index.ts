/** `blixard events` and `blixard audit`: what happened, and who asked for it, in the order of the log. */
import type { Command } from "commander";
import { type ReadOptions, withNode, withReadOptions } from "../../client/index.ts";
import { type CommandGroup, EXIT, parseCount, type Session, withExamples } from "../../frame/index.ts";
import { type Event, renderEvent } from "./render.ts";

interface EventsOptions extends ReadOptions {
  readonly follow?: true;
  readonly after: number;
}

export const registerEvents: CommandGroup = (program, session) => {
  register(program, session, {
    verb: "events",
    examples: ["blixard events", "blixard events --follow", "blixard events --after 1200 --json"],
    description: "Show what happened, in the order of the log; each line begins with its log index.",
    isWanted: () => true,
  });
};

/** The audit trail is a selection of the events. */
export const registerAudit: CommandGroup = (program, session) => {
  register(program, session, {
    verb: "audit",
    examples: ["blixard audit", "blixard audit --follow", "blixard audit --json"],
    description:
      "Show who asked for what, in the order of the log, and what was refused. local: over a node's socket; token:ID: with that API token; node:N: another node.",
    isWanted: ({ kind }) => kind === "requested",
  });
};

interface Stream {
  readonly verb: string;
  readonly examples: readonly string[];
  readonly description: string;
  readonly isWanted: (event: Event) => boolean;
}

export function register(program: Command, session: Session, { verb, examples, description, isWanted }: Stream): void {
  const { terminal } = session;
  withReadOptions(
    withExamples(program.command(verb), examples)
      .description(description)
      .option("--follow", "go on with what happens from now on, until Ctrl-C")
      .option("--after <index>", "only what came after this log index", parseCount, 0),
  ).action(async (options: EventsOptions) => {
    const show = (event: Event): void => {
      if (isWanted(event)) terminal.out(options.json === true ? JSON.stringify(event) : renderEvent(event));
    };
    const missing = (oldestIndex: number | null): void =>
      terminal.err(`events before log index ${oldestIndex ?? "?"} are not kept any more`);
    if (options.follow === true) {
      const { signal } = session.watchInterrupt();
      await withNode(options, async (api) => {
        for await (const streamed of api.events({ afterIndex: options.after, signal })) {
          if (streamed.kind === "gap") missing(streamed.oldestIndex);
          else show(streamed.event);
        }
      });
      session.end(EXIT.holds);
      return;
    }
    await withNode(options, async (api) => {
      for (let afterIndex = options.after; ; ) {
        const page = await api.read(
          "events.list",
          { afterIndex, stale: options.stale === true },
          { timeoutMs: options.timeout },
        );
        if (!page.complete && afterIndex > 0) missing(page.oldestIndex);
        for (const event of page.events) show(event);
        const last = page.events.at(-1);
        if (last === undefined) return;
        afterIndex = last.index;
      }
    });
  });
}
