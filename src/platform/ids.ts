import { randomBytes, randomInt } from "node:crypto";

/** Names that this host gives to things. */
export interface IdSource {
  /** UUID version 7: sorts by the millisecond it was made in, so pages of entries follow time. */
  entryId(nowMs: number): string;
  /** Twelve random digits. The switch only echoes it; it is a reference for people, not a key, and may repeat. */
  sysCode(): string;
}

/** Identifiers from the system's source of randomness. */
export const randomIds: IdSource = {
  entryId(nowMs) {
    const bytes = randomBytes(16);
    bytes.writeUIntBE(nowMs, 0, 6);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = bytes.toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
  sysCode: () => String(randomInt(0, 1_000_000)).padStart(6, "0") + String(randomInt(0, 1_000_000)).padStart(6, "0"),
};
