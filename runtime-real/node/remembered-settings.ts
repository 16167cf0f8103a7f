/** The settings of a running member: the same in memory as on its disk. */
import type { Logger } from "pino";
import type { NodeSettings } from "../storage/index.ts";

export class RememberedSettings {
  #current: NodeSettings;
  readonly #save: (settings: NodeSettings) => Promise<void>;
  readonly #log: Pick<Logger, "error">;

  constructor(current: NodeSettings, save: (settings: NodeSettings) => Promise<void>, log: Pick<Logger, "error">) {
    this.#current = current;
    this.#save = save;
    this.#log = log;
  }

  get current(): NodeSettings {
    return this.#current;
  }

  /** Does not wait for the disk: what is lost in a crash is learned again from the cluster. */
  change(change: Partial<NodeSettings>): void {
    const settings = { ...this.#current, ...change };
    if (JSON.stringify(settings) === JSON.stringify(this.#current)) return;
    this.#current = settings;
    this.#save(settings).catch((error: unknown) => {
      this.#log.error({ err: error }, "the addresses of the members could not be stored");
    });
  }
}
