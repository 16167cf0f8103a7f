/**
 * A closed loop of clients, the same for both systems: each sends its next write when the last one is answered, over a
 * connection of its own.
 */
import { Agent, type RequestOptions, request } from "node:http";
import { performance } from "node:perf_hooks";

/** Where writes go, and what the `n`th one looks like. */
export interface Target {
  readonly options: RequestOptions;
  body(n: number): string;
}

export interface Load {
  readonly clients: number;
  readonly writesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

let next = 1;

export async function load(target: Target, clients: number, warmUpMs: number, measureMs: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const latenciesMs: number[] = [];
  let failed = 0;
  const startMs = performance.now() + warmUpMs;
  const endMs = startMs + measureMs;
  const client = async (): Promise<void> => {
    for (;;) {
      const sentMs = performance.now();
      if (sentMs >= endMs) return;
      const ok = await post(target, agent, next++).catch(() => false);
      const doneMs = performance.now();
      if (doneMs < startMs || doneMs >= endMs) continue;
      if (ok) latenciesMs.push(doneMs - sentMs);
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number): number => latenciesMs[Math.floor(latenciesMs.length * share)] ?? Number.NaN;
  return { clients, writesPerSecond: (latenciesMs.length * 1000) / measureMs, p50Ms: at(0.5), p99Ms: at(0.99), failed };
}

/** Whether the write was acknowledged. Rejects when the connection fails. */
export function post(target: Target, agent: Agent, n: number, timeoutMs = 10_000): Promise<boolean> {
  const body = target.body(n);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...target.options,
        agent,
        method: "POST",
        timeout: timeoutMs,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode === 200));
        response.once("error", reject);
      },
    );
    sent.once("timeout", () => sent.destroy(new Error("timed out")));
    sent.once("error", reject);
    sent.end(body);
  });
}
