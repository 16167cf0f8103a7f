/**
 * The bound of a run: how many events one virtual second may have. A run beyond it is ended and says what its events
 * are, for it would never end by itself, or not in anybody's lifetime.
 *
 * Does not check: that a step of a core returns. Nothing in this process can interrupt it.
 */
import { decodeMessage, InvalidFrame, type MessageType, type NodeId } from "../../core/index.ts";
import {
  EVENT,
  type EventKind,
  type SimEvent,
  type SimMember,
  type World,
  type WorldRecorder,
} from "../world/index.ts";

export const RUNAWAY = "runaway";

/**
 * Clients at saturation and a thousand workers that start at once stay far below it. What feeds on itself
 * doubles within milliseconds and passes any number.
 */
const EVENTS_PER_SECOND_MAX = 50_000;
const EVENTS_PER_SECOND_AND_HOST_MAX = 1000;

const WINDOW_US = 1_000_000;
/** Events beyond the bound that are counted by kind. */
const SAMPLE_EVENTS = 2000;
/** Rows of the cause. */
const ROWS_MAX = 5;

/** Who lies, and how often so far. */
interface Lying {
  readonly act: string;
  readonly self: { readonly id: NodeId };
  readonly told: number;
}

export class RunawayGuard {
  readonly #world: World;
  readonly #liar: () => Lying | null;
  readonly #max: number;
  #windowEndUs = WINDOW_US;
  #windowEvents = 0;
  #tally: Tally | null = null;
  #reason = "";

  /** `liar`: who lies by now; null: nobody. */
  constructor(world: World, hosts: number, liar: () => Lying | null) {
    this.#world = world;
    this.#liar = liar;
    this.#max = EVENTS_PER_SECOND_MAX + hosts * EVENTS_PER_SECOND_AND_HOST_MAX;
  }

  /** After each event: why the run must end, with what its events are; null while it need not. */
  look(): string | null {
    const { events, nowUs } = this.#world.loop;
    if (this.#tally !== null) return this.#tally.events < SAMPLE_EVENTS ? null : this.cause();
    if (nowUs >= this.#windowEndUs) {
      this.#windowEndUs = nowUs + WINDOW_US;
      this.#windowEvents = events;
    } else if (events - this.#windowEvents > this.#max) {
      this.end(`more than ${this.#max} events in one virtual second`);
    }
    return null;
  }

  /** Ends the run soon: a few events more are counted by kind. */
  end(reason: string): void {
    if (this.#tally !== null) return;
    const { watchers } = this.#world;
    this.#reason = reason;
    this.#tally = new Tally(watchers.recorder, this.#liar());
    watchers.recorder = this.#tally;
  }

  /** Why, with what was counted since it was known. */
  cause(): string {
    return [this.#reason, ...(this.#tally?.lines() ?? [])].join("\n");
  }
}

/** Counts events by what they are, and passes them on. */
class Tally implements WorldRecorder {
  events = 0;
  readonly #next: WorldRecorder | null;
  readonly #liar: Lying | null;
  readonly #toldBefore: number;
  readonly #counts = new Map<string, number>();

  constructor(next: WorldRecorder | null, liar: Lying | null) {
    this.#next = next;
    this.#liar = liar;
    this.#toldBefore = liar?.told ?? 0;
  }

  happened(event: SimEvent): void {
    const name = named(event);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.events += 1;
    this.#next?.happened(event);
  }

  stepped(...step: Parameters<WorldRecorder["stepped"]>): void {
    this.#next?.stepped(...step);
  }

  lines(): string[] {
    const most = [...this.#counts].sort(([, a], [, b]) => b - a).slice(0, ROWS_MAX);
    const rows = most.map(([name, count]) => `${Math.round((100 * count) / Math.max(1, this.events))} % ${name}`);
    const liar = this.#liar;
    if (liar !== null) {
      rows.push(`meanwhile node ${liar.self.id} told ${liar.told - this.#toldBefore} lies (${liar.act})`);
    }
    return [`of the next ${this.events} events:`, ...rows];
  }
}

const KINDS: Readonly<Record<Exclude<EventKind, typeof EVENT.deliver>, string>> = {
  [EVENT.disk]: "disk completions",
  [EVENT.wake]: "deadlines",
  [EVENT.request]: "client requests",
  [EVENT.answer]: "answers to clients",
  [EVENT.drain]: "inputs of a slow process",
  [EVENT.written]: "writes",
  [EVENT.call]: "timers of the world and its clients",
};

function named(event: SimEvent): string {
  const { kind, member } = event;
  if (kind === EVENT.deliver) return `${typeOf(event)} from ${event.from} to ${nodeName(member)}`;
  return member === null ? KINDS[kind] : `${KINDS[kind]} of ${nodeName(member)}`;
}

function nodeName(member: SimMember | null): string {
  return member === null ? "nobody" : `node ${member.id}`;
}

function typeOf({ message, bytes }: SimEvent): MessageType | "frames that are damaged" {
  if (message !== null) return message.type;
  try {
    return decodeMessage(bytes ?? new Uint8Array()).type;
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    return "frames that are damaged";
  }
}
