/** `blixard vm logs`: what a VM has written to its serial console. */
import type { Command } from "commander";
import type { ConsoleNews } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { EXIT, parseCount, type Session, withExamples } from "../../frame/index.ts";
import { safeJson, visible } from "../../output/index.ts";
import { LogLines } from "./log-lines.ts";
import { lookAtConsole } from "./open-console.ts";

interface LogsOptions extends ClientOptions {
  readonly follow?: true;
  readonly previous?: true;
  readonly lines?: number;
}

const LOST = "[output is missing here: the guest wrote faster than it was read]";

export function registerLogs(vm: Command, session: Session): void {
  withClientOptions(
    withExamples(vm.command("logs"), [
      "blixard vm logs web",
      "blixard vm logs web --follow --lines 20",
      "blixard vm logs web --previous",
    ])
      .description(
        "Show what a VM has written to its serial console: the last megabyte of its last run on its worker. Control characters are shown as ^[ and the like.",
      )
      .argument("<vm>", "which VM")
      .option("--follow", "go on with what it writes from now on, until its run is over or Ctrl-C")
      .option("--previous", "of the run before the last one on that worker")
      .option("--lines <n>", "only so many of the last lines", parseCount),
  ).action(async (name: string, options: LogsOptions) => {
    const { signal } = session.watchInterrupt();
    const view = {
      kind: "logs",
      follow: options.follow === true,
      previous: options.previous === true,
      linesMax: options.lines ?? null,
    } as const;
    const show = options.json === true ? asJson(session) : asText(session, name, view.follow);
    await withNode(options, (api) =>
      lookAtConsole(api, name, view, { ...options, signal }, async (stream) => {
        for await (const news of stream.news()) show(news);
      }),
    );
    session.end(EXIT.holds);
  });
}

function asText({ terminal }: Session, name: string, follows: boolean): (news: ConsoleNews) => void {
  const lines = new LogLines();
  let place = "";
  return (news) => {
    switch (news.kind) {
      case "opened":
        place = `run ${news.epoch} on worker ${news.workerId}`;
        return;
      case "output":
        for (const line of lines.push(news.bytes)) terminal.out(visible(line));
        return;
      case "lost":
        for (const line of lines.end()) terminal.out(visible(line));
        terminal.out(terminal.paintOut("dim", LOST));
        return;
      case "ended":
        for (const line of lines.end()) terminal.out(visible(line));
        if (follows) terminal.err(`${name}, ${place}, has ended: ${visible(news.reason ?? "")}`);
        return;
    }
  };
}

function asJson({ terminal }: Session): (news: ConsoleNews) => void {
  const lines = new LogLines();
  const tell = (all: readonly string[]): void => {
    for (const line of all) terminal.out(safeJson({ kind: "line", line }));
  };
  return (news) => {
    if (news.kind === "output") tell(lines.push(news.bytes));
    else {
      tell(lines.end());
      terminal.out(safeJson(news));
    }
  };
}
