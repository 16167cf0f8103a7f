/** What the commands that ask a node have in common. */
export {
  type ClientOptions,
  DEFAULT_DATA_DIR,
  dataDirOption,
  targetOf,
  whatIsWrong,
  withClientOptions,
  withNode,
} from "./client.ts";
export { progressTo, QUESTION_MS, untilSeen, type WaitOptions, withWaitOptions } from "./waiting.ts";
