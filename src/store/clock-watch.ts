import { type Clock, type Db, deadlineIn, type Logger, type Statement } from "../platform";

/** Compares this machine's clock with the database's, at start and every minute. */
export interface ClockWatch {
  /** Milliseconds that this machine's clock is ahead of the database's; negative: behind; null: not measured yet. */
  readonly skewMs: number | null;
  /** Whether the difference is within the limit. False while nothing is measured. */
  readonly isOk: boolean;
  /** For people. */
  readonly detail: string;
  /** Measures now. */
  measure(): Promise<void>;
  close(): void;
}

/** Settings of the watch. Times in milliseconds. */
export interface ClockWatchOptions {
  readonly db: Db;
  /** The clock that is compared. */
  readonly clock: Clock;
  /** A greater difference, either way, is off. */
  readonly skewMaxMs: number;
  readonly logger: Pick<Logger, "warn" | "info">;
  readonly onFault: (fault: unknown, where: string) => void;
  /** Left out: a minute. */
  readonly everyMs?: number;
}

const READ_CLOCK: Statement = {
  name: "store_read_clock",
  text: `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`,
};

const EVERY_MS = 60_000;
const TIMEOUT_MS = 2_000;
/** Of several measurements the one with the shortest way counts: the database's clock was read somewhere on it. */
const TIMES = 3;

/** Reads the difference of the clocks, milliseconds, and how far the answer can be wrong. */
export async function readClockSkew(
  db: Db,
  clock: Clock,
): Promise<{ readonly skewMs: number; readonly errorMs: number }> {
  let best = { skewMs: 0, errorMs: Infinity };
  for (let time = 0; time < TIMES; time += 1) {
    const beganMs = clock.monotonicMs();
    const before = clock.nowMs();
    const [row] = await db.run<{ now_ms: number }>(deadlineIn(clock, TIMEOUT_MS), READ_CLOCK, []);
    const errorMs = (clock.monotonicMs() - beganMs) / 2;
    const skewMs = before + errorMs - (row?.now_ms ?? before);
    if (errorMs < best.errorMs) best = { skewMs, errorMs };
  }
  return best;
}

/** Starts it; the first measurement is made before this resolves. */
export async function openClockWatch(options: ClockWatchOptions): Promise<ClockWatch> {
  const { db, clock, skewMaxMs, logger, onFault, everyMs = EVERY_MS } = options;
  let skewMs: number | null = null;
  let isOff = false;

  async function measure(): Promise<void> {
    try {
      const { skewMs: measured, errorMs } = await readClockSkew(db, clock);
      skewMs = Math.round(measured);
      // What a slow answer may explain is no difference.
      const nowOff = Math.abs(measured) - errorMs > skewMaxMs;
      if (nowOff && !isOff) {
        logger.warn({ skewMs, skewMaxMs }, "alarm: this machine's clock is off; the host is not ready");
      }
      if (!nowOff && isOff) logger.info({ skewMs }, "this machine's clock is right again");
      isOff = nowOff;
    } catch (error) {
      onFault(error, "clock");
    }
  }

  await measure();
  const timer = setInterval(() => void measure(), everyMs);
  timer.unref();
  return {
    get skewMs() {
      return skewMs;
    },
    get isOk() {
      return skewMs !== null && !isOff;
    },
    get detail() {
      if (skewMs === null) return "not compared with the database's clock yet";
      const seconds = Math.abs(skewMs / 1_000).toFixed(1);
      return `${seconds} s ${skewMs < 0 ? "behind" : "ahead of"} the database's clock; ${skewMaxMs / 1_000} s are allowed`;
    },
    measure,
    close: () => clearInterval(timer),
  };
}
