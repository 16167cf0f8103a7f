/** Turns what happens into transitions and trace events. It exists only in a run that somebody wants to read. */
import { type Configuration, decodeMessage, type Effect, type Evidence, InvalidFrame } from "../../core/index.ts";
import type { FaultKind, FaultTarget, PlannedFault } from "../faults/index.ts";
import { FIRST_WORKER_ID } from "../fleet/index.ts";
import { askedText, type ClientOperation } from "../workload/index.ts";
import { EVENT, type SimEvent, type SimMember, type World, type WorldRecorder } from "../world/index.ts";
import { configurationText, messageSummary } from "./message-summary.ts";
import type { TraceEvent, Transition, TransitionKind } from "./transition.ts";

/** What a node was when it was last looked at. */
interface Seen {
  term: number;
  role: string;
  votedFor: number;
  leaderId: number;
  commitIndex: number;
  lastIndex: number;
  lastChain: string | null;
  snapshotIndex: number;
  configuration: Configuration;
}

export class Recorder implements WorldRecorder {
  readonly #world: World;
  readonly #onTransition: ((transition: Transition) => void) | null;
  readonly #trace: ((event: TraceEvent) => void) | null;
  readonly #seen = new Map<SimMember, Seen>();
  /** By the fault's id, whom it hit: its host may have another member when it ends. */
  readonly #hit = new Map<number, string>();

  constructor(
    world: World,
    onTransition: ((transition: Transition) => void) | null,
    trace: ((event: TraceEvent) => void) | null,
  ) {
    this.#world = world;
    this.#onTransition = onTransition;
    this.#trace = trace;
    for (const member of world.members.all) this.booted(member);
  }

  // ---- Transitions

  tell(kind: TransitionKind, member: SimMember | null, detail: string): void {
    this.#onTransition?.({
      atMs: this.#world.loop.nowUs / 1000,
      event: this.#world.loop.events,
      node: member?.id ?? null,
      term: member?.node?.term ?? null,
      kind,
      detail,
    });
  }

  booted(member: SimMember): void {
    const { node } = member;
    if (node === null || this.#onTransition === null) return;
    const { log, commitIndex, configuration } = node;
    this.#seen.set(member, look(member));
    this.tell(
      "boot",
      member,
      `process ${member.boots}: log ${log.firstIndex}..${log.lastIndex}, commit ${commitIndex}, ` +
        `${configurationText(configuration)}`,
    );
  }

  crashed(member: SimMember, lost: number, torn: boolean): void {
    this.tell("crash", member, `${lost} writes lost${torn ? ", one of them torn" : ""}`);
    this.#seen.delete(member);
  }

  evidence(member: SimMember, evidence: Evidence): void {
    if (this.#onTransition === null) return;
    this.tell("evidence", member, JSON.stringify(evidence));
  }

  /** `hosts` null: it ends. */
  fault(
    kind: "fault" | "healed",
    { name, family }: FaultKind,
    fault: PlannedFault,
    hosts: readonly number[] | null,
  ): void {
    if (this.#onTransition === null) return;
    const { id, target, durationMs } = fault;
    const hit = hosts === null ? (this.#hit.get(id) ?? "") : hosts.map((index) => this.#hostName(index)).join(", ");
    this.#hit.set(id, hit);
    const began = [
      `, for ${durationMs} ms`,
      ...Object.entries(fault.parameters).map(([key, value]) => ` ${key}=${value}`),
    ];
    const cut = family === "network" ? this.#cutText() : "";
    this.tell(
      kind,
      null,
      `${name} (${id}, ${targetText(target)})${hit === "" ? "" : ` on ${hit}`}${hosts === null ? "" : began.join("")}${cut}`,
    );
  }

  /** Who lives on a host, and which host that is in a fault schedule. */
  #hostName(index: number): string {
    return `${this.#residentName(index)} (host ${index + 1})`;
  }

  #residentName(index: number): string {
    const { hosts, workerHosts } = this.#world.members;
    const worker = workerHosts.findIndex((host) => host.index === index);
    if (worker !== -1) return `worker ${FIRST_WORKER_ID + worker}`;
    const member = hosts[index]?.member ?? null;
    return member === null ? `host ${index + 1}` : `n${member.id}`;
  }

  /**
   * Which links are cut, by all partitions together. `n1 <> n2 n3`: both ways; `n1 > n2`: n2 does not hear n1, and n1
   * hears n2.
   */
  #cutText(): string {
    const { network } = this.#world;
    const indexes = Array.from({ length: network.hostCount }, (_, index) => index);
    const cuts: string[] = [];
    for (const from of indexes) {
      const deaf = indexes.filter((to) => to !== from && network.isBlocked(from, to));
      const both = deaf.filter((to) => network.isBlocked(to, from));
      this.#pushCut(
        cuts,
        from,
        "<>",
        both.filter((to) => to > from),
      );
      this.#pushCut(
        cuts,
        from,
        ">",
        deaf.filter((to) => !both.includes(to)),
      );
    }
    return cuts.length === 0 ? "" : `; cut: ${cuts.join(", ")}`;
  }

  #pushCut(cuts: string[], from: number, sign: string, others: readonly number[]): void {
    const names = others.map((to) => this.#residentName(to));
    if (names.length > 0) cuts.push(`${this.#residentName(from)} ${sign} ${names.join(" ")}`);
  }

  answered(operation: ClientOperation): void {
    if (this.#onTransition === null) return;
    const { client, asked, outcome, answer, invokedAtMs, completedAtMs } = operation;
    const took = completedAtMs === null ? "" : ` after ${(completedAtMs - invokedAtMs).toFixed(3)} ms`;
    this.tell(
      "client",
      null,
      `process ${client} ${askedText(asked)}: ${outcome}${took}${answer === null ? "" : ` ${answerText(answer)}`}`,
    );
  }

  stepped(member: SimMember, effects: readonly Effect[]): void {
    const seen = this.#seen.get(member);
    const { node } = member;
    if (seen === undefined || node === null) return;
    const { term, role, votedFor, leaderId, commitIndex, log, snapshotIndex, configuration } = node;
    if (term !== seen.term) this.tell("term", member, `from ${seen.term}`);
    if (votedFor !== seen.votedFor && votedFor !== 0) this.tell("vote", member, `for n${votedFor}`);
    if (role !== seen.role) this.tell("role", member, `${seen.role} -> ${role}`);
    else if (leaderId !== seen.leaderId && leaderId !== 0) this.tell("role", member, `follows n${leaderId}`);
    if (log.lastIndex < seen.lastIndex || chainChanged(member, seen)) {
      this.tell("truncate", member, `log ended at ${seen.lastIndex}, now at ${log.lastIndex}`);
    }
    if (snapshotIndex !== seen.snapshotIndex) this.tell("snapshot", member, `up to ${snapshotIndex}`);
    if (configuration !== seen.configuration) this.tell("membership", member, configurationText(configuration));
    if (commitIndex !== seen.commitIndex)
      this.tell("commit", member, `${seen.commitIndex} -> ${commitIndex} of ${log.lastIndex}`);
    if (effects.length > 0 || term !== seen.term) this.#seen.set(member, look(member));
  }

  // ---- Trace

  happened(event: SimEvent): void {
    if (this.#trace === null) return;
    const { member } = event;
    const node = member?.node ?? null;
    this.#trace({
      event: this.#world.loop.events,
      atMs: this.#world.loop.nowUs / 1000,
      kind: traceKind(event),
      node: member?.id ?? null,
      ...(event.from === "" ? {} : { from: event.from }),
      ...(event.message === null ? {} : { message: messageSummary(event.message) }),
      ...(event.bytes === null ? {} : { bytes: event.bytes.length, ...carriedBy(event.bytes) }),
      ...(event.request === null ? {} : { request: event.request }),
      ...(event.kind === EVENT.answer ? { answer: event.answer } : {}),
      ...(node === null
        ? {}
        : {
            after: {
              role: node.role,
              term: node.term,
              commit: node.commitIndex,
              applied: node.appliedIndex,
              last: node.log.lastIndex,
            },
          }),
    });
  }
}

