/** The commands about the cluster, against a real node in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningNode } from "../../../runtime-real/index.ts";
import { plain } from "../../output/index.ts";
import { blixard, nodeIn } from "../../testing/index.ts";
import { renderStatus } from "./status.ts";

let folder = "";
let node: RunningNode;
let here: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  node = await nodeIn(folder);
  here = ["--data-dir", folder];
  // Answered once there is a leader.
  expect((await blixard(["cluster", "members", ...here])).code).toBe(0);
});
afterAll(async () => {
  await node.stop(1000);
  rmSync(folder, { recursive: true, force: true });
});

test("the cluster's state, for people and for programs", async () => {
  const shown = await blixard(["cluster", "status", ...here]);
  expect(shown).toMatchObject({ code: 0, err: "" });
  expect(shown.out).toContain("node 1 leads");
  const status = JSON.parse((await blixard(["cluster", "status", "--json", ...here])).out);
  const lost = { ...status, leaderId: null, quorum: { has: false, needed: 2, connected: 1, missing: [2, 3] } };
  expect(renderStatus(lost, plain, 80).join("\n")).toContain(
    "QUORUM LOST: 1 voters of 2 needed; missing: node 2, node 3",
  );
  expect((await blixard(["cluster", "members", ...here])).out).toMatch(/1 +voter +127\.0\.0\.1:\d+ +12D3/);
  expect((await blixard(["cluster", "transfer-leader", ...here])).err).toContain("no other voter");
});

test("the members fit the terminal, however many addresses they have and in whatever colour", async () => {
  const status = JSON.parse((await blixard(["cluster", "status", "--json", ...here])).out);
  const addresses = Array.from({ length: 8 }, (_, n) => `[2001:db8:0:0:0:0:0:${n}]:7001`);
  const wide = { ...status, members: [{ ...status.members[0], id: 2, addresses }] };
  const coloured: typeof plain = (_, text) => `\u001b[32m${text}\u001b[39m`;
  const [last = ""] = renderStatus(wide, coloured, 60).slice(-1);
  expect(stripVTControlCharacters(last)).toHaveLength(60);
  expect(last).toContain(coloured("green", "connected"));
  expect(last.endsWith("…")).toBe(true);
});
