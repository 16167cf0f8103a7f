import { type ApiClient, ApiError } from "../../../../runtime-real/index.ts";
import { type ClientOptions, withNode } from "../../../client/index.ts";
import { showOrSuggest } from "../names.ts";
import type { Spec } from "../spec-flags.ts";

export type Check = NonNullable<Spec["healthChecks"]>[number];

export type Probe = Check["probe"];

/** Reads, changes and writes. Tries again when the specification has changed in between. */
export async function changeChecks(
  name: string,
  options: ClientOptions,
  change: (checks: readonly Check[]) => Check[],
): Promise<{ readonly generation: number; readonly index: number; readonly term: number }> {
  const deadlineMs = performance.now() + options.timeout;
  return await withNode(options, async (api) => {
    for (;;) {
      const { vm } = await showOrSuggest(api, name, options);
      const spec: Spec = JSON.parse(JSON.stringify(vm.spec));
      try {
        return await update(
          api,
          name,
          vm.generation,
          { ...spec, healthChecks: change(spec.healthChecks ?? []) },
          options,
        );
      } catch (error) {
        const wasOvertaken = error instanceof ApiError && error.code === "generationMismatch";
        if (!wasOvertaken || performance.now() >= deadlineMs) throw error;
      }
    }
  });
}

async function update(
  api: ApiClient,
  name: string,
  expectedGeneration: number,
  spec: Spec,
  { timeout }: ClientOptions,
): Promise<{ readonly generation: number; readonly index: number; readonly term: number }> {
  return await api.write("vm.update", { name, expectedGeneration, spec }, { timeoutMs: timeout });
}
