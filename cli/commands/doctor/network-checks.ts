/** What most often keeps guests from being reached: forwarding, groups, devices, routes, units of another manager. */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { type HostDevice, loadMachines } from "../../../runtime-real/index.ts";
import { type Check, type Finding, ok, warning } from "./finding.ts";
import { run } from "./run.ts";

type Found = Omit<Finding, "check">;

const SETUP = "sudo scripts/setup-tap-networking.sh";
const GROUPS = ["kvm", "blixard"] as const;

export const networkChecks: Readonly<Record<string, Check>> = {
  forwarding: () => forwardingFinding(isOn("ipv4/ip_forward"), isOn("ipv6/conf/all/forwarding")),

  groups: () => {
    const { uid, username } = userInfo();
    if (uid === 0) return ok("root needs none");
    return groupFinding(username, readFileSync("/etc/group", "utf8"), process.getgroups?.() ?? []);
  },

  "tap devices": async () => {
    const hasNix = (await run("nix", ["--version"])) !== null;
    return deviceFinding(await devices(), hasNix);
  },

  "guest routes": async () => routeFinding(await devices()),

  "units of VMs": async () => {
    if (userInfo().uid === 0) return ok("root's are those of the system");
    const listed = await run("systemctl", ["list-units", "--all", "--plain", "--no-legend", "blixard-vm-*"]);
    return unitFinding(listed ?? "");
  },
};

async function devices(): Promise<readonly HostDevice[]> {
  const { devicesHere } = await loadMachines();
  return await devicesHere();
}

function isOn(name: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/${name}`, "utf8").trim() === "1";
  } catch {
    return false;
  }
}

export function forwardingFinding(four: boolean, six: boolean): Found {
  if (!four) return warning("off: guests are reached from this host alone", SETUP);
  return ok(six ? "of IPv4 and IPv6" : `of IPv4; with --ipv6 ${SETUP} allows that of IPv6 too`);
}

/** @param file of /etc/group. @param groups numbers of those that this process has. */
export function groupFinding(user: string, file: string, groups: readonly number[]): Found {
  const lines = file.split("\n").map((line) => line.split(":"));
  const of = (name: string) => lines.find(([group]) => group === name);
  const missing = GROUPS.filter((name) => !groups.includes(Number(of(name)?.[2] ?? Number.NaN)));
  if (missing.length === 0) return ok(`${user} is in ${GROUPS.join(" and ")}`);
  const isListed = missing.every((name) => of(name)?.[3]?.split(",").includes(user) === true);
  const found = `${user} is not in ${missing.join(" and ")}: no KVM, and no tap devices without root`;
  if (isListed) return warning(`${found} yet`, "log in anew: the group is given at login");
  const exist = missing.every((name) => of(name) !== undefined);
  return warning(found, exist ? `sudo usermod -aG ${missing.join(",")} ${user}` : `${SETUP} --user ${user}`);
}

export function deviceFinding(found: readonly HostDevice[], hasNix: boolean): Found {
  const prepared = found.filter(({ isPrepared }) => isPrepared);
  const single = prepared.filter(({ hasManyQueues }) => !hasManyQueues);
  if (single.length > 0 && hasNix)
    return warning(
      `${named(single)} without multi_queue: guests of microvm.nix with several processors cannot open them`,
      `${SETUP} --multi-queue`,
    );
  if (prepared.length > 0) return ok(`${named(prepared)}, made in advance`);
  return ok(found.length === 0 ? "none now: a node makes them for its guests" : `${named(found)}, of guests`);
}

export function routeFinding(found: readonly HostDevice[]): Found {
  const lost = found.filter(({ hasRoute }) => !hasRoute);
  if (lost.length === 0) return ok("one to each device of a guest");
  const mends = lost.map(({ name, address }) =>
    address === null ? SETUP : `sudo ip route replace ${address} dev ${name}`,
  );
  return warning(`${named(lost)} without one: nobody reaches the guest there`, [...new Set(mends)].join(" && "));
}

/** @param listed by the manager of the system, a line for each. */
export function unitFinding(listed: string): Found {
  const units = listed.split("\n").flatMap((line) => /^(blixard-vm-\S+)\.service/.exec(line)?.[1] ?? []);
  if (units.length === 0) return ok("none of this host's VMs is a unit of the system");
  return warning(
    `${units.slice(0, 3).join(", ")} of the system's manager: the node of a user does not see them`,
    `sudo systemctl stop ${units.join(" ")}; then start them through the cluster: blixard vm start`,
  );
}

function named(found: readonly HostDevice[]): string {
  const names = found.map(({ name }) => name);
  return names.length <= 3 ? names.join(", ") : `${names[0]} and ${names.length - 1} more`;
}
