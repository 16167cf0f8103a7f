/** Requests for a VM by its name. An error suggests a similar name. */
import { type AnswerOf, type ApiClient, ApiError } from "../../../runtime-real/index.ts";
import type { ReadOptions } from "../../client/index.ts";
import { FailureError, nearest } from "../../frame/index.ts";

export type Vm = AnswerOf<"vm.show">["vm"];

export async function showOrSuggest(api: ApiClient, name: string, options: ReadOptions): Promise<AnswerOf<"vm.show">> {
  return await orSuggest(api, name, () =>
    api.read("vm.show", { name, stale: options.stale === true }, { timeoutMs: options.timeout }),
  );
}

/** The answer of `ask`. @throws FailureError with the most similar name where there is no VM of this name */
export async function orSuggest<Answer>(api: ApiClient, name: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { vms } = await api.read("vm.list", { stale: true }).catch(() => ({ vms: [] }));
    const near = nearest(
      name,
      vms.map((vm) => vm.name),
    );
    throw new FailureError(
      `there is no VM ${name}`,
      near === null ? error.hint : `did you mean ${near}? ${error.hint}`,
    );
  }
}

export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === "vmNotFound";
}
