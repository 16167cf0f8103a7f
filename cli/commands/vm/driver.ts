import type { ApiClient } from "../../../runtime-real/index.ts";
import type { ListOptions } from "./list.ts";

/** Which workers cannot run machines. */
export async function withoutDriver(
  api: ApiClient,
  { stale, timeout }: ListOptions,
): Promise<(workerId: number) => boolean> {
  const { workers } = await api.read("worker.list", { stale: stale === true }, { timeoutMs: timeout });
  const ids = new Set(workers.flatMap(({ id, driver }) => (driver === null ? [id] : [])));
  return (workerId) => ids.has(workerId);
}
