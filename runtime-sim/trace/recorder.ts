/** Turns what happens into transitions and trace events. It exists only in a run that somebody wants to read. */
import type { Configuration, Effect, Evidence, Message } from "../../core/index.ts";
import type { FaultKind, FaultTarget, PlannedFault } from "../faults/index.ts";
import { askedText, type ClientOperation } from "../workload/index.ts";
import { EVENT, messageIndex, type SimEvent, type SimMember, type World, type WorldRecorder } from "../world/index.ts";
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
        `${membership(configuration)}`,
    );
  }

  crashed(member: SimMember, lost: number, torn: boolean): void {
    this.tell("crash", member, `${lost} writes lost${torn ? ", one of them torn" : ""}`);
    this.#seen.delete(member);
  }

  evidence(member: SimMember, evidence: Evidence): void {
    this.tell("evidence", member, JSON.stringify(evidence));
  }

  fault(kind: "fault" | "healed", { name }: FaultKind, fault: PlannedFault, hosts: readonly number[] | null): void {
    const on = hosts === null ? "" : ` on ${this.#named(hosts)}, for ${fault.durationMs} ms`;
    const parameters = Object.entries(fault.parameters).map(([key, value]) => ` ${key}=${value}`);
    this.tell(
      kind,
      null,
      `${name} (${fault.id}, ${targetText(fault.target)})${on}${hosts === null ? "" : parameters.join("")}`,
    );
  }

  #named(hosts: readonly number[]): string {
    return hosts.map((index) => `n${this.#world.members.hosts[index]?.member?.id ?? "?"}`).join(" ");
  }

  answered(operation: ClientOperation): void {
    const { client, asked, outcome, answer, invokedAtMs, completedAtMs } = operation;
    const took = completedAtMs === null ? "" : ` after ${(completedAtMs - invokedAtMs).toFixed(3)} ms`;
    this.tell(
      "client",
      null,
      `process ${client} ${askedText(asked)}: ` + `${outcome}${took}${answer === null ? "" : ` ${answerText(answer)}`}`,
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
    if (configuration !== seen.configuration) this.tell("membership", member, membership(configuration));
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
      ...(event.message === null ? {} : { message: summaryOf(event.message) }),
      ...(event.bytes === null ? {} : { bytes: event.bytes.length }),
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

function membership({ voters, outgoing, learners }: Configuration): string {
  const joint = outgoing.length === 0 ? "" : `, leaving ${outgoing.join(" ")}`;
  return `voters ${voters.join(" ")}${joint}${learners.length === 0 ? "" : `, learners ${learners.join(" ")}`}`;
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

function summaryOf(message: Message): object {
  const { type, from, to, term } = message;
  return {
    type,
    from,
    to,
    term,
    index: messageIndex(message),
    ...(message.type === "append" ? { entries: message.entries.length } : {}),
  };
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
