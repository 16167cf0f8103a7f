/** Tasks that nobody runs: they wait, are cancelled, and then forgotten. */
import type { Command, TaskSpec } from "../../../core/index.ts";
import { type Aim, type Draft, pick, read, write } from "./aim.ts";
import { LIMITED_TENANTS } from "./tenants.ts";

export const SPEC: TaskSpec = {
  command: "true",
  args: [],
  resources: { vcpus: 1, memoryMiB: 256, diskGiB: 0 },
  features: [],
  tenant: "default",
  timeoutMs: 60_000,
  attemptsMax: 1,
};

const IDS = ["task-1", "task-2", "task-3", "task-4"];

function submit({ rng }: Draft, id: string | null): Command | null {
  if (id === null) return null;
  const tenant = rng.pick(["default", "default", ...LIMITED_TENANTS]);
  return { kind: "submitTask", id, spec: { ...SPEC, tenant } };
}

function missing({ rng, belief }: Draft): string | null {
  return pick(
    rng,
    IDS.filter((id) => !belief.tasks.has(id)),
  );
}

export const taskAims: readonly Aim[] = [
  read(2, ({ rng }) => ({ kind: "getTask", id: rng.pick(IDS) })),
  read(2, ({ rng, belief }) => {
    const afterId = rng.chance(0.3) ? null : (belief.pages.get("listTasks") ?? null);
    return { kind: "listTasks", afterId, limit: rng.pick([1, 2, 1000]) };
  }),
  write("ok", 4, (draft) => submit(draft, missing(draft))),
  write("ok", 3, ({ rng, belief }) => {
    const id = pick(rng, belief.tasks.keys());
    return id === null ? null : { kind: "cancelTask", id };
  }),
  write("taskExists", 1, (draft) => submit(draft, pick(draft.rng, draft.belief.tasks.keys()))),
  write("taskNotFound", 1, (draft) => ({ kind: "cancelTask", id: missing(draft) ?? "nosuchtask" })),
];
