/**
 * Runs after `npm install` in a checkout. npm silently leaves out an optional package whose engines do not suit the
 * Node that npm itself runs on, and the tools' compiled parts are such packages. So if npm ran on an older Node than
 * ours, this installs what is missing, on the Node that has just been installed. Plain JavaScript: the older Node runs
 * this file too.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";

const nodeMajorMin = 24;
const { npm_config_user_agent: userAgent = "", npm_execpath: npm } = process.env;
const npmRanOn = Number(/ node\/v(\d+)/.exec(userAgent)?.[1]);

if (npm !== undefined && npmRanOn < nodeMajorMin && Number.parseInt(process.versions.node, 10) >= nodeMajorMin) {
  const { status } = spawnSync(process.execPath, [npm, "install", "--ignore-scripts", "--loglevel=error"], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
