import { FOUR_DIGIT_FINAL_DECLINES, FOUR_DIGIT_RESULT_CODES } from "./result-codes";

/**
 * Starting points for a partner's dialect, by name. Each holds only what differs from the defaults of the schema, which
 * are the published documents (`finpay-published`).
 *
 * - `finpay-md5`: what a bank's public client of the same switch does: outer MD5, millisecond time stamps.
 * - `four-digit`: the family of four-digit codes that a sister product documents.
 */
export const DIALECT_PRESETS = {
  "finpay-published": {},
  "finpay-md5": {
    signature: { outer: "md5" },
    timestamp: { emitted: "milliseconds" },
  },
  "four-digit": {
    codes: FOUR_DIGIT_RESULT_CODES,
    finalDeclines: [...FOUR_DIGIT_FINAL_DECLINES],
  },
} as const satisfies Record<string, Readonly<Record<string, unknown>>>;

/** Name of a preset. */
export type DialectPreset = keyof typeof DIALECT_PRESETS;
