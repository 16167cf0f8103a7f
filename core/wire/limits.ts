/** The longest frame that is sent, stored or read. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
