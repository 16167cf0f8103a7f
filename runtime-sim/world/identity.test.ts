import fc from "fast-check";
import { expect, test } from "vitest";
import { Streams } from "../random/index.ts";
import { digest, Identities } from "./identity.ts";

function identities(seed = 1): Identities {
  return new Identities(new Streams(seed));
}

const bytes = fc.uint8Array({ maxLength: 80 });

test("a signature holds for its signer and its statement alone", () => {
  const registry = identities();
  const [one, other] = [registry.issue(1, 0), registry.issue(2, 0)];
  fc.assert(
    fc.property(bytes, bytes, (statement, another) => {
      const signature = one.sign(statement);
      expect(registry.verify(one.peerId, statement, signature)).toBe(true);
      expect(registry.verify(other.peerId, statement, signature)).toBe(false);
      expect(registry.verify("peer-9-9", statement, signature)).toBe(false);
      expect(registry.verify("", statement, "\u0000\ud800")).toBe(false);
      if (digest(statement) !== digest(another)) {
        expect(registry.verify(one.peerId, another, signature)).toBe(false);
      }
      expect(signature).not.toBe(digest(statement));
    }),
  );
});

test("an identity is issued once", () => {
  const registry = identities();
  expect(registry.issue(3, 0).peerId).toBe("peer-3-0");
  expect(registry.issue(3, 1).peerId).toBe("peer-3-1");
  expect(() => registry.issue(3, 0)).toThrow("peer-3-0");
});

test("signatures depend on the seed, not on who else was issued", () => {
  const crowded = identities();
  crowded.issue(0, 0);
  const statement = new Uint8Array([1, 2, 3]);
  const signature = identities().issue(1, 0).sign(statement);
  expect(crowded.issue(1, 0).sign(statement)).toBe(signature);
  expect(identities(2).issue(1, 0).sign(statement)).not.toBe(signature);
});

test("equal bytes have equal digests and others do not, however they lie in memory", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const shifted = new Uint8Array([9, ...a, 9]).subarray(1, a.length + 1);
      expect(digest(shifted)).toBe(digest(a));
      expect(digest(a) === digest(b)).toBe(Buffer.compare(a, b) === 0);
      expect(digest(a)).toMatch(/^[\w-]{11}$/);
    }),
    { numRuns: 1000 },
  );
});

test("padding, length and what was digested before do not show", () => {
  const lengths = Array.from({ length: 100 }, (_, length) => digest(new Uint8Array(length)));
  expect(new Set(lengths).size).toBe(100);
  digest(new Uint8Array(100_000).fill(255));
  expect(digest(new Uint8Array(3))).toBe(lengths[3]);
});

test("is the same on every machine", () => {
  expect(digest(new Uint8Array([]))).toBe("yiWsx_ZpdwA");
  expect(digest(Uint8Array.from({ length: 100 }, (_, i) => i))).toBe("xJJ-2YuDWOA");
});

test("every flipped bit, and every two, change about half of the digest", () => {
  const base = Uint8Array.from({ length: 24 }, (_, i) => 31 * i);
  const bits = (text: string): number[] =>
    [...text].flatMap((c) => {
      const six = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(c);
      return [0, 1, 2, 3, 4, 5].map((bit) => (six >> bit) & 1);
    });
  const flip = (input: Uint8Array, bit: number): Uint8Array =>
    input.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
  const before = bits(digest(base));
  const seen = new Set([digest(base)]);
  const changes: number[] = new Array(64).fill(0);
  let cases = 0;
  for (let first = 0; first < 192; first += 1) {
    for (const second of [first, (first + 32) % 192, (first + 64) % 192, (first + 1) % 192]) {
      const input = second === first ? flip(base, first) : flip(flip(base, first), second);
      const after = digest(input);
      seen.add(after);
      cases += 1;
      bits(after).forEach((bit, i) => {
        if (i < 64 && bit !== before[i]) changes[i] = (changes[i] ?? 0) + 1;
      });
    }
  }
  expect(seen.size).toBe(cases + 1);
  for (const count of changes) expect(Math.abs(count / cases - 0.5)).toBeLessThan(0.09);
});

test("32 of the 64 bits alone have no more collisions than chance allows", () => {
  const heads = new Set<string>();
  const tails = new Set<string>();
  const input = new Uint8Array(40);
  const count = 60_000;
  for (let i = 0; i < count; i += 1) {
    input[3] = i;
    input[17] = i >> 8;
    input[39] = i >> 16;
    const text = digest(input);
    heads.add(text.slice(0, 5));
    tails.add(text.slice(6));
  }
  // 30 bits and 28 bits: 1.7 and 6.7 expected.
  expect(count - heads.size).toBeLessThan(9);
  expect(count - tails.size).toBeLessThan(20);
});
