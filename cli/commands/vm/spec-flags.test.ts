import { Command } from "commander";
import { expect, test } from "vitest";
import { vmSpecSchema } from "../../../core/index.ts";
import { addLateOptions, flagsOf } from "../../frame/index.ts";
import { blixard } from "../../testing/index.ts";
import { OWN_FLAGS, type SpecFlags, specOf, withSpecOptions } from "./spec-flags.ts";

/** Fields that do not fit on a command line: they are given in a file. */
const IN_FILES_ONLY = ["antiAffinity", "locality", "volumes", "healthChecks", "recovery"];

test("every field has a flag, with its bounds and its default, or is known to have none", () => {
  const { definition } = vmSpecSchema;
  const fields = definition.kind === "record" ? definition.fields : [];
  const without = fields.filter((field) => {
    const one = {
      definition: { ...definition, kind: "record", fields: [field] } as const,
      traits: vmSpecSchema.traits,
    };
    return flagsOf(one, OWN_FLAGS).length === 0;
  });
  expect(without.map(({ name }) => name)).toEqual(IN_FILES_ONLY);
});

test.each([
  ["vm", "create", "--help"],
  ["vm", "help", "create"],
])("%s %s %s shows them", async (...args) => {
  const { out } = await blixard(args);
  expect(out.replaceAll(/\s+/g, " ")).toContain("--vcpus <n> virtual CPUs, 1 to 1,024 (default: 2)");
  expect(out).toContain("--memory <MiB>");
});

test("what is not given stays in an update: there are no defaults", async () => {
  const { out } = await blixard(["vm", "update", "--help"]);
  expect(out.replaceAll(/\s+/g, " ")).toContain("--vcpus <n> virtual CPUs, 1 to 1,024 --memory");
});

test("completion knows them", async () => {
  expect((await blixard(["completion", "bash"])).out).toContain("--on-worker-lost");
});

async function parsed(...args: string[]): ReturnType<typeof specOf> {
  const command = withSpecOptions(new Command().exitOverride(), { defaults: true });
  await addLateOptions(command);
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
