/** For tests of the state machine. */
export { VERSION_1, VERSION_2, VERSION_3, VERSION_4 } from "./golden-snapshots.ts";
export { type ModelCommand, OrchestrationModel } from "./orchestration-model.ts";
export { demandKnownRefusal, entryOf, factsWith, poolWith, StateMachine, taskWith } from "./state-machine.ts";
