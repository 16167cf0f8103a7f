/** How many there may be of each: see `CountLimits`. */
const COUNTS = {
  /** Live client sessions. One more open expires the least recently active. */
  sessions: 10_000,
  vms: 1_000_000,
  tokens: 1000,
  /** Nodes that there ever were. */
  nodes: 10_000,
  /** Events kept at least; a multiple of 64. */
  events: 4096,
  workers: 10_000,
  tenants: 10_000,
  tasks: 10_000,
  ipPools: 1000,
} as const;

/**
 * Hard limits on everything that a client can make the replicated state hold. They are part of the state machine:
 * every replica must use the same.
 */
export const CLUSTER_LIMITS = {
  ...COUNTS,

  /** Encoded request, without the leader's stamp. */
  requestBytes: 64 * 1024,
  /** A session's requests in flight: `sequence` lies less than this above `lowestUnacknowledged`. */
  outstandingRequests: 64,

  /** RFC 1123 label. */
  labelLength: 63,
  tokenIdLength: 32,
  tokenTtlMs: 365 * 24 * 3_600_000,
  /** As Raft's, all three. */
  members: 1024,
  voters: 7,
  peerIdLength: 128,
  addresses: 8,
  addressLength: 256,
  /** UTF-16 code units, as are all lengths of text here. */
  clientTokenLength: 128,
  actorLength: 128,
  vcpus: 1024,
  memoryMiB: 16 * 1024 * 1024,
  diskGiB: 1024 * 1024,
  priority: 1000,
  weight: 1000,
  instancesPerDomain: 1_000_000,
  listLength: 32,
  imageLength: 1024,
  nixModuleLength: 16 * 1024,
  pathLength: 1024,
  scriptLength: 4096,
  metadataPairs: 64,
  metadataKeyLength: 63,
  metadataValueLength: 1024,
  healthCheckCount: 100,
  restarts: 1000,
  backoffFactor: 10,
  durationMs: 30 * 24 * 3_600_000,

  /** A host's. */
  hostVcpus: 1_000_000,
  hostMemoryMiB: 2 ** 40,
  hostDiskGiB: 2 ** 40,
  ipPoolNumber: 65_535,
  reservedAddresses: 256,
  reasonLength: 256,
  outputLength: 4096,
  taskIdLength: 63,
  taskArgs: 64,
  taskArgLength: 4096,
  attempts: 100,
  /** VMs that one entry tells of. */
  observations: 1000,

  /** The last instant an ECMAScript date can hold, milliseconds since 1970. */
  wallMs: 8_640_000_000_000_000,
  /** Raft's ceiling for a member's id. */
  nodeId: 2_147_483_647,
  listPage: 1000,
  /** One encoded record or session within a snapshot. */
  snapshotItemBytes: 256 * 1024,
} as const;

/**
 * How many there may be of each, as one cluster has it: at most as many as `CLUSTER_LIMITS` says, which formats rest
 * on. They decide what a command does, so all members of a cluster need the same for ever. A real cluster has
 * `DEFAULT_COUNT_LIMITS`; a simulated one may have lower ones, so that they are met.
 */
export type CountLimits = { readonly [Limit in keyof typeof COUNTS]: number };

export const DEFAULT_COUNT_LIMITS: CountLimits = Object.freeze(COUNTS);
