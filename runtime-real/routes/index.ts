/** Routes from this host to guests on other hosts. */
export { HostRoutes } from "./host-routes.ts";
export { MemberRoutes } from "./member-routes.ts";
export { WorkerRoutes } from "./worker-routes.ts";
