/** What the two commands that look at a console share: how it is opened, and how its loss is explained. */
import { type ApiClient, ConnectError, type ConsoleStream, type ConsoleView } from "../../../runtime-real/index.ts";
import type { ClientOptions } from "../../client/index.ts";
import { FailureError } from "../../frame/index.ts";
import { orSuggest } from "./names.ts";

/**
 * Looks at a console until `look` returns or the signal ends it. Null: the signal came before it was open.
 *
 * @throws FailureError when the VM has none, or it is lost
 */
export async function lookAtConsole<Result>(
  api: ApiClient,
  name: string,
  view: ConsoleView,
  { timeout, signal }: Pick<ClientOptions, "timeout"> & { readonly signal: AbortSignal },
  look: (stream: ConsoleStream) => Promise<Result>,
): Promise<Result | null> {
  try {
    const stream = await orSuggest(api, name, () => api.console(name, view, { timeoutMs: timeout, signal }));
    if (signal.aborted) stream.close();
    signal.addEventListener("abort", () => stream.close());
    return await look(stream);
  } catch (error) {
    if (signal.aborted) return null;
    throw error instanceof ConnectError && error.kind === "lost"
      ? new FailureError(error.message, "the node or the host of the VM has gone, or was started again: try once more")
      : error;
  }
}
