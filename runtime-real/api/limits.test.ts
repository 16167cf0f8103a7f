/** The API's limits are the core's: what the core would refuse never reaches it, and the OpenAPI document says so. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ClientRequest,
  DEFAULT_VM_SPEC,
  emptyState,
  encodeRequest,
  InvalidCommand,
  query,
  schema,
  type VmSpec,
} from "../../core/index.ts";
import { ApiError } from "../errors/index.ts";
import { dispatch } from "./dispatch.ts";
import { handlersFor } from "./handlers.ts";
import { procedures } from "./procedures.ts";
import { callOf, onlyMember, served } from "./testing/index.ts";

/** What the handlers ask of the core, instead of an answer. */
class Asked extends Error {
  readonly request: ClientRequest;

  constructor(request: ClientRequest) {
    super("the core is asked");
    this.request = request;
  }
}

const handlers = handlersFor(served(onlyMember(), (request) => Promise.reject(new Asked(request))));
const context = callOf();

/** What the core is asked, or what the API says against it. */
async function outcomeOf(name: string, body: unknown): Promise<ClientRequest | ApiError> {
  const failed: unknown = await dispatch(handlers, name, body, context).catch((error: unknown) => error);
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
    "spec.metadata.__proto__",
    "its key must be lower-case letters, digits and inner dots, underscores, slashes or hyphens",
    { metadata: Object.fromEntries([["__proto__", "ops"]]) },
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

/**
 * Procedures that ask the core for nothing that has fields: a status, a change of who belongs to the cluster, and what
 * other hosts are asked for instead.
 */
const WITHOUT_DATA = ["cluster.status", "cluster.members", "cluster.leave", "cluster.transferLeader", "image.copy"];
const writes = Object.entries(procedures).filter(([name, { effect }]) => effect === "write" && !isWithoutData(name));
const reads = Object.entries(procedures).filter(([name, { effect }]) => effect === "read" && !isWithoutData(name));

function isWithoutData(name: string): boolean {
  return WITHOUT_DATA.includes(name);
}

const random: fc.Arbitrary<schema.Random> = fc
  .infiniteStream(fc.nat(2 ** 31 - 1))
  .map((numbers) => (bound) => Number(numbers.next().value) % bound);

/** Where the API asks for more than the core, and why. */
const STRICTER = new Set([
  // It takes doubles out before the core sees them.
  "task.submit .features: more than 32",
  // A request for nothing is a mistake.
  "rebalance.apply .moves: fewer than 1",
]);

/** Null: the core takes it. */
function refusalOf(asked: ClientRequest): InvalidCommand | null {
  if (asked.kind === "read") {
    query(emptyState(), asked.query);
    return null;
  }
  if (asked.kind !== "propose") throw new Error(`a ${asked.kind} carries no data`);
  try {
    encodeRequest(asked.request);
    return null;
  } catch (error) {
    if (error instanceof InvalidCommand) return error;
    throw error;
  }
}

/** What is not even of the right kind may be refused in any way. */
function isRefused(asked: ClientRequest): boolean {
  try {
    return refusalOf(asked) !== null;
  } catch {
    return true;
  }
}

/** What would be asked, were the request not checked. Null: it cannot even be asked. */
async function askedUnchecked(name: string, request: unknown): Promise<ClientRequest | null> {
  const proposal: unknown = Reflect.get(Object(Reflect.get(procedures, name)), "proposal");
  const handler: unknown = Reflect.get(handlers, name);
  const failed: unknown = await new Promise((resolve) => {
    if (typeof proposal === "function") {
      const { session, command } = Object(Reflect.apply(proposal, undefined, [request]));
      resolve(handlers.commit(session, command, context));
    } else if (typeof handler === "function") resolve(Reflect.apply(handler, undefined, [request, context]));
    else throw new Error(`${name} has no handler`);
  }).catch((error: unknown) => error);
  return failed instanceof Asked ? failed.request : null;
}

describe("of every procedure and every field", () => {
  test.each([...writes, ...reads])(
    "%s: what the API accepts the core accepts, on each bound too",
    async (name, { request }) => {
      let asked = 0;
      await fc.assert(
        fc.asyncProperty(random, async (numbers) => {
          const bounds = schema.edges(request, numbers);
          const any = { field: "", what: "any", value: schema.valid(request, numbers) };
          for (const { field, what, value } of [any, ...bounds]) {
            const outcome = await outcomeOf(name, value);
            if (outcome instanceof ApiError) {
              // Its own id: a member cannot be removed.
              expect(outcome.code, `${what} at ${field}: ${outcome.message}`).toBe("workerIsMember");
              continue;
            }
            asked++;
            expect(refusalOf(outcome)?.message, `${what} at ${field}`).toBeUndefined();
          }
        }),
        { numRuns: 5 },
      );
      expect(asked).toBeGreaterThan(0);
    },
  );

  test.each([...writes, ...reads])(
    "%s: what lies beyond a bound is refused, and the core would not take it either",
    async (name, { request, effect }) => {
      await fc.assert(
        fc.asyncProperty(random, async (numbers) => {
          for (const { field, what, value } of schema.breaches(request, numbers)) {
            expect(await outcomeOf(name, value), `${what} at ${field}`).toMatchObject({ code: "invalidRequest" });
            if (effect === "read" || STRICTER.has(`${name} ${field}: ${what}`)) continue;
            const asked = await askedUnchecked(name, value);
            expect(asked === null || isRefused(asked), `${what} at ${field}`).toBe(true);
          }
        }),
        { numRuns: 5 },
      );
    },
  );
});
