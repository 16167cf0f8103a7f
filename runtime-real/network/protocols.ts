/** The protocols that nodes speak, as libp2p names them, and how long their frames may be. */

export const PROTOCOLS = {
  hello: "/blixard/hello/1",
  raft: "/blixard/raft/1",
  snapshot: "/blixard/snapshot/1",
  call: "/blixard/call/1",
  report: "/blixard/report/1",
  join: "/blixard/join/1",
  console: "/blixard/console/1",
  image: "/blixard/image/1",
} as const;

export const HELLO_LIMIT_BYTES = 4 * 1024 * 1024;
export const CALL_LIMIT_BYTES = 4 * 1024 * 1024;
export const JOIN_LIMIT_BYTES = 64 * 1024;
export const CHANNEL_LIMIT_BYTES = 64 * 1024;
/** A question about an image or its answer, which has a chunk of 1 MiB at most. */
export const IMAGE_LIMIT_BYTES = 2 * 1024 * 1024;
