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

test.each([["--help"], ["vm", "list", "--data-dir", "/nowhere"], ["cluster", "status", "--data-dir", "/nowhere"]])(
  "%s %s is there at once: it loads nothing that only a node needs",
  (...args) => {
    const watch = `
      import { registerHooks } from "node:module";
      const loaded = new Set();
      registerHooks({
        load(url, context, next) {
          const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
          if (name !== undefined) loaded.add(name);
          return next(url, context);
        },
      });
      process.on("exit", () => console.error("loaded: " + [...loaded].sort().join(" ")));`;
    const hook = `data:text/javascript,${encodeURIComponent(watch)}`;
    const { stderr } = spawnSync(process.execPath, ["--import", hook, launcher, ...args], { encoding: "utf8" });
    // A start may take 250 ms. zod alone would cost a quarter of that, libp2p all of it.
    expect(stderr.split("\n").find((line) => line.startsWith("loaded: "))).toBe("loaded: commander");
  },
);
