/** `blixard vm console`: this terminal on the serial console of a VM. */
import type { Command } from "commander";
import type { ConsoleStream } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { EXIT, type Session, UsageError, withExamples } from "../../frame/index.ts";
import { enterRawMode, visible } from "../../output/index.ts";
import { lookAtConsole } from "./open-console.ts";

/** Ctrl-] */
const DETACH = 0x1d;

export function registerConsole(vm: Command, session: Session): void {
  const { terminal } = session;
  withClientOptions(
    withExamples(vm.command("console"), ["blixard vm console web", "blixard vm console web --data-dir ./data2"])
      .description(
        "Attach this terminal to the serial console of a VM; Ctrl-] detaches. All other keys reach the guest, Ctrl-C too. Several may be attached at once: all see what it writes, and may type.",
      )
      .argument("<vm>", "which VM"),
  ).action(async (name: string, options: ClientOptions) => {
    if (options.json === true)
      throw new UsageError("a console is not JSON", "`blixard vm logs --follow --json` shows what the guest writes");
    const interrupt = session.watchInterrupt();
    const { signal } = interrupt;
    const end = await withNode(options, (api) =>
      lookAtConsole(api, name, { kind: "console" }, { ...options, signal }, (stream) => attached(name, stream)),
    );
    if (end !== null) terminal.err(end);
    session.end(signal.aborted ? interrupt.exitCode : EXIT.holds);

    /** Until it has ended or is detached. Resolves to how. */
    async function attached(vmName: string, stream: ConsoleStream): Promise<string> {
      const { stdin, stdout } = process;
      let leave = (): void => undefined;
      const keys = typing(stream);
      try {
        for await (const news of stream.news()) {
          switch (news.kind) {
            case "opened":
              terminal.err(`attached to ${vmName}, run ${news.epoch} on worker ${news.workerId}; Ctrl-] detaches`);
              // A terminal that does not know its size says 0.
              if (stdin.isTTY && stdout.rows > 0)
                terminal.err(`in the guest, \`stty rows ${stdout.rows} cols ${stdout.columns}\` fits this terminal`);
              leave = enterRawMode({ input: stdin, output: stdout });
              keys.begin();
              break;
            case "output":
              stdout.write(news.bytes);
              break;
            case "lost":
              terminal.err("\r\n[output is missing here: the guest wrote faster than it was shown]\r");
              break;
            case "ended":
              return `\n${vmName} has ended: ${visible(news.reason ?? "")}`;
          }
        }
        return `\ndetached from ${vmName}`;
      } finally {
        leave();
        keys.end();
      }
    }
  });
}

/** Sends what is typed, until it is Ctrl-] or the end of the input. */
function typing(stream: ConsoleStream): { begin(): void; end(): void } {
  const { stdin } = process;
  const typed = (bytes: Buffer): void => {
    const end = bytes.indexOf(DETACH);
    stream.type(end === -1 ? bytes : bytes.subarray(0, end));
    if (end !== -1) detach();
    else {
      stdin.pause();
      void stream.drained().then(() => {
        if (stdin.listeners("data").includes(typed)) stdin.resume();
      });
    }
  };
  const detach = (): void => stream.close();
  return {
    begin() {
      stdin.on("data", typed);
      stdin.once("end", detach);
    },
    end() {
      stdin.off("data", typed);
      stdin.off("end", detach);
      stdin.pause();
      // A pipe would keep this process.
      if ("unref" in stdin) stdin.unref();
    },
  };
}
