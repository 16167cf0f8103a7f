/** The longest frame that is ever sent, stored or read. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
