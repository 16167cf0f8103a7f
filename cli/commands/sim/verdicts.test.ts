import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERDICTS } from "../../../runtime-sim/index.ts";

const WORDS = { inert: "inert", believed: "believed", evicted: "evicted", failStop: "fail-stop", found: "found" };

test("the manual's table of acts has every act, with the outcomes that the code allows", () => {
  const manual = readFileSync(join(import.meta.dirname, "../../../docs/byzantine.md"), "utf8");
  const [, table = ""] = manual.split(
    "\n| act | what the liar does | expected | where it must show |\n|---|---|---|---|\n",
  );
  const rows = Array.from(table.matchAll(/^\| (.*?) \| .*? \| (.*?) \| .*? \|$/gm), ([, acts = "", expected = ""]) =>
    Array.from(acts.matchAll(/`([^`]+)`/g), ([, act = ""]) => [act, expected.split(/, or |, /)]),
  ).flat();
  expect(rows).toEqual(VERDICTS.map(({ act, outcomes }) => [act, outcomes.map((outcome) => WORDS[outcome])]));
});
