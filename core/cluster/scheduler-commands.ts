/** How the cluster places from now on. */
import { type CommandResult, generationSchema, refused, schedulerSettingsSchema } from "../domain/index.ts";
import { nullable } from "../schema/index.ts";
import { command } from "./command-definition.ts";

const configured: CommandResult = Object.freeze({ ok: true, kind: "schedulerConfigured" });

export const schedulerCommands = {
  configureScheduler: command({
    askedBy: "client",
    number: [9, 20],
    since: 2,
    fields: {
      settings: schedulerSettingsSchema,
      /** All settings are replaced at once: who changes one has read the others. Null: whatever there is. */
      expectedGeneration: nullable(generationSchema).default(null),
    },
    refusals: ["generationMismatch"],
    audit: { number: 28, target: () => null },
    apply(batch, { settings, expectedGeneration: expected }) {
      const actual = batch.schedulerGeneration;
      if (expected !== null && expected !== actual) return refused({ kind: "generationMismatch", expected, actual });
      batch.scheduler = settings;
      batch.schedulerGeneration = actual + 1;
      batch.roomMayHaveGrown();
      batch.happened({ kind: "schedulerConfigured", strategy: settings.strategy });
      return configured;
    },
  }),
};
