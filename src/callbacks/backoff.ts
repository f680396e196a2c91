const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];

/** Pauses before the second attempt, the third, and so on. After the last one an event is a dead letter. */
export const RETRY_PAUSES_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/**
 * When to try again after so many attempts, milliseconds from now; null: no more.
 *
 * @param chance between 0 and 1; spreads the pause by a tenth either way, so that merchants who were all down together are
 * not all called again together
 */
export function retryPauseMs(attempts: number, chance: number): number | null {
  const pause = RETRY_PAUSES_MS[attempts - 1];
  return pause === undefined ? null : Math.round(pause * (0.9 + 0.2 * chance));
}
