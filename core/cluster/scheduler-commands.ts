/** How the cluster places from now on. */
import { type CommandResult, schedulerSettingsSchema } from "../domain/index.ts";
import { command } from "./command-definition.ts";

const configured: CommandResult = Object.freeze({ ok: true, kind: "schedulerConfigured" });

export const schedulerCommands = {
  configureScheduler: command({
    askedBy: "client",
    number: [9, 20],
    since: 2,
    fields: { settings: schedulerSettingsSchema },
    refusals: [],
    audit: { number: 28, target: () => null },
    apply(batch, { settings }) {
      batch.scheduler = settings;
      batch.roomMayHaveGrown();
      batch.happened({ kind: "schedulerConfigured", strategy: settings.strategy });
      return configured;
    },
  }),
};
