/** What the command line may say and the data directory remembers: the same for members and for workers. */
import { reachableAddresses, withPort } from "../network/index.ts";
import type { NodeSettings } from "../storage/index.ts";
import { DEFAULT_WORKER } from "../worker/index.ts";
import { DEFAULT_BIND, type NodeOptions } from "./options.ts";

export type ChosenSettings = Pick<NodeSettings, "bind" | "advertise" | "transport" | "apiBind" | "works" | "worker">;

export const DEFAULT_SETTINGS: ChosenSettings = {
  bind: DEFAULT_BIND,
  advertise: [],
  transport: "quic",
  apiBind: null,
  works: true,
  worker: DEFAULT_WORKER,
};

/** What the command line says comes before what was remembered. @throws NodeStartError */
export async function chooseSettings(
  {
    bind,
    advertise,
    transport,
    apiBind,
    works,
    worker,
  }: Pick<NodeOptions, "bind" | "advertise" | "transport" | "apiBind" | "works" | "worker">,
  remembered: ChosenSettings,
): Promise<ChosenSettings> {
  const kind = transport ?? remembered.transport;
  const listen = await withPort(bind ?? remembered.bind, kind);
  const reach =
    advertise ?? (bind === null && remembered.advertise.length > 0 ? remembered.advertise : reachableAddresses(listen));
  return {
    bind: listen,
    advertise: reach,
    transport: kind,
    apiBind: apiBind ?? remembered.apiBind,
    works: works ?? remembered.works,
    worker: { ...remembered.worker, ...worker },
  };
}
