/** The API's limits are the core's: what the core would refuse never reaches it, and the OpenAPI document says so. */
import { pino } from "pino";
import { expect, test } from "vitest";
import {
  type ClientRequest,
  DEFAULT_RAFT_OPTIONS,
  DEFAULT_VM_SPEC,
  encodeRequest,
  InvalidCommand,
  Node,
  type VmSpec,
} from "../../core/index.ts";
import { ApiError } from "../errors/index.ts";
import { dispatch } from "./dispatch.ts";
import { handlersFor } from "./handlers.ts";

/** What the handlers ask of the core, instead of an answer. */
class Asked extends Error {
  readonly request: ClientRequest;

  constructor(request: ClientRequest) {
    super("the core is asked");
    this.request = request;
  }
}

const runtime = {
  peerId: "peer-1",
  randomUint32: () => 7,
  sign: () => "signature",
  verify: () => true,
  digest: (bytes: Uint8Array) => `${bytes.length} bytes`,
};
const genesis = Node.genesis("test", 1, [{ id: 1, peerId: "peer-1" }]);
const node = new Node(1, DEFAULT_RAFT_OPTIONS, runtime, genesis, { nowMs: 0, wallMs: 0 });
const handlers = handlersFor({
  node,
  clusterId: "test",
  incarnation: 1,
  version: "test",
  addresses: [],
  peerId: "peer-1",
  request: (request) => Promise.reject(new Asked(request)),
  peerStatus: () => [],
  callMember: () => Promise.reject(new Error("there is no other member")),
  uptimeMs: () => 0,
  eventLoopDelayP99Ms: () => 0,
  nowMs: () => 0,
});

/** What the core is asked, or what the API says against it. */
async function outcomeOf(name: string, body: unknown): Promise<ClientRequest | ApiError> {
  const failed: unknown = await dispatch(handlers, name, body, {
    requestId: "test",
    caller: { kind: "local" },
    log: pino({ level: "silent" }),
    signal: new AbortController().signal,
  }).catch((error: unknown) => error);
  if (failed instanceof Asked) return failed.request;
  if (failed instanceof ApiError) return failed;
  throw failed;
}

const http = { kind: "http", port: 80, path: "/" } as const;
const check = {
  name: "up",
  probe: http,
  intervalMs: 1000,
  timeoutMs: 1000,
  initialDelayMs: 0,
  failures: 1,
  successes: 1,
  weight: 1,
  critical: true,
};

const refusedByBoth: readonly (readonly [field: string, words: string, spec: Partial<VmSpec>])[] = [
  ["spec.vcpus", "must be at most 1024", { vcpus: 1025 }],
  [
    "spec.healthChecks.0.probe.pattern",
    "must have at most 1024 characters",
    { healthChecks: [{ ...check, probe: { kind: "console", pattern: "x".repeat(2000) } }] },
  ],
  ["spec.healthChecks.0.intervalMs", "must be at least 1", { healthChecks: [{ ...check, intervalMs: 0 }] }],
  ["spec.healthChecks.0.timeoutMs", "must be at least 1", { healthChecks: [{ ...check, timeoutMs: 0 }] }],
  [
    "spec.recovery.backoffFactor",
    "must be an integer",
    { recovery: { ...DEFAULT_VM_SPEC.recovery, backoffFactor: 1.5 } },
  ],
  [
    "spec.metadata.Owner",
    "its key must be lower-case letters, digits and inner dots, underscores, slashes or hyphens",
    { metadata: { Owner: "ops" } },
  ],
  [
    "spec.metadata",
    "must have at most 64 pairs",
    { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, ""])) },
  ],
  [
    "spec.volumes",
    "must not name the same thing twice",
    {
      volumes: [
        { name: "data", sizeGiB: 1 },
        { name: "data", sizeGiB: 2 },
      ],
    },
  ],
  ["spec.healthChecks", "must not name the same thing twice", { healthChecks: [check, check] }],
];

test.each(refusedByBoth)("%s %s, says the API as the core does", async (field, words, spec) => {
  const command = { kind: "createVm", name: "web", spec: { ...DEFAULT_VM_SPEC, ...spec } } as const;
  expect(() => encodeRequest({ session: null, command })).toThrow(InvalidCommand);
  expect(await outcomeOf("vm.create", { name: "web", spec })).toMatchObject({
    code: "invalidRequest",
    message: `${field}: ${words}`,
    details: { field },
  });
});
