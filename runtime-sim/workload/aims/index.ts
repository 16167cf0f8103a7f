/** Everything that clients are after, by subject. */
import type { Aim } from "./aim.ts";
import { invalidAims } from "./invalid.ts";
import { poolAims } from "./pools.ts";
import { settingsAims } from "./settings.ts";
import { taskAims } from "./tasks.ts";
import { tenantAims } from "./tenants.ts";
import { tokenAims } from "./tokens.ts";
import { vmAims } from "./vms.ts";

export type { Aim, Draft, Outcome } from "./aim.ts";
export { freshSpec } from "./vms.ts";

const AIMS = {
  vms: vmAims,
  tokens: tokenAims,
  tasks: taskAims,
  tenants: tenantAims,
  pools: poolAims,
  settings: settingsAims,
  invalid: invalidAims,
  /** What depends on the session of who asks: a client does it by itself. */
  sessions: [],
} as const;

export type Subject = keyof typeof AIMS;
export const SUBJECTS: readonly Subject[] = [
  "vms",
  "tokens",
  "tasks",
  "tenants",
  "pools",
  "settings",
  "invalid",
  "sessions",
];

export function aimsOf(subjects: readonly Subject[]): readonly Aim[] {
  return subjects.flatMap((subject) => AIMS[subject]);
}
