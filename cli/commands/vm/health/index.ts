/**
 * `blixard vm health`: the checks that a VM's worker makes. They are part of its specification, so that each change is
 * a new generation.
 */

import type { Command } from "commander";
import { type Session, withExamples } from "../../../frame/index.ts";
import { registerAdd } from "./add.ts";
import { registerRemove } from "./remove.ts";
import { registerShow } from "./show.ts";

export function registerHealth(vm: Command, session: Session): void {
  const health = withExamples(vm.command("health"), [
    "blixard vm health show web",
    "blixard vm health add web --name up --tcp 22",
  ]).description("Look at a VM's health checks, and change them.");
  registerShow(health, session);
  registerAdd(health, session);
  registerRemove(health, session);
}