function look({ node }: SimMember): Seen {
  if (node === null) throw new RangeError("there is no process to look at");
  const { term, role, votedFor, leaderId, commitIndex, log, snapshotIndex, configuration } = node;
  const { lastIndex } = log;
  const lastChain = log.chainAt(lastIndex);
  return { term, role, votedFor, leaderId, commitIndex, lastIndex, lastChain, snapshotIndex, configuration };
}

function chainChanged({ node }: SimMember, { lastIndex, lastChain }: Seen): boolean {
  const chain = node?.log.chainAt(lastIndex) ?? null;
  return chain !== null && lastChain !== null && chain !== lastChain;
}

function targetText(target: FaultTarget): string {
  return typeof target === "string" ? target : `hosts ${target.join(" ")}`;
}

function answerText(answer: NonNullable<ClientOperation["answer"]>): string {
  switch (answer.kind) {
    case "applied":
      return (
        `${answer.result.ok ? answer.result.kind : answer.result.refusal.kind} at ${answer.index} in term ` +
        `${answer.term}`
      );
    case "read":
      return answer.result.kind === "vm"
        ? `${JSON.stringify(answer.result.vm?.spec.metadata ?? null)} at ${answer.index}`
        : "";
    case "refused":
      return answer.refusal.kind;
    case "membershipChanged":
    case "leadershipTransferred":
    case "directive":
      return answer.kind;
  }
}

/** What bytes stand for; those that cannot be decoded are dropped on arrival, and this says why. */
function carriedBy(bytes: Uint8Array): Pick<TraceEvent, "message" | "undecodable"> {
  try {
    return { message: messageSummary(decodeMessage(bytes)) };
  } catch (error) {
    if (!(error instanceof InvalidFrame)) throw error;
    return { undecodable: error.message };
  }
}

function traceKind({ kind }: SimEvent): TraceEvent["kind"] {
  switch (kind) {
    case EVENT.deliver:
      return "deliver";
    case EVENT.disk:
    case EVENT.written:
      return "disk";
    case EVENT.wake:
      return "wake";
    case EVENT.request:
      return "request";
    case EVENT.answer:
      return "answer";
    case EVENT.drain:
    case EVENT.call:
      return "call";
  }
}
