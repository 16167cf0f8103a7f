/**
 * The thread that owns the database, so that the node's own thread never waits for a disk. Jobs that arrive during one
 * transaction go into the next one together. After a failure nothing is written any more, because the contents of the
 * file are not known then: after a failed fsync the kernel may have dropped the pages that were to be written.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { filesIn } from "./files.ts";
import type { Job, Report, SettingsJob, WriteJob } from "./protocol.ts";
import { refusalOf } from "./sqlite-refusal.ts";
import { Store } from "./store.ts";

const port = parentPort;
const dataDir: unknown = workerData;
if (port === null || typeof dataDir !== "string") throw new Error("this is the thread of the storage");
const files = filesIn(dataDir);

function report(message: Report): void {
  port?.postMessage(message);
}

let store: Store | null = null;
try {
  store = new Store(files);
  report({ kind: "opened", stored: store.stored });
} catch (error) {
  const { kind, message, recovery } = refusalOf(files, error);
  report({ kind: "refused", error: kind, message, recovery });
}

let isBroken = false;

function carryOut(jobs: readonly (WriteJob | SettingsJob)[], isIdle: boolean): void {
  if (jobs.length === 0 || isBroken || store === null) return;
  try {
    store.commit(jobs);
  } catch (error) {
    isBroken = true;
    const reason = error instanceof Error ? error.message : String(error);
    report({ kind: "failed", id: jobs.find((job) => job.kind === "write")?.id ?? 0, reason });
    return;
  }
  const last = jobs.findLast((job) => job.kind === "write");
  if (last !== undefined) report({ kind: "written", id: last.id });
  for (const job of jobs) if (job.kind === "settings") report({ kind: "settingsSaved", ticket: job.ticket });
  try {
    store.checkpointIfDue(isIdle);
  } catch (error) {
    isBroken = true;
    report({
      kind: "failed",
      id: (last?.id ?? 0) + 1,
      reason: `checkpoint: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

port.on("message", (first: Job) => {
  const jobs: (WriteJob | SettingsJob)[] = [];
  let isClosing = false;
  for (let job: Job | undefined = first; job !== undefined; ) {
    if (job.kind === "close") isClosing = true;
    else jobs.push(job);
    const next: { message: Job } | undefined = receiveMessageOnPort(port);
    job = next?.message;
  }
  carryOut(jobs, jobs.length <= 1);
  if (!isClosing) return;
  store?.close();
  report({ kind: "closed" });
  port.close();
});
