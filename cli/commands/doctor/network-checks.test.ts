import { expect, test } from "vitest";
import type { HostDevice } from "../../../runtime-real/index.ts";
import { deviceFinding, forwardingFinding, groupFinding, routeFinding, unitFinding } from "./network-checks.ts";

const prepared: HostDevice = {
  ...{ name: "vm1", isPrepared: true, hasManyQueues: false, hasRoute: true, owner: null, address: null },
};
const own: HostDevice = {
  ...{ name: "bx-1-2", isPrepared: false, hasManyQueues: false, hasRoute: true, owner: "/d", address: "10.0.0.2" },
};

test("a host that forwards nothing", () => {
  expect(forwardingFinding(false, true)).toMatchObject({
    state: "warning",
    mend: "sudo scripts/setup-tap-networking.sh",
  });
  expect(forwardingFinding(true, false)).toMatchObject({ state: "ok", found: expect.stringContaining("--ipv6") });
});

test("devices without multi_queue, where guests want it", () => {
  expect(deviceFinding([prepared, own], true)).toMatchObject({
    state: "warning",
    found: expect.stringContaining("vm1 without multi_queue"),
    mend: "sudo scripts/setup-tap-networking.sh --multi-queue",
  });
  expect(deviceFinding([{ ...prepared, hasManyQueues: true }], true).state).toBe("ok");
  // This driver takes either, and makes its own as it wants them.
  expect(deviceFinding([prepared], false).state).toBe("ok");
  expect(deviceFinding([own], true).state).toBe("ok");
  expect(deviceFinding([], true).state).toBe("ok");
});

test("units of the system instead of the user's", () => {
  expect(unitFinding("")).toMatchObject({ state: "ok" });
  expect(unitFinding("blixard-vm-web.service loaded active running web\n")).toMatchObject({
    state: "warning",
    mend: expect.stringContaining("sudo systemctl stop blixard-vm-web;"),
  });
});

test("missing groups: where they are not, where the user is not in them, and until the next login", () => {
  const file = (members: string) => `root:x:0:\nkvm:x:104:\nblixard:x:998:${members}\n`;
  expect(groupFinding("ann", file("ann"), [104, 998, 1000])).toMatchObject({ state: "ok" });
  expect(groupFinding("ann", "root:x:0:\nkvm:x:104:\n", [104])).toMatchObject({
    mend: "sudo scripts/setup-tap-networking.sh --user ann",
  });
  expect(groupFinding("ann", file(""), [104])).toMatchObject({ mend: "sudo usermod -aG blixard ann" });
  expect(groupFinding("ann", file("bob,ann"), [104])).toMatchObject({ mend: expect.stringContaining("log in anew") });
});

test("missing routes", () => {
  expect(routeFinding([own, prepared])).toMatchObject({ state: "ok" });
  expect(routeFinding([{ ...own, hasRoute: false }, prepared])).toMatchObject({
    state: "warning",
    mend: "sudo ip route replace 10.0.0.2 dev bx-1-2",
  });
  expect(routeFinding([{ ...prepared, hasRoute: false }])).toMatchObject({
    mend: "sudo scripts/setup-tap-networking.sh",
  });
});
