/** Everything that clients are after; each subject has a file. */
import type { Aim } from "./aim.ts";
import { invalidAims } from "./invalid.ts";
import { limitAims } from "./limits.ts";
import { poolAims } from "./pools.ts";
import { settingsAims } from "./settings.ts";
import { taskAims } from "./tasks.ts";
import { tenantAims } from "./tenants.ts";
import { tokenAims } from "./tokens.ts";
import { vmAims } from "./vms.ts";

export type { Aim, Draft, Outcome } from "./aim.ts";
export { freshSpec } from "./vms.ts";

/** What depends on the session of who asks is not among them: a client does that by itself. */
export const AIMS: readonly Aim[] = [
  ...vmAims,
  ...tokenAims,
  ...taskAims,
  ...tenantAims,
  ...poolAims,
  ...settingsAims,
  ...invalidAims,
  ...limitAims,
];
