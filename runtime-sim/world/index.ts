/** The simulated world: virtual time, hosts, and what happens to them. */

export type { BaseConditions, ClockConditions, HostNumber, LinkConditions, OddLink } from "./conditions.ts";
export { type Caller, EVENT, type EventKind, type SimEvent } from "./event.ts";
export type { SimHost } from "./host.ts";
export { digest, Identities } from "./identity.ts";
export type { Liar, LiarParts, LiarSettings, Posted } from "./liar.ts";
export type { SimMember } from "./member.ts";
export { type Moment, momentText } from "./moment.ts";
export type {
  AppliedEntry,
  ClockView,
  ConditionsView,
  DurableView,
  HostCondition,
  LinkCondition,
  LogView,
  MemberView,
  NodeView,
  Observer,
} from "./observer.ts";
export type { LeaderMoment } from "./progress.ts";
export type { WorldListener, WorldRecorder } from "./watchers.ts";
export { World } from "./world.ts";
