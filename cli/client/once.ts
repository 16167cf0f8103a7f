/** Commands that ask a node one thing, and print what it answers. */
import type { Command } from "commander";
import type { AnswerOf, ApiClient, RequestOf } from "../../runtime-real/index.ts";
import type { Session } from "../frame/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "./client.ts";

type ReadName = Parameters<ApiClient["read"]>[0];
type WriteName = Parameters<ApiClient["write"]>[0];

export interface ReadOptions extends ClientOptions {
  readonly stale?: true;
}

export function withReadOptions(command: Command): Command {
  return withClientOptions(command).option("--stale", "what this node knows, without asking the leader");
}

/**
 * Prints the answer as JSON, or as `render` has it.
 * @param none is said where `render` has nothing.
 */
export async function show<Name extends ReadName>(
  { terminal }: Session,
  options: ClientOptions,
  name: Name,
  request: RequestOf<Name>,
  render: (answer: AnswerOf<Name>) => readonly string[] | Promise<readonly string[]>,
  none = "",
): Promise<void> {
  const answer = await withNode(options, (api) => api.read(name, request, { timeoutMs: options.timeout }));
  if (options.json === true) {
    terminal.out(JSON.stringify(answer));
    return;
  }
  const lines = await render(answer);
  for (const line of lines) terminal.out(line);
  if (lines.length === 0) terminal.err(none);
}

/** Prints where in the log it happened: as JSON with `what` in front, or behind `done`. */
export async function change<Name extends WriteName>(
  { terminal }: Session,
  options: ClientOptions,
  name: Name,
  request: RequestOf<Name>,
  { what, done }: { readonly what: object; readonly done: string },
): Promise<void> {
  const answer: { readonly index: number; readonly term: number } = await withNode(options, (api) =>
    api.write(name, request, { timeoutMs: options.timeout }),
  );
  if (options.json === true) terminal.out(JSON.stringify({ ...what, ...answer }));
  else terminal.out(`${done}: log index ${answer.index}, term ${answer.term}`);
}
