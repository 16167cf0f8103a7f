import { expect, test } from "vitest";
import { type RunRequest, replayCommand } from "./request.ts";

const request: RunRequest = { scenario: "byzantine", seed: 12345, nodes: null, durationMs: null, faultsPath: null };

test("the shortest command that runs the same again", () => {
  expect(replayCommand(request)).toBe("npm run sim -- --seed 12345 byzantine");
});

test("whatever was not the scenario's own is in it, fit for a shell", () => {
  expect(replayCommand({ ...request, nodes: 3, durationMs: 600_000, faultsPath: "a/faults.json" })).toBe(
    "npm run sim -- --seed 12345 --nodes 3 --duration 10m --faults a/faults.json byzantine",
  );
  expect(replayCommand({ ...request, faultsPath: "it's mine; $HOME.json" })).toBe(
    `npm run sim -- --seed 12345 --faults 'it'\\''s mine; $HOME.json' byzantine`,
  );
});
