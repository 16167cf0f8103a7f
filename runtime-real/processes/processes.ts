/**
 * Which processes belong to a job, or are machines of this node. They are known by their process group, and by a
 * variable in the environment that they have inherited. By that variable also those are found that have left the group
 * (`setsid`), and those that an earlier process of this node has left behind.
 */
import { readdirSync, readFileSync } from "node:fs";

/** The variable that marks them. */
export const PROCESS_MARK = "BLIXARD_OWNER";

/** Its value: the directory that they work for. That of all jobs of a node, or of all its machines, is a prefix. */
export function markOf(folder: string): string {
  return `${folder}/`;
}

export interface Sought {
  /** Null: none. */
  readonly group: number | null;
  /** A prefix of the mark. */
  readonly markedWith: string;
}

/**
 * The processes that live in that group or have that mark. Of processes whose environment this one may not read, only
 * the group is seen.
 */
export function processesOf(sought: Sought): readonly number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      // pid (command) state parent group ...; the command may hold anything.
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || state === "X") continue;
      if (Number(group) === sought.group || isMarked(name, sought.markedWith)) found.push(pid);
    } catch {
      // It has ended in the meantime.
    }
  }
  return found;
}

function isMarked(pid: string, prefix: string): boolean {
  try {
    const environment = `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}`;
    return environment.includes(`\0${PROCESS_MARK}=${prefix}`);
  } catch {
    return false;
  }
}

const LOOK_AGAIN_MS = { first: 5, last: 500 } as const;

/**
 * Kills them, and those that they start in the meantime. Resolves when none is left, which may take long when a
 * process waits in the kernel.
 */
export async function killAll(sought: Sought): Promise<void> {
  for (let waitMs: number = LOOK_AGAIN_MS.first; ; waitMs = Math.min(LOOK_AGAIN_MS.last, waitMs * 2)) {
    const living = processesOf(sought).filter((pid) => pid !== process.pid);
    if (living.length === 0) return;
    for (const pid of living) signal(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended, or is another user's.
  }
}
