import fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { describe, expect, test } from "vitest";
import { isWellFormed } from "./well-formed.ts";

const packr = new Packr({ useRecords: false });

describe("well-formed MessagePack", () => {
  test("whatever is made of the allowed kinds passes", () => {
    const scalar = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.string({ unit: "binary", maxLength: 300 }).filter((s) => !s.startsWith("\uFEFF")),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 8 }, scalar, fc.array(tie("value"), { maxLength: 20 })),
    }));
    fc.assert(
      fc.property(value, (original) => {
        expect(isWellFormed(new Uint8Array(packr.pack(original)))).toBe(true);
      }),
    );
  });

  test("what passes decodes without a throw, and its text is the same by any decoder", () => {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const bytes = fc.array(
      fc.oneof(fc.constantFrom(0xc3, 0xa9, 0xed, 0xa0, 0xef, 0xbb, 0xbf, 0xf0, 0x90, 0xf4), fc.nat(255)),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(bytes, (content) => {
        const text = Uint8Array.of(0xa0 + content.length, ...content);
        let strict: string | null = null;
        try {
          strict = utf8.decode(Uint8Array.from(content));
        } catch {}
        if (strict?.startsWith("\uFEFF")) strict = null;
        expect(isWellFormed(text)).toBe(strict !== null);
        if (strict !== null) expect(packr.unpack(text)).toBe(strict);
      }),
      { numRuns: 5000 },
    );
  });

  test.each<[string, readonly number[]]>([
    ["nothing", []],
    ["a map", [0x81, 0xa1, 0x61, 0x01]],
    ["a map, 16-bit", [0xde, 0x00, 0x00]],
    ["binary", [0xc4, 0x01, 0x00]],
    ["an extension", [0xd4, 0x73, 0x90]],
    ["a date", [0xd6, 0xff, 0, 0, 0, 0]],
    ["a float", [0xca, 0, 0, 0, 0]],
    ["a 64-bit integer", [0xcf, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["the unused byte", [0xc1]],
    ["a second value", [0x01, 0x01]],
    ["a short array", [0x92, 0x01]],
    ["a huge array", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a huge text", [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["a cut length", [0xdc, 0x00]],
    ["a cut integer", [0xce, 0x00]],
    ["a cut double", [0xcb, 0x00]],
    ["deep nesting", new Array<number>(10_000).fill(0x91)],
  ])("%s is refused", (_, bytes) => {
    expect(isWellFormed(Uint8Array.from(bytes))).toBe(false);
  });
});
