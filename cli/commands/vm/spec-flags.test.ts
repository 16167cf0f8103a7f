/** The flags against the definition of the specification: bounds, defaults and choices in the help are the core's. */
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { type schema, vmSpecSchema } from "../../../core/index.ts";
import { count } from "../../output/index.ts";
import { SPEC_FLAGS, type SpecFlags, specOf, withSpecOptions } from "./spec-flags.ts";

const { definition } = vmSpecSchema;
if (definition.kind !== "record") throw new Error("the specification is a record");
const fields = new Map(definition.fields.map((field) => [field.name, field]));

/** As the help has a value. */
function shown(value: unknown): string {
  return typeof value === "number" ? count(value) : String(value);
}

function boundsOf(bare: schema.Definition): string {
  return bare.kind === "integer" ? `${count(bare.minimum)} to ${count(bare.maximum)}` : "";
}

describe("the help of a flag is what the core says", () => {
  test.each(SPEC_FLAGS.map((flag) => [flag.flags, flag] as const))("%s", (_, { field, about, fallback, choices }) => {
    const known = fields.get(field);
    if (known === undefined) throw new Error(`there is no field ${field}`);
    expect(about).toContain(boundsOf(known.definition));
    if (fallback !== undefined) expect(fallback).toBe(shown(known.traits.fallback));
    expect(choices).toEqual(known.definition.kind === "choice" ? known.definition.choices : undefined);
  });
});

async function parsed(...args: string[]): ReturnType<typeof specOf> {
  const command = withSpecOptions(new Command().exitOverride(), { defaults: true });
  command.parse(args, { from: "user" });
  return await specOf(command.opts<SpecFlags>());
}

test("flags add up to one specification, the later of one kind instead of the earlier", async () => {
  const { name, spec } = await parsed(
    ...["--vcpus", "1", "--vcpus", "4", "--no-preemptible", "--image", "a", "--image", "b"],
    ...["--feature", "gpu", "--feature", "kvm", "--network", "front", "--network", "any:dmz,fast"],
    ...["--metadata", "owner=ops", "--metadata", "tier=1=2", "--on-worker-lost", "wait", "--worker", "3"],
  );
  expect(name).toBeNull();
  expect(spec).toEqual({
    vcpus: 4,
    preemptible: false,
    source: { kind: "image", image: "b" },
    features: ["gpu", "kvm"],
    networks: [{ pool: "front" }, { pool: null, tags: ["dmz", "fast"] }],
    metadata: { owner: "ops", tier: "1=2" },
    onWorkerLost: "wait",
    workerId: 3,
  });
});

test("without flags nothing is said of any field", async () => {
  expect(await parsed()).toEqual({ name: null, spec: {} });
});
