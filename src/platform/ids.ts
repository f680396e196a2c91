import { randomInt, randomUUID } from "node:crypto";

/** Names that this host gives to things. */
export interface IdSource {
  /** UUID version 7: sorts by the millisecond it was made in, so pages of entries follow time. */
  entryId(nowMs: number): string;
  /** Twelve random digits. The switch only echoes it; it is a reference for people, not a key, and may repeat. */
  sysCode(): string;
}

/** Identifiers from the system's source of randomness. */
export const randomIds: IdSource = {
  entryId: uuidV7,
  sysCode: () => String(randomInt(0, 1_000_000)).padStart(6, "0") + String(randomInt(0, 1_000_000)).padStart(6, "0"),
};

/**
 * A UUID version 7: those of one millisecond stand side by side in an index, so few of its pages are written.
 *
 * @param nowMs milliseconds since the epoch
 */
export function uuidV7(nowMs: number): string {
  // Version 4 with the time in place of its first 48 bits: Node.js draws the randomness of many of them at once.
  const time = Math.floor(nowMs).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
