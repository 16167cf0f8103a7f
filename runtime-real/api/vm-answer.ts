/** A VM as procedures answer it: instead of its indexes in address pools, it has the addresses. */
import { addressOf, type ClusterState, query, type VmAddress, type VmRecord } from "../../core/index.ts";
import type { AnswerOf } from "./procedures.ts";

export type VmAnswer = AnswerOf<"vm.show">["vm"];

export type ResolveAddress = (address: VmAddress) => VmAnswer["addresses"][number];

export function addressResolver(state: ClusterState): ResolveAddress {
  const found = query(state, { kind: "listPools" });
  const pools = new Map(found.kind === "pools" ? found.pools.map((pool) => [pool.spec.name, pool]) : []);
  return ({ pool: name, index }) => {
    const pool = pools.get(name);
    // A pool cannot be deleted while a VM has an address of it.
    if (pool === undefined) throw new Error(`a VM has an address of the pool ${name}, which is not there`);
    return { pool: name, ...addressOf(pool.spec, pool.number, index) };
  };
}

export function vmAnswer(vm: VmRecord, resolve: ResolveAddress): VmAnswer {
  return { ...vm, addresses: vm.addresses.map(resolve) };
}
