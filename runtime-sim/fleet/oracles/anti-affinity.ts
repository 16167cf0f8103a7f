/**
 * Whenever a VM is placed, each of its hard rules holds then and there: of the group, the domain it goes to has fewer
 * than the rule allows. The same when it is changed while it is placed, of each rule that it did not have before.
 * Replayed from the events of the state, with a record of where the members of each group are placed.
 *
 * Not checked: soft rules; and what is placed beside a VM later: a VM's rules hold for its own placement only.
 */
import { domainOf, type VmRecord, vmOf, workerOf } from "../../../core/index.ts";
import type { FleetContext, FleetOracle } from "./oracle.ts";

export function antiAffinity({ placements, violate }: FleetContext): FleetOracle {
  /** Of each group, where its members are placed. */
  const groups = new Map<string, Map<string, number>>();
  /** Of each VM that is placed, the rules that it counts by. */
  const counted = new Map<string, VmRecord["spec"]["antiAffinity"]>();
  const take = (name: string): void => {
    for (const { group } of counted.get(name) ?? []) groups.get(group)?.delete(name);
    counted.delete(name);
  };
  const put = ({ name, spec }: VmRecord, workerId: number): void => {
    counted.set(name, spec.antiAffinity);
    for (const { group } of spec.antiAffinity) {
      const members = groups.get(group) ?? new Map<string, number>();
      groups.set(group, members.set(name, workerId));
    }
  };
  return {
    name: "anti-affinity",
    summary: "hard rules of a VM hold where it is placed, and when it is given others there",
    checks: 0,
    happened(event, state, { before }) {
      if (event.kind === "vmDeleted") take(event.name);
      const placedOn = "name" in event ? (placements.of(event.name)?.workerId ?? null) : null;
      const isUpdate = event.kind === "vmUpdated" && placedOn !== null;
      const isMove = event.kind === "vmState" && event.workerId !== placedOn;
      if (!isUpdate && !isMove) return;
      const { name } = event;
      const workerId = isMove ? event.workerId : placedOn;
      const kept = isUpdate ? new Set(vmOf(before, name)?.spec.antiAffinity.map((rule) => JSON.stringify(rule))) : null;
      take(name);
      const vm = vmOf(state, name);
      const worker = workerId === null ? null : workerOf(state, workerId);
      if (vm === null || worker === null || vm.spec.antiAffinity.length === 0) return;
      for (const rule of vm.spec.antiAffinity) {
        const { group, softWeight, scope, maxPerDomain } = rule;
        if (softWeight !== null || kept?.has(JSON.stringify(rule)) === true) continue;
        this.checks += 1;
        const domain = domainOf(scope, worker);
        const there: string[] = [];
        for (const [member, memberId] of groups.get(group) ?? []) {
          const other = workerOf(state, memberId);
          if (other !== null && domainOf(scope, other) === domain) there.push(member);
        }
        if (there.length >= maxPerDomain)
          violate(
            () =>
              `VM ${name} was ${isMove ? "placed" : "changed"} in ${scope} ${domain} by entry ${event.index}, where ${there.join(", ")} ` +
              `of ${group} are and ${maxPerDomain} may be in all`,
          );
      }
      put(vm, worker.id);
    },
  };
}
