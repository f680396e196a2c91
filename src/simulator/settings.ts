import type { ResultCodes } from "./codes";
import type { Credentials } from "./message";

/** Said on every page and in every JSON. */
export const SIMULATION = "SIMULATION - this is not Finpay, and no money moves";

/** What a simulator runs with. Times in milliseconds. */
export interface SimulatorSettings {
  /** Address of the biller's one URL. */
  readonly billerUrl: string;
  readonly credentials: Credentials;
  readonly codes: ResultCodes;
  /** Key under which notifications and status answers are signed. */
  readonly merchantKey: string;
  readonly merchantId: string;
  readonly inquiryTimeoutMs: number;
  readonly paymentTimeoutMs: number;
  /** How often a message is sent at most, the first time included. */
  readonly tries: number;
  readonly retryDelayMs: number;
  /** Waits before the second, third, … try of a notification. */
  readonly notificationDelaysMs: readonly number[];
  readonly notificationTimeoutMs: number;
  /** Orders kept in memory. */
  readonly ordersMax: number;
}

/** What a simulator does unless told otherwise: clients of the switch are known to wait 30 s and 40 s. */
export const DEFAULT_TIMES = {
  inquiryTimeoutMs: 30_000,
  paymentTimeoutMs: 40_000,
  tries: 3,
  retryDelayMs: 1_000,
  notificationDelaysMs: [1_000, 5_000, 15_000],
  notificationTimeoutMs: 5_000,
  ordersMax: 1_000,
} as const;
