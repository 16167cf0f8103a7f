/** The results of a sweep as JUnit XML, which CI systems read: a suite per scenario, a case per seed. */
import type { RunViolation } from "../../../../runtime-sim/index.ts";

export interface JunitCase {
  readonly scenario: string;
  readonly seed: number;
  readonly wallMs: number;
  readonly ok: boolean;
  readonly violations: readonly RunViolation[];
}

export function junitXml(cases: readonly JunitCase[]): string {
  const suites = Map.groupBy(cases, ({ scenario }) => scenario);
  const body = Array.from(suites, ([scenario, ofScenario]) =>
    [
      `  <testsuite ${attributes({ name: scenario, ...sumsOf(ofScenario), errors: 0, skipped: 0 })}>`,
      ...ofScenario.map(caseXml),
      "  </testsuite>",
    ].join("\n"),
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: "blixard sim sweep", ...sumsOf(cases) })}>`,
    ...body,
    "</testsuites>",
    "",
  ].join("\n");
}

function sumsOf(cases: readonly JunitCase[]): Record<"tests" | "failures" | "time", string | number> {
  return {
    tests: cases.length,
    failures: cases.filter(({ ok }) => !ok).length,
    time: seconds(cases.reduce((sumMs, { wallMs }) => sumMs + wallMs, 0)),
  };
}

function caseXml({ scenario, seed, wallMs, ok, violations }: JunitCase): string {
  const start = `    <testcase ${attributes({ name: `seed ${seed}`, classname: `sim.${scenario}`, time: seconds(wallMs) })}`;
  if (ok) return `${start}/>`;
  // Readers expect one failure per case: the first violation is its type, all violations are its text.
  const [first] = violations;
  const text = violations.map(
    ({ oracle, event, atMs, message, replay }) =>
      `${oracle} at event ${event}, virtual time ${seconds(atMs)} s\n${message}\nreplay: ${replay}`,
  );
  const named = { type: first?.oracle ?? "notOk", message: first?.message.split("\n", 1)[0] ?? "not ok" };
  return `${start}>\n      <failure ${attributes(named)}>${escapeXml(text.join("\n\n"))}</failure>\n    </testcase>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escapeXml(String(value))}"`)
    .join(" ");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // In an attribute a reader turns these into blanks.
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Escapes text for an element or an attribute. Characters that XML 1.0 cannot express become U+FFFD. */
export function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are to be replaced.
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replaceAll(/[&<>"'\t\n\r]/g, (character) => ESCAPES[character] ?? character)
  );
}
