import fc from "fast-check";
import { expect, test } from "vitest";
import { vmOf, vmSpec, type WorkerFacts } from "../../core/index.ts";
import { NodeView } from "../../core/testing/index.ts";
import { GuestRoutes } from "./guest-routes.ts";
import { decodeNews, encodeNews } from "./news-frames.ts";
import { ReplicatedRoutes, type RouteNews } from "./replicated-routes.ts";

const facts: WorkerFacts = {
  capacity: { vcpus: 1000, memoryMiB: 1_000_000, diskGiB: 10_000 },
  features: [],
  topology: { datacenter: "dc", zone: "z", rack: "r" },
  costPerHour: 0,
  driver: "qemu",
  guestsVia: [],
};
const pool = {
  ...{ gateway: null, dns: [], vlan: null, reserved: [], datacenter: null, zone: null, tags: [], enabled: true },
  ...{ rangeFirst: null, rangeLast: null },
};

/** Three workers, and pools of both families. */
class Fixture {
  readonly node = new NodeView([1, 2, 3]);
  /** Another process each time. */
  #bootId = 1;

  constructor() {
    for (const id of [1, 2, 3]) {
      this.node.announce(id, `host-${id}:1`);
      this.register(id, [`192.0.2.${id}`, `2001:db8::${id}`]);
    }
    const six = { rangeFirst: "fd00:20::1", rangeLast: "fd00:20::ff" };
    this.node.apply({ kind: "createPool", spec: { ...pool, name: "four", subnet: "10.20.0.0/24" } });
    this.node.apply({ kind: "createPool", spec: { ...pool, ...six, name: "six", subnet: "fd00:20::/64" } });
  }

  register(workerId: number, guestsVia: readonly string[]): void {
    this.node.apply({ kind: "registerWorker", workerId, bootId: this.#bootId++, facts: { ...facts, guestsVia } });
  }

  create(name: string): void {
    const spec = vmSpec({ networks: [{ pool: "four" }, { pool: "six" }] });
    this.node.apply({ kind: "createVm", name, spec });
  }

  place(name: string, workerId: number): void {
    this.node.apply({ kind: "placeVm", name, epoch: vmOf(this.node.state, name)?.epoch ?? 0, workerId });
  }
}

test("packets for a guest go to its worker, and elsewhere when it has moved", () => {
  const fixture = new Fixture();
  const routes = new ReplicatedRoutes();
  const hops = (self: number) => {
    routes.update(fixture.node.state);
    return Object.fromEntries(routes.nextHops(self));
  };
  fixture.create("web");
  expect(hops(1)).toEqual({});
  fixture.place("web", 2);
  expect(hops(1)).toEqual({ "10.20.0.1": "192.0.2.2", "fd00:20::1": "2001:db8::2" });
  expect(hops(2)).toEqual({});

  fixture.register(2, ["198.51.100.2"]);
  expect(hops(1)).toEqual({ "10.20.0.1": "198.51.100.2" });

  fixture.node.apply({ kind: "confirmWorkerDead", workerId: 2 });
  expect(hops(1)).toEqual({});
  fixture.place("web", 3);
  expect(hops(1)).toEqual({ "10.20.0.1": "192.0.2.3", "fd00:20::1": "2001:db8::3" });
  expect(hops(2)).toEqual(hops(1));
  expect(hops(3)).toEqual({});

  fixture.node.apply({ kind: "confirmWorkerDead", workerId: 3 });
  fixture.node.apply({ kind: "deleteVm", name: "web", expectedGeneration: null });
  expect(hops(1)).toEqual({});
});

test("no address of a worker is routed to another one", () => {
  const routes = new GuestRoutes();
  routes.apply({ kind: "via", workerId: 2, via: ["192.0.2.2"] });
  routes.apply({ kind: "via", workerId: 3, via: ["192.0.2.3"] });
  routes.apply({ kind: "held", address: "192.0.2.3", workerId: 2 });
  routes.apply({ kind: "held", address: "10.20.0.1", workerId: 2 });
  expect([...routes.nextHops(1)]).toEqual([["10.20.0.1", "192.0.2.2"]]);
});

const names = ["a", "b", "c"];
const step = fc.tuple(
  fc.constantFrom("create", "place", "lose", "register", "delete"),
  fc.nat(2),
  fc.integer({ min: 1, max: 3 }),
);

test("who follows each change, and who is told by messages, knows what whoever reads the state anew knows", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }), (steps) => {
      const fixture = new Fixture();
      const following = new ReplicatedRoutes();
      let told = new GuestRoutes();
      let version: number | null = null;
      for (const [[what, at, workerId], isTold] of steps) {
        const name = names[at] ?? "";
        try {
          if (what === "create") fixture.create(name);
          else if (what === "place") fixture.place(name, workerId);
          else if (what === "lose") fixture.node.apply({ kind: "confirmWorkerDead", workerId });
          else if (what === "register") fixture.register(workerId, at === 0 ? [] : [`198.51.${at}.${workerId}`]);
          else fixture.node.apply({ kind: "deleteVm", name, expectedGeneration: null });
        } catch {
          // Refused: it is no such step.
        }
        following.update(fixture.node.state);
        const anew = new ReplicatedRoutes();
        anew.update(fixture.node.state);
        expect(following.nextHops(1)).toEqual(anew.nextHops(1));
        if (!isTold) continue;
        const news = following.newsSince(version);
        version = news.version;
        for (const message of encodeNews(news)) told = after(told, message);
        expect(told.nextHops(1)).toEqual(anew.nextHops(1));
      }
    }),
    { numRuns: 60 },
  );
});

function after(routes: GuestRoutes, message: Uint8Array): GuestRoutes {
  const part = decodeNews(message) ?? expect.fail("news that cannot be read");
  const next = part.isWhole ? new GuestRoutes() : routes;
  for (const change of part.changes) next.apply(change);
  return next;
}

test("whoever has missed too much is told all, in several messages", () => {
  const changes = Array.from({ length: 4500 }, (_, at) => ({
    ...({ kind: "held", address: `10.${at >> 8}.${at & 255}.1`, workerId: 1 } as const),
  }));
  const news: RouteNews = { version: 1, isWhole: true, changes };
  const parts = encodeNews(news).map((message) => decodeNews(message));
  expect(parts.map((part) => [part?.isWhole, part?.hasMore, part?.changes.length])).toEqual([
    [true, true, 2000],
    [false, true, 2000],
    [false, false, 500],
  ]);
  expect(parts.flatMap((part) => part?.changes)).toEqual(changes);
  expect(encodeNews({ version: 1, isWhole: true, changes: [] }).map(decodeNews)).toEqual([
    { isWhole: true, hasMore: false, changes: [] },
  ]);
  expect(encodeNews({ version: 1, isWhole: false, changes: [] })).toEqual([]);
});

test.each([
  ["a line of its own", "10.0.0.1\nroute flush table main"],
  ["a name", "router"],
  ["a zone", "fe80::1%eth0"],
  ["words", "default via 10.0.0.1"],
])("nothing but an address is taken for one: %s", (_, address) => {
  const text = (change: object) =>
    new TextEncoder().encode(JSON.stringify({ isWhole: true, hasMore: false, changes: [change] }));
  expect(decodeNews(text({ kind: "held", address, workerId: 1 }))).toBeNull();
  expect(decodeNews(text({ kind: "via", workerId: 1, via: [address] }))).toBeNull();
  expect(decodeNews(text({ kind: "held", address: "10.0.0.1", workerId: 1 }))).not.toBeNull();
});
