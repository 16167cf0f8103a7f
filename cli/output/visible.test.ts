import fc from "fast-check";
import { expect, test } from "vitest";
import { safeJson, visible } from "./visible.ts";

test.each([
  ["colours", "\u001b[31mred\u001b[0m", "^[[31mred^[[0m"],
  ["a carriage return that would hide what is before it", "rm -rf /\rls", "rm -rf /^Mls"],
  ["a bell, a null and a delete", "\u0007\u0000\u007f", "^G^@^?"],
  [
    "the control characters that some terminals take for escapes",
    "\u009b31m\u009d0;x\u009c",
    "\\u009b31m\\u009d0;x\\u009c",
  ],
  ["text that runs backwards", "abc\u202ecba", "abc\\u202ecba"],
  ["characters that are not seen", "pay\u200bpal\ufeff\u{e0041}", "pay\\u200bpal\\ufeff\\udb40\\udc41"],
  ["other ends of lines", "one\u2028two\u0085three", "one\\u2028two\\u0085three"],
  ["what is harmless", "tab\tGrüße, 世界 🙂", "tab\tGrüße, 世界 🙂"],
])("%s", (_, text, shown) => expect(visible(text)).toBe(shown));

test("whatever the text is, nothing of it reaches the terminal, and JSON still says the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      expect(visible(text)).not.toMatch(/[^\P{C}\t\p{Cs}\p{Co}\p{Cn}]/u);
      const json = safeJson({ text });
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
});
