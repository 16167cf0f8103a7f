/** What a command is: one entry, from which its type, its bytes, its effect and its event follow. */
import type { AskedChange, CommandResult, Refusal } from "../domain/index.ts";
import type { InferShape, Shape, VariantShape } from "../schema/index.ts";
import type { Batch } from "./batch.ts";

/**
 * leader: by itself, having looked at the cluster and at what workers report. client: an operator, a tenant, or a
 * node.
 */
export type Asker = "leader" | "client";

export interface CommandDefinition<F extends Shape = Shape, By extends Asker = Asker> {
  readonly askedBy: By;
  /** What stands for it in a request: one number, or two where it is nested in another's. Never given to another. */
  readonly number: VariantShape["number"];
  /** The first feature level that has it; 1 when left out. */
  readonly since?: number;
  /** In the order in which they are encoded: new ones go to the end, with a default. */
  readonly fields: F;
  /** Why it may change nothing, beside what holds for every command of a tenant's: `tooManyRequests`. */
  readonly refusals: readonly Refusal["kind"][];
  /** How the event tells of it that a request leaves behind whose client said who he is. */
  readonly audit: {
    /** What stands for it in events. Never given to another. */
    readonly number: number;
    /** The name or id of what it is about; null: the cluster as a whole. */
    target(command: InferShape<F>): string | null;
    /** Which way, of a command that asks for one thing or its contrary. */
    change?(command: InferShape<F>): AskedChange;
  };
  /** Whose allowance of requests it counts against; null or left out: nobody's. What is not there is not counted. */
  tenant?(batch: Batch, command: InferShape<F>): string | null;
  /** Carries it out. A refusal leaves everything as it is. The result is deeply frozen. */
  apply(batch: Batch, command: InferShape<F>): CommandResult;
}

/** Lets the compiler infer the fields. */
export function command<const F extends Shape, const By extends Asker>(
  definition: CommandDefinition<F, By>,
): CommandDefinition<F, By> {
  return definition;
}
