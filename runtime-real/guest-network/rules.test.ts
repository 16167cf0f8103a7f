import { expect, test } from "vitest";
import { ruleset, tableOf } from "./rules.ts";

const guest = { tap: "bx-1-1", mac: "02:b1:00:01:00:01", address: "10.0.0.1", prefixLength: 24 };
const sixth = { tap: "bx-2-1", mac: "02:b1:00:02:00:01", address: "fd00::1", prefixLength: 64 };
const PLAIN = { masquerade: false, guestPorts: [] };

test("a guest may send from its own address and device, and no other", () => {
  const rules = ruleset("blixard-x", [guest, sixth], PLAIN);
  expect(rules).toContain('elements = { "bx-1-1" . 02:b1:00:01:00:01 . 10.0.0.1 }');
  expect(rules).toContain('elements = { "bx-2-1" . 02:b1:00:02:00:01 . fd00::1 }');
  expect(rules).not.toContain("masquerade");
  expect(rules).not.toContain("dport");
});

test("they replace those before at once, and without guests none are left", () => {
  const removal = ["inet", "arp"].flatMap((family) => [`add table ${family} t`, `delete table ${family} t`]);
  expect(ruleset("t", [], PLAIN)).toBe(`${removal.join("\n")}\n`);
  expect(ruleset("t", [guest], PLAIN).startsWith(removal.join("\n"))).toBe(true);
});

test("what is allowed is told apart by protocol, and what stays within the pools keeps its address", () => {
  const rules = ruleset("t", [guest, { ...guest, tap: "bx-1-2", address: "10.0.0.2" }], {
    masquerade: true,
    guestPorts: ["udp/53", "tcp/53", "tcp/80"],
  });
  expect(rules).toContain("tcp dport { 53, 80 } accept");
  expect(rules).toContain("udp dport { 53 } accept");
  expect(rules).toContain("ip saddr @guests4 ip daddr != @pools4 masquerade");
});

test("workers of one host have tables of their own", () => {
  expect(tableOf("/var/lib/blixard-1/machines")).not.toBe(tableOf("/var/lib/blixard-2/machines"));
});
