/** The numbers that stand first in the frames of stored records. Messages take 1 to 63 (see message.ts). */
export const KINDS = {
  configuration: 64,
  configurationRecord: 65,
  hardState: 66,
  entry: 67,
  snapshotMeta: 68,
} as const;
