import { expect, test } from "vitest";
import { causeOf } from "./end-cause.ts";
import type { RunEnd } from "./files.ts";

const exited: RunEnd = { how: "exited", detail: "exit code 0" };
const killed: RunEnd = { how: "killed", detail: "SIGKILL" };

function events(...reasons: readonly string[]): string {
  const lines = reasons.map((reason) =>
    JSON.stringify({ timestamp: {}, event: "SHUTDOWN", data: { guest: reason.startsWith("guest"), reason } }),
  );
  return ['{"QMP": {}}', '{"return": {}}', '{"event": "POWERDOWN"}', ...lines, ""].join("\n");
}

test.each([
  ["the guest powered off", exited, events("guest-shutdown"), false, "guest-shutdown", true],
  ["it was asked to, and did", exited, events("guest-shutdown"), true, "guest-shutdown", true],
  ["the guest rebooted", exited, events("guest-reset"), false, "guest-reset", false],
  ["the guest panicked", exited, events("guest-panic"), false, "guest-panic", false],
  ["somebody on the host sent SIGTERM", exited, events("host-signal"), false, "host-signal", false],
  ["it was ended because it did not power off", exited, events("host-signal"), true, "host-signal", true],
  ["somebody sent SIGKILL", killed, events(), false, "killed", false],
  ["it was killed because it did not power off", killed, events(), true, "killed", true],
  ["the lease ran out", { how: "fenced", detail: "" } as const, events(), false, "fenced", false],
  ["the lease ran out while it was stopping", { how: "fenced", detail: "" } as const, "", true, "fenced", false],
  ["it was never started", { how: "notStarted", detail: "no tap" } as const, "", false, "not-started", false],
  ["nobody saw how", null, events(), false, "unknown", false],
])("%s", (_, end, log, wasAsked, cause, isOrderly) => {
  expect(causeOf(end, log, "", wasAsked)).toMatchObject({ cause, isOrderly });
});

test("an exit code alone says nothing: QEMU says why on its standard error, or nobody knows", () => {
  expect(causeOf(exited, events(), "could not open disk\n", false)).toMatchObject({
    isOrderly: false,
    reason: "its hypervisor ended: could not open disk",
  });
});

test("a last line that was cut off does not hide the ones before it", () => {
  const cut = `${events("guest-shutdown")}{"event": "SHUTDOWN", "da`;
  expect(causeOf(exited, cut, "", false).cause).toBe("guest-shutdown");
});
