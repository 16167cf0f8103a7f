/** What a rule of the model is: a command and the state before it in, the state after it and the result out. */
import type { AuditedKind, Command, CommandResult, StoredRefusal } from "../../../core/index.ts";
import type { Tables } from "./tables.ts";

type CommandOf<K extends AuditedKind> = Extract<Command, { readonly kind: K }>;

export type Rules = { readonly [K in AuditedKind]?: (tables: Tables, command: CommandOf<K>) => CommandResult };

export function refused(refusal: StoredRefusal): CommandResult {
  return { ok: false, refusal };
}
