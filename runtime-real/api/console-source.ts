/** Consoles of VMs, as the API gives them: it finds out which worker has a VM, and asks the node for its console. */

import type { ConsoleAsk, ConsoleView } from "../console-protocol/index.ts";
import type { LineListener, OpenConsole } from "../consoles/index.ts";
import { ApiError } from "../errors/index.ts";
import { coreOf } from "./core-requests.ts";
import type { Action } from "./procedure.ts";
import { vmNotFound } from "./refusals.ts";
import type { Served } from "./served.ts";

/** What a caller needs in order to see a VM's output, and to type into its console. */
export const CONSOLE_ACTIONS: { readonly [Kind in ConsoleView["kind"]]: Action } = {
  logs: "readVM",
  console: "executeVM",
};

export interface ConsoleSource {
  /** The reader gets every frame from `opened` on. @throws ApiError */
  open(name: string, view: ConsoleView, reader: LineListener): Promise<OpenConsole>;
}

export interface ServedConsoles {
  open(asked: ConsoleAsk, reader: LineListener): Promise<OpenConsole>;
}

export function consoleSource(served: Served & { readonly consoles: ServedConsoles }): ConsoleSource {
  const { read } = coreOf(served);

  async function workerOf(name: string, stale: boolean): Promise<number> {
    const { result } = await read("vm", { kind: "getVm", name }, stale);
    if (result.vm === null) throw vmNotFound();
    if (result.vm.workerId === null)
      throw new ApiError(
        "vmIsNotPlaced",
        `${name} is on no worker`,
        `\`blixard vm show ${name}\` says what it waits for`,
      );
    return result.vm.workerId;
  }

  return {
    async open(name, view, reader) {
      let workerId: number;
      try {
        workerId = await workerOf(name, false);
      } catch (error) {
        // Whoever looks for a fault while there is no leader needs the console most.
        if (!(error instanceof ApiError) || error.code === "vmNotFound" || error.code === "vmIsNotPlaced") throw error;
        workerId = await workerOf(name, true);
      }
      return await served.consoles.open({ name, workerId, view }, reader);
    },
  };
}
