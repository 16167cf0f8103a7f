/** Reading and writing the table of tenants. A tenant without a quota and without VMs has no entry. */
import { NEW_TENANT, type TenantRecord } from "../domain/index.ts";
import type { Overlay } from "./overlay.ts";

export function tenantOf(tenants: Pick<Overlay<string, TenantRecord>, "get">, name: string): TenantRecord {
  return tenants.get(name) ?? { ...NEW_TENANT, name };
}

export function putTenant(tenants: Overlay<string, TenantRecord>, tenant: TenantRecord): void {
  if (tenant.vms === 0 && tenant.quota === null) tenants.delete(tenant.name);
  else tenants.set(tenant.name, Object.freeze(tenant));
}
