import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const launcher = fileURLToPath(new URL("blixard.js", import.meta.url));

test("a Node too old is told so in one line", () => {
  const pretend = `data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.19.1"}})`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", pretend, launcher, "--help"], {
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^blixard needs Node 24 or newer .*npm install.*npx blixard.*\n$/);
});

test("the supported Node starts without a warning", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, "--help"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain("blixard");
});
