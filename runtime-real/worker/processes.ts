/**
 * Which processes belong to a job. They are told by their group, and by the environment that they have inherited: that also finds one that has left the group
 * (`setsid`), and what an earlier life of this node has left behind.
 */
import { readdirSync, readFileSync } from "node:fs";

/** The variable that marks a job's processes. */
export const JOB_MARK = "BLIXARD_JOB";

/** What it holds: a job's own working directory. That of all jobs of a node is the beginning of each. */
export function markOf(folder: string): string {
  return `${folder}/`;
}

export interface Sought {
  /** Null: none. */
  readonly group: number | null;
  /** The beginning of the mark. */
  readonly markedWith: string;
}

/** Those that live, in that group or with that mark. Of processes that this one may not look into, only the group is seen. */
export function processesOf(job: Sought): readonly number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      // pid (command) state parent group ...; the command may hold anything.
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || state === "X") continue;
      if (Number(group) === job.group || isMarked(name, job.markedWith)) found.push(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function isMarked(pid: string, prefix: string): boolean {
  try {
    const environment = `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}`;
    return environment.includes(`\0${JOB_MARK}=${prefix}`);
  } catch {
    return false;
  }
}

const LOOK_AGAIN_MS = { first: 5, last: 500 } as const;

/** Kills them, and those that they still start meanwhile, until none is left. Resolves when nothing runs any more: not before, however long a process sits in the kernel. */
export async function killAll(job: Sought): Promise<void> {
  for (let waitMs: number = LOOK_AGAIN_MS.first; ; waitMs = Math.min(LOOK_AGAIN_MS.last, waitMs * 2)) {
    const living = processesOf(job).filter((pid) => pid !== process.pid);
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
