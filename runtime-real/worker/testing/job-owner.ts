/**
 * A process that starts a job and does nothing more. Tests kill it, or make it hang. `job-owner.ts FOLDER LEASE_MS`
 */
import { pino } from "pino";
import { monotonicMs } from "../../processes/index.ts";
import { Jobs } from "../jobs.ts";

const [folder = "", leaseMs = ""] = process.argv.slice(2);
const jobs = await Jobs.open(folder, pino({ level: "silent" }), () => undefined);
jobs.fenceAt(monotonicMs() + Number(leaseMs));
const script = "echo $PPID > ready; sleep 1000 & setsid sleep 1000 & wait";
jobs.perform({
  kind: "runJob",
  id: "sleeper",
  attempt: 1,
  command: "sh",
  args: ["-c", script],
  timeoutMs: 3_600_000,
});
