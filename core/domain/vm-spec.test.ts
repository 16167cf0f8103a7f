import fc from "fast-check";
import { expect, test } from "vitest";
import { breaches, decoded, InvalidField, type Random, valid } from "../schema/index.ts";
import { DEFAULT_VM_SPEC, type Hypervisor, vmSpec, vmSpecSchema } from "./vm-spec.ts";

const random: fc.Arbitrary<Random> = fc.infiniteStream(fc.nat(2 ** 31 - 1)).map((numbers) => (bound) => {
  const { value } = numbers.next();
  return Number(value) % bound;
});

test("every valid specification comes back from its encoding", () => {
  fc.assert(
    fc.property(random, (numbers) => {
      const spec = valid(vmSpecSchema, numbers);
      expect(decoded(vmSpecSchema, vmSpecSchema.write(spec), "spec")).toEqual(spec);
    }),
  );
});

test("a field that breaks one rule is refused, and named", () => {
  fc.assert(
    fc.property(random, (numbers) => {
      for (const { field, what, value } of breaches(vmSpecSchema, numbers)) {
        const encoded: unknown = Reflect.apply(vmSpecSchema.write, vmSpecSchema, [value]);
        expect(() => decoded(vmSpecSchema, encoded, "spec"), `${what} at ${field}`).toThrow(InvalidField);
      }
    }),
    { numRuns: 20 },
  );
});

test("the encoding of the defaults, part by part", () => {
  expect(vmSpecSchema.write(DEFAULT_VM_SPEC)).toEqual([
    ...[2, 1024, 5, 3, "default", 500, true, [], [], null, [], [], null, []],
    ...[[3, 5000, 2, 300_000, 3_600_000], [], 0, null, 120_000, 10_000],
  ]);
});

test("one from before has fewer parts: before there were workers, and before times to boot and to power off", () => {
  const encoded = vmSpecSchema.write(vmSpec({ vcpus: 3 }));
  const parts = Array.isArray(encoded) ? encoded : [];
  expect(decoded(vmSpecSchema, parts.slice(0, 16), "spec")).toEqual(vmSpec({ vcpus: 3 }));
  expect(decoded(vmSpecSchema, parts.slice(0, 18), "spec")).toEqual(vmSpec({ vcpus: 3 }));
  for (const length of [17, 19])
    expect(() => decoded(vmSpecSchema, parts.slice(0, length), "spec")).toThrow("must have 20 parts");
});

test("what was encoded before version 4 requires no cloud-hypervisor: it was the default, and any would do", () => {
  const read = (hypervisor: Hypervisor, parts: number, version: number | null) => {
    const encoded = vmSpecSchema.write(vmSpec({ hypervisor, vcpus: 3 }));
    return decoded(vmSpecSchema, Array.isArray(encoded) ? encoded.slice(0, parts) : null, "spec", version);
  };
  const earlier: [number, number | null][] = [
    [16, 1],
    [16, 2],
    [18, 3],
    // In a log entry.
    [16, null],
    [18, null],
  ];
  for (const [parts, version] of earlier) {
    expect(read("cloud-hypervisor", parts, version)).toEqual(vmSpec({ vcpus: 3 }));
    expect(read("qemu", parts, version)).toEqual(vmSpec({ hypervisor: "qemu", vcpus: 3 }));
  }
  for (const version of [4, null])
    expect(read("cloud-hypervisor", 20, version)).toEqual(vmSpec({ hypervisor: "cloud-hypervisor", vcpus: 3 }));
});

test("a network is its pool's name, or the tags that the pool must carry", () => {
  const encoded = (networks: (typeof DEFAULT_VM_SPEC)["networks"]): unknown => {
    const parts = vmSpecSchema.write(vmSpec({ networks }));
    return Array.isArray(parts) ? parts[10] : null;
  };
  expect(encoded([{ pool: "front" }, { pool: null, tags: ["fast"] }])).toEqual(["front", ["fast"]]);
});
