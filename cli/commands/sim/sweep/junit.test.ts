import fc from "fast-check";
import { expect, test } from "vitest";
import { violatedReport } from "../testing/index.ts";
import { escapeXml, type JunitCase, junitXml } from "./junit.ts";

const cases: readonly JunitCase[] = [
  { scenario: "calm", seed: 1, wallMs: 120, ok: true, violations: [] },
  { scenario: "swarm", seed: 1, wallMs: 80.4, ok: true, violations: [] },
  { scenario: "calm", seed: 2, wallMs: 30, ok: false, violations: violatedReport.violations },
];

test("a suite a scenario, a case a seed", () => {
  expect(junitXml(cases)).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="blixard sim sweep" tests="3" failures="1" time="0.230">
      <testsuite name="calm" tests="2" failures="1" time="0.150" errors="0" skipped="0">
        <testcase name="seed 1" classname="sim.calm" time="0.120"/>
        <testcase name="seed 2" classname="sim.calm" time="0.030">
          <failure type="electionSafety" message="two leaders in term 5">electionSafety at event 18234, virtual time 12.346 s&#10;two leaders in term 5&#10;node 1, elected by 1 2 3&#10;node 4, elected by 3 4 5&#10;replay: npm run sim -- --seed 12345 byzantine</failure>
        </testcase>
      </testsuite>
      <testsuite name="swarm" tests="1" failures="0" time="0.080" errors="0" skipped="0">
        <testcase name="seed 1" classname="sim.swarm" time="0.080"/>
      </testsuite>
    </testsuites>
    "
  `);
});

test("no run at all is still a document", () => {
  expect(junitXml([])).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="blixard sim sweep" tests="0" failures="0" time="0.000">\n</testsuites>\n',
  );
});

/** Undoes the escapes as an XML reader would. */
function unescapeXml(text: string): string {
  return text
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

test("whatever an oracle says comes out of the reader as it went in", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const escaped = escapeXml(text);
      expect(escaped).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|apos|#\d+);)/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to say them.
      if (!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text)) expect(unescapeXml(escaped)).toBe(text);
    }),
  );
});

test("what XML cannot say is replaced", () => {
  expect(escapeXml("a\u0000b\u001bc\ud800d\uffffe")).toBe("a\ufffdb\ufffdc\ufffdd\ufffde");
  expect(escapeXml("]]> &amp;\n😀")).toBe("]]&gt; &amp;amp;&#10;😀");
});
