/** Who uses the cluster: clients and an operator. */

export { type DoorCall, Doorkeeper, type DoorShape } from "./doorkeeper.ts";
export { Generator } from "./generator.ts";
export type { LatencySummary } from "./histogram.ts";
export { type Asked, askedText, type ClientOperation, VALUE_KEY, writtenValue } from "./operation.ts";
export { Operator } from "./operator.ts";
export { IDLE_OPERATOR, NO_CLIENTS, type OperatorShape, STEADY_WORKLOAD, type WorkloadShape } from "./shape.ts";
export { type OperationsReport, Workload, type WorkloadListener } from "./workload.ts";
