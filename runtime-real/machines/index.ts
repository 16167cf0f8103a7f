/** The machines of a host. */
export { openDriver } from "./open-driver.ts";
