/** What a driver needs of the network of its host. */
import type { Interface } from "../../core/index.ts";

/** By name of the tap device. */
export type Guests = ReadonlyMap<string, Interface>;

export interface HostNetwork {
  /** What a guest gets on this host for what the cluster has given it. @throws Error when there is nothing for it. */
  interfacesFor(asked: readonly Interface[]): Promise<readonly Interface[]>;
  /**
   * Sets up what a guest needs that is about to start, in place of what there was.
   *
   * @param all what all guests need when its turn has come, this one too.
   * @throws IpError, RulesError
   */
  create(networks: readonly Interface[], all: () => Guests): Promise<void>;
  /**
   * Removes what no guest needs when its turn has come, and corrects what an earlier process has left.
   * @throws IpError, RulesError
   */
  keepOnly(needed: () => Guests): Promise<void>;
  /** Nothing more is announced. What is set up stays. */
  close(): void;
}
