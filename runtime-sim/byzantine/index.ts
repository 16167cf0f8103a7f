/** Byzantine peers: who lies, how, and what each lie must lead to. */
export { BYZANTINE_VERDICT, Judge, type VerdictReport } from "./judge.ts";
export { ByzantinePeer } from "./peer.ts";
export { ANY_LIAR, drawLiar, type LiarShape, type PlannedLiar } from "./plan.ts";
export {
  ACT_NAMES,
  type ActName,
  type ActVerdict,
  type Audience,
  actsTo,
  type Outcome,
  VERDICTS,
  verdictOf,
} from "./verdicts.ts";
