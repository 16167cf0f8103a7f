/** Changes of the desired state: `vm start`, `stop`, `restart`, `migrate` and `delete`. */
import type { Command } from "commander";
import type { AnswerOf, ApiClient } from "../../../runtime-real/index.ts";
import { type ClientOptions, QUESTION_MS, type WaitOptions, withNode, withWaitOptions } from "../../client/index.ts";
import { confirm, parseNodeId, type Session, withExamples } from "../../frame/index.ts";
import { orSuggest, showOrSuggest, type Vm } from "./names.ts";
import { untilReached, type VmGoal, whereAndHow } from "./waiting.ts";

export function registerStart(vm: Command, session: Session): void {
  withWaitOptions(
    withExamples(vm.command("start"), ["blixard vm start web"])
      .description("Have a VM run.")
      .argument("<vm>", "which VM"),
    "it runs",
  ).action(async (name: string, options: WaitOptions) => {
    const goal: VmGoal = { asked: "asked to run", reached: ({ state }) => state === "Running" };
    await change(name, options, session, goal, (api, timeoutMs) => api.write("vm.start", { name }, { timeoutMs }));
  });
}

export function registerStop(vm: Command, session: Session): void {
  withWaitOptions(
    withExamples(vm.command("stop"), ["blixard vm stop web"])
      .description("Stop a VM. It keeps its place, its disk and its addresses.")
      .argument("<vm>", "which VM"),
    "it stands still",
  ).action(async (name: string, options: WaitOptions) => {
    const goal: VmGoal = { asked: "asked to stop", reached: ({ state }) => state === "Stopped" };
    await change(name, options, session, goal, (api, timeoutMs) => api.write("vm.stop", { name }, { timeoutMs }));
  });
}

export function registerRestart(vm: Command, session: Session): void {
  withWaitOptions(
    withExamples(vm.command("restart"), ["blixard vm restart web"])
      .description("Have a VM run anew where it is.")
      .argument("<vm>", "which VM"),
    "it runs again",
  ).action(async (name: string, options: WaitOptions) => {
    await changeFrom(
      name,
      options,
      session,
      ({ epoch }) => ({
        asked: "asked to restart",
        reached: (now) => now.state === "Running" && now.epoch !== epoch,
      }),
      (api, timeoutMs) => api.write("vm.restart", { name }, { timeoutMs }),
    );
  });
}

export function registerMigrate(vm: Command, session: Session): void {
  withWaitOptions(
    withExamples(vm.command("migrate"), ["blixard vm migrate web", "blixard vm migrate web --to 3"])
      .description("Stop a VM and run it on another worker.")
      .argument("<vm>", "which VM")
      .option("--to <n>", "that worker; wherever it fits best unless given", parseNodeId),
    "it runs there",
  ).action(async (name: string, options: WaitOptions & { readonly to?: number }) => {
    await changeFrom(
      name,
      options,
      session,
      ({ epoch }) => ({
        asked: "asked to move",
        reached: (now) => now.state === "Running" && now.epoch !== epoch,
      }),
      (api, timeoutMs) => api.write("vm.migrate", { name, to: options.to ?? null }, { timeoutMs }),
    );
  });
}

const DELETED: VmGoal = { asked: "being deleted", reached: () => false, isToGo: true };

export function registerDelete(vm: Command, session: Session): void {
  const { terminal } = session;
  withWaitOptions(
    withExamples(vm.command("delete"), ["blixard vm delete web --yes"])
      .description("Delete a VM: it is gone when its machine, its disk and its addresses are.")
      .argument("<vm>", "which VM")
      .option("--yes", "do not ask"),
    "it is gone",
  ).action(async (name: string, options: WaitOptions & { readonly yes?: true }) => {
    await confirm(`Delete the VM ${name}?`, options);
    await withNode(options, async (api) => {
      const timeoutMs = Math.min(options.timeout, QUESTION_MS);
      const answer = await orSuggest(api, name, () => api.write("vm.delete", { name }, { timeoutMs }));
      if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
      if (options.wait === false) {
        if (options.json !== true) terminal.out(`${name} is being deleted: ${place(answer)}`);
        return;
      }
      const ended = await untilReached(api, name, DELETED, options, session);
      if (ended.kind === "gone" && options.json !== true) terminal.out(`${name} deleted: ${place(answer)}`);
    });
  });
}

type Ask = (api: ApiClient, timeoutMs: number) => Promise<AnswerOf<"vm.start">>;

async function change(name: string, options: WaitOptions, session: Session, goal: VmGoal, ask: Ask): Promise<void> {
  await changeFrom(name, options, session, () => goal, ask);
}

/** The goal may depend on the VM before the change. */
async function changeFrom(
  name: string,
  options: WaitOptions & ClientOptions,
  session: Session,
  goalFrom: (before: Vm) => VmGoal,
  ask: Ask,
): Promise<void> {
  const { terminal } = session;
  await withNode(options, async (api) => {
    const timeoutMs = Math.min(options.timeout, QUESTION_MS);
    const { vm: before } = await showOrSuggest(api, name, { ...options, timeout: timeoutMs });
    const goal = goalFrom(before);
    const answer = await orSuggest(api, name, () => ask(api, timeoutMs));
    if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
    else terminal.out(`${name} is ${goal.asked}: ${place(answer)}`);
    if (options.wait === false) return;
    const ended = await untilReached(api, name, goal, options, session);
    if (ended.kind === "reached" && options.json !== true) terminal.out(`${name} is ${whereAndHow(ended.vm)}`);
  });
}

function place({ index, term }: { readonly index: number; readonly term: number }): string {
  return `log index ${index}, term ${term}`;
}
