/**
 * All commands: what a client, or the leader by itself, can ask the replicated state to do. Each is one entry of the
 * tables below; its type, its bytes and its event follow from that.
 */
import { CLUSTER_LIMITS, type CommandResult, type RequestSession } from "../domain/index.ts";
import { type Infer, type Shape, text, type VariantShape, variants } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import type { CommandDefinition } from "./command-definition.ts";
import { poolCommands } from "./ip-pools.ts";
import { nodeCommands } from "./nodes.ts";
import { observationCommands } from "./observation-commands.ts";
import { placementCommands } from "./placement-commands.ts";
import { schedulerCommands } from "./scheduler-commands.ts";
import { taskCommands } from "./tasks.ts";
import { takeToken, tenantCommands } from "./tenants.ts";
import { tokenCommands } from "./tokens.ts";
import { vmCommands } from "./vm-commands.ts";
import { workerCommands } from "./workers.ts";

/** Of sessions themselves: apply.ts carries them out, nobody is told of them. */
const sessionCommands = {
  /**
   * Opens a client session. Asked again with the same token, it answers the same session. Carries no session itself.
   */
  openSession: { number: 0, fields: { clientToken: text(1, CLUSTER_LIMITS.clientTokenLength) } },
  /** Ends the session that the request carries; its stored results go with it. */
  closeSession: { number: 1, fields: {} },
} as const;

const commands = {
  ...vmCommands,
  ...placementCommands,
  ...observationCommands,
  ...workerCommands,
  ...taskCommands,
  ...tenantCommands,
  ...poolCommands,
  ...schedulerCommands,
  ...tokenCommands,
  ...nodeCommands,
};
type Commands = typeof commands;

const allCommands = { ...sessionCommands, ...commands };

export const commandSchema = variants(shapesOf(allCommands), numbersOf(allCommands));

/** A generation is a positive integer; names are labels (RFC 1123, lower case, at most 63). */
export type Command = Infer<typeof commandSchema>;

/** Every command but those of sessions: an event may tell of it. */
export type AuditedKind = keyof Commands;
export type AuditedCommand = Extract<Command, { readonly kind: AuditedKind }>;

/** What the leader asks of the state by itself. Each command says what it has looked at. */
export type OwnCommand = Extract<
  Command,
  { readonly kind: { [K in AuditedKind]: Commands[K]["askedBy"] extends "leader" ? K : never }[AuditedKind] }
>;

export interface CommandRequest {
  /** Null: no session, and a retry may apply a second time (at least once). */
  readonly session: RequestSession | null;
  /**
   * Who asks, in the words of whoever serves clients: 1 to 128 characters. Null or left out: the cluster itself, or
   * somebody who did not say. Is told in an event, and has no other effect.
   */
  readonly actor?: string | null;
  readonly command: Command;
}

const definitions: Readonly<Record<AuditedKind, CommandDefinition>> = commands;

/** Names of the commands, by the number that stands for each in events. */
export const AUDITED_COMMANDS: readonly string[] = namesByAuditNumber();

function namesByAuditNumber(): readonly string[] {
  const names: string[] = [];
  for (const [name, { audit }] of Object.entries(definitions)) {
    if (names[audit.number] !== undefined)
      throw new RangeError(`${name} has the audit number of ${names[audit.number]}`);
    names[audit.number] = name;
  }
  return Object.freeze(names);
}

/** Carries out a command, and leaves an event behind if it is known who asked. `actor` null: it is not. */
export function applyCommand(batch: Batch, actor: string | null, command: AuditedCommand): CommandResult {
  const definition = definitions[command.kind];
  const tenant = definition.tenant?.(batch, command) ?? null;
  // A request counts, whatever will come of it.
  const limited = tenant === null ? null : takeToken(batch, tenant, "requests");
  const result = limited ?? definition.apply(batch, command);
  // Once for each request that was applied: a retry that its session answers was told of before.
  if (actor !== null) {
    batch.happened({
      kind: "requested",
      by: actor,
      command: command.kind,
      change: definition.audit.change?.(command) ?? null,
      target: definition.audit.target(command),
      refusal: result.ok ? null : result.refusal.kind,
    });
  }
  return result;
}

/** The feature level of this build: it knows all commands up to it. */
export const LEVEL = 2;

/** The first feature level that has the command. */
export function levelOf({ kind }: Command): number {
  return kind === "openSession" || kind === "closeSession" ? 1 : (definitions[kind].since ?? 1);
}

/** Why a command may change nothing. */
export function refusalsOf(kind: AuditedKind): readonly string[] {
  const { refusals, tenant } = definitions[kind];
  return tenant === undefined ? refusals : [...refusals, "tooManyRequests"];
}

type Entries = Readonly<Record<string, { readonly number: VariantShape["number"]; readonly fields: Shape }>>;

function shapesOf<E extends Entries>(entries: E): { readonly [K in keyof E]: E[K]["fields"] };
function shapesOf(entries: Entries): Readonly<Record<string, Shape>> {
  return Object.fromEntries(Object.entries(entries).map(([name, { fields }]) => [name, fields]));
}

function numbersOf<E extends Entries>(entries: E): { readonly [K in keyof E]: VariantShape["number"] };
function numbersOf(entries: Entries): Readonly<Record<string, VariantShape["number"]>> {
  return Object.fromEntries(Object.entries(entries).map(([name, { number }]) => [name, number]));
}
