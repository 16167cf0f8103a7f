import { describe, expect, test } from "vitest";
import { plain } from "../../output/index.ts";
import { jsonOf } from "./record.ts";
import { summaryOf } from "./summary.ts";
import { holdingReport, violatedReport } from "./testing/index.ts";

const summary = (report: typeof holdingReport): string => summaryOf({ report, wallMs: 410 }, plain).join("\n");

test("a run that holds", () => {
  expect(summary(holdingReport)).toMatchInlineSnapshot(`
    "scenario      byzantine
    seed          12345
    virtual time  3 min 00 s in 410 ms, 439 × as fast
    events        182,340, 444,732 a second
    nodes         5
    elections     7
    commits       1,204

    client operations (latencies in virtual time)
              answered    p50     p99     max
      writes       812  12 ms  452 ms  2.10 s
      reads          0      -       -       -
      1,100 ok, 12 refused, 9 of unknown outcome

    refused to clients (times)
      noLeader   2
      vmExists  10

    messages
      sent        91,004
      delivered   88,100
      lost         2,804
      duplicated     100
      as bytes    17,001

    faults injected (times)
      crash        3
      isolateOne  12

    oracles (checks)
      electionSafety  182,340
      logMatching      40,112

    Byzantine verdicts
      act             times  led  to notice  believed  expected  seen
      twoVotes            3  yes          2         1  failStop  failStop  as expected
      corruptMessage  1,200  no           4         0  inert     evicted   NOT AS EXPECTED

    evidence kept (times)
      doubleVote  3

    trace hash  0123456789abcdef
    result      holds"
  `);
});

test("what tenants and operators asked, and how it ended, is counted where there is a fleet", () => {
  expect(summary({ ...holdingReport, requests: { "createVm ok": 4, "createVm quotaExceeded": 1 } })).toContain(
    "requests of tenants and operators (times)\n  createVm ok             4\n  createVm quotaExceeded  1\n",
  );
  expect(summary(holdingReport)).not.toContain("requests of");
});

test("what the scenario is there to show is said", () => {
  expect(summary({ ...holdingReport, shown: { "one-place": 4 } })).toContain(
    "shown, as this scenario is there to (times)\n  one-place  4\n",
  );
});

test("a run that is violated says which oracle, when, what it saw, and how to see it again", () => {
  const text = summary(violatedReport);
  expect(text.slice(text.indexOf("faults injected"))).toMatchInlineSnapshot(`
    "faults injected: none

    oracles (checks)
      electionSafety  182,340
      logMatching      40,112

    violated: electionSafety
      at      event 18,234, virtual time 12.346 s
      saw     two leaders in term 5
              node 1, elected by 1 2 3
              node 4, elected by 3 4 5
      replay  npm run sim -- --seed 12345 byzantine

    trace hash  0123456789abcdef
    result      violated (1 violation)"
  `);
});

describe("the result", () => {
  const result = (changes: Partial<typeof holdingReport>): string | undefined =>
    summary({ ...holdingReport, ...changes })
      .split("\n")
      .at(-1);

  test("of a run that was cut short", () => {
    expect(result({ interrupted: true })).toBe(
      "result      interrupted at virtual time 180.000 s, nothing violated until then",
    );
  });

  test("of a cluster that stays stuck for a reason", () => {
    expect(result({ excused: "3 of 5 disks are lost" })).toBe(
      "result      holds; not live again, excused: 3 of 5 disks are lost",
    );
  });

  test("of a scenario that is known to fail", () => {
    expect(result({ ...violatedReport, expectedUntil: "leaders are elected one at a time" })).toBe(
      "result      violated, as expected until leaders are elected one at a time",
    );
  });

  test("of a run that is violated and cut short", () => {
    expect(result({ ...violatedReport, interrupted: true })).toBe("result      violated (1 violation)");
  });
});

test("the JSON has every field that the issue names, and all of the report", () => {
  const json = jsonOf({ report: violatedReport, wallMs: 410 });
  for (const field of ["wallMs", "version", ...Object.keys(violatedReport)]) expect(json).toHaveProperty(field);
  expect(JSON.parse(JSON.stringify(json))).toEqual(json);
});
