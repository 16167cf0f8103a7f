import { expect, test } from "vitest";
import { formatTransition } from "./transition.ts";

test("a transition is one aligned line", () => {
  const lines = [
    formatTransition({ atMs: 1234.5678, event: 99, node: 3, term: 7, kind: "role", detail: "candidate -> leader" }),
    formatTransition({
      atMs: 123_456.789,
      event: 123_456,
      node: null,
      term: null,
      kind: "fault",
      detail: "pause on n1",
    }),
    formatTransition({ atMs: 0, event: 0, node: 12, term: 1000, kind: "membership", detail: "voters 1 2 3" }),
  ];
  expect(lines).toMatchInlineSnapshot(`
    [
      "     1.234568         99    n3      t7  role        candidate -> leader",
      "   123.456789     123456     -       -  fault       pause on n1",
      "     0.000000          0   n12   t1000  membership  voters 1 2 3",
    ]
  `);
});
