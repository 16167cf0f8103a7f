/** What the commands that ask a node share. */
export { type ClientOptions, dataDirOption, targetOf, whatIsWrong, withClientOptions, withNode } from "./client.ts";
export { change, type ReadOptions, show, withReadOptions } from "./once.ts";
export { progressTo, QUESTION_MS, untilSeen, type WaitOptions, withWaitOptions } from "./waiting.ts";
