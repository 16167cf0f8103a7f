/** What all oracles of one run share. */
import type { NodeId, RaftOptions } from "../../core/index.ts";
import type { ConditionsView, MemberView, Moment } from "../world/index.ts";
import type { Health } from "./health.ts";
import type { CommittedLedger } from "./ledger.ts";
import type { LogConfigurations } from "./log-configurations.ts";
import type { Looks } from "./looks.ts";
import type { Oracle, Violate } from "./oracle.ts";
import type { Reference } from "./reference.ts";
import type { SessionBook } from "./session-book.ts";

export interface OracleContext {
  /** Every member there ever was. The list grows when one joins. */
  readonly members: readonly MemberView[];
  findMember(id: NodeId): MemberView | null;
  readonly violate: Violate;
  readonly conditions: ConditionsView;
  readonly raft: RaftOptions;
  readonly health: Health;
  readonly looks: Looks;
  /** Virtual time. */
  nowMs(): number;
  /** For facts that a message may tell of later. */
  now(): Moment;
  readonly ledger: CommittedLedger;
  readonly configurations: LogConfigurations;
  readonly reference: Reference;
  readonly sessions: SessionBook;
}

export type OracleFactory = (context: OracleContext) => Oracle;

/** Whether some member of the run is Byzantine. */
export function hasLiar(members: readonly MemberView[]): boolean {
  return members.some((member) => !member.honest);
}
