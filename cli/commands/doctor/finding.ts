/** The result of a check. */

export interface Finding {
  readonly check: string;
  /** warning: something will not work. failed: a node cannot run. */
  readonly state: "ok" | "warning" | "failed";
  readonly found: string;
  /** How to mend it; null when there is nothing to mend. */
  readonly mend: string | null;
}

export interface DoctorOptions {
  readonly dataDir: string;
  readonly bind: string;
  readonly json?: true;
}

export type Check = (options: DoctorOptions) => Promise<Omit<Finding, "check">> | Omit<Finding, "check">;

export const ok = (found: string) => ({ state: "ok", found, mend: null }) as const;

export const warning = (found: string, mend: string) => ({ state: "warning", found, mend }) as const;

export const failed = (found: string, mend: string) => ({ state: "failed", found, mend }) as const;
