import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";

test("the check value that every CRC-32C has", () => {
  const digits = Uint8Array.from("123456789", (digit) => digit.charCodeAt(0));
  expect(crc32c(digits, 0, digits.length)).toBe(0xe3069283);
});

test("the examples of RFC 3720, appendix B.4", () => {
  expect(crc32c(new Uint8Array(32), 0, 32)).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff), 0, 32)).toBe(0x62a8ab43);
  expect(
    crc32c(
      Uint8Array.from({ length: 32 }, (_, at) => at),
      0,
      32,
    ),
  ).toBe(0x46dd794e);
});

test("agrees with the definition, bit by bit, and in two parts as in one", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      const middle = Math.min(cut, bytes.length);
      const sum = crc32c(bytes, 0, bytes.length);
      expect(sum).toBe(bitByBit(bytes));
      expect(crc32c(bytes, middle, bytes.length, crc32c(bytes, 0, middle))).toBe(sum);
    }),
  );
});

function bitByBit(bytes: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return ~sum >>> 0;
}
