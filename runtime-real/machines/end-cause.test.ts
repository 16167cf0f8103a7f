import { expect, test } from "vitest";
import { causeOf, shutdownCause } from "./end-cause.ts";
import type { RunEnd } from "./files.ts";
import type { Asker } from "./machine-process.ts";

function exited(cause: string | null): RunEnd {
  return { how: "exited", cause, detail: "exit code 0", by: null };
}
function by(asker: Asker, end: RunEnd): RunEnd {
  return { ...end, by: asker };
}
const killed: RunEnd = { how: "killed", cause: null, detail: "SIGKILL", by: null };
const fenced: RunEnd = { how: "fenced", cause: null, detail: "SIGKILL", by: null };
const notStarted: RunEnd = { how: "notStarted", cause: null, detail: "it could not be started: no tap", by: null };

test.each([
  ["the guest powered off", exited("guest-shutdown"), false, true, "the guest powered off"],
  ["it was asked to, and did", exited("guest-shutdown"), true, true, "the guest powered off"],
  ["the guest rebooted", exited("guest-reset"), false, false, "the guest rebooted"],
  ["the guest panicked", exited("guest-panic"), false, false, "the guest's kernel panicked"],
  ["somebody on the host sent SIGTERM", exited("host-signal"), false, false, "a signal ended it"],
  ["a cause that this version does not know", exited("new-cause"), false, false, "new-cause"],
  ["it was sent SIGTERM because it did not power off", exited("host-signal"), true, true, "not powered off in time"],
  ["somebody sent SIGKILL", killed, false, false, "its hypervisor ended: SIGKILL"],
  ["it was killed because it did not power off", killed, true, true, "not powered off in time"],
  ["the lease ran out", fenced, false, false, "fenced"],
  ["the lease ran out while it was stopping", fenced, true, false, "fenced"],
  ["it was never started", notStarted, false, false, "it could not be started: no tap"],
  ["it was told to stop before it was started", notStarted, true, true, "it could not be started: no tap"],
  ["somebody stopped its unit", by("unit", exited("guest-shutdown")), false, true, "stopped its unit"],
  ["somebody stopped its unit, and it hung", by("unit", killed), false, true, "stopped its unit"],
  ["the host shut down", by("host", exited("guest-shutdown")), false, false, "its host was shut down"],
  ["it was stopped, and the host shut down", by("host", exited("guest-shutdown")), true, true, "powered off"],
  ["the host shut down after its lease", by("host", fenced), false, false, "fenced"],
  ["nobody saw how", null, false, false, "ended while nobody saw it"],
  ["an exit code alone says nothing", exited(null), false, false, "its hypervisor ended: exit code 0"],
])("%s", (_, end, wasAsked, isOrderly, reason) => {
  expect(causeOf(end, wasAsked)).toEqual({ isOrderly, reason: expect.stringContaining(reason) });
});

test.each([
  ['{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}', "guest-reset"],
  ['{"event": "POWERDOWN"}', null],
  ['{"return": {}}', null],
  ['{"event": "SHUTDOWN", "da', null],
  ['{"event": "OTHER", "data": {"text": "\\"SHUTDOWN\\""}}', null],
])("%s", (line, cause) => {
  expect(shutdownCause(line)).toBe(cause);
});
