import { type Clock, systemClock } from "../../src/platform";
import { openClockWatch } from "../../src/store";
import { testDb } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { createTestDatabase, type TestDatabase } from "../support/services";

/** The machine's clock, so many milliseconds ahead of the true time. */
function clockAhead(ahead: { ms: number }): Clock {
  return {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + ahead.ms,
    nowMicros: () => systemClock.nowMicros() + BigInt(ahead.ms) * 1_000n,
  };
}

interface Ready {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly isOk: boolean; readonly detail: string }[];
}

describe("a host whose clock is off", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it.each([
    [3_600_000, "3600.0 s ahead of", 3_600],
    [-30_000, "30.0 s behind", 30],
  ])("is not ready, says why, and counts it: %d ms", async (ms, said, seconds) => {
    const host: TestHost = await startTestHost(database, { clock: clockAhead({ ms }) });
    try {
      const response = await fetch(`${host.url}/readyz`);
      const { status, checks } = (await response.json()) as Ready;
      expect({ http: response.status, status }).toEqual({ http: 503, status: "not ready" });
      expect(checks.filter(({ isOk }) => !isOk)).toEqual([
        { name: "clock", isRequired: true, isOk: false, detail: expect.stringContaining(said) as string },
      ]);
      const metrics = await (await fetch(`${host.url}/metrics`)).text();
      const measured = Number(/^biller_clock_skew_seconds (\S+)$/m.exec(metrics)?.[1]);
      expect(Math.abs(measured - seconds)).toBeLessThan(1);
      expect(host.logs).toContainEqual(
        expect.objectContaining({ msg: expect.stringContaining("this machine's clock is off") as string }),
      );
    } finally {
      await host.stop();
    }
  });

  it("is ready within what the setting allows, and with a clock that is right", async () => {
    for (const [ms, settings] of [
      [0, {}],
      [3_000, {}],
      [-20_000, { CLOCK_SKEW_MAX_SECONDS: "60" }],
    ] as const) {
      const host = await startTestHost(database, { clock: clockAhead({ ms }), settings });
      try {
        expect((await fetch(`${host.url}/readyz`)).status).toBe(200);
      } finally {
        await host.stop();
      }
    }
  });

  it("is noticed while it runs, and again when it is put right", async () => {
    const db = testDb(database.appUrl, 1);
    const ahead = { ms: 0 };
    const lines: string[] = [];
    const log = (_what: unknown, line?: string): void => void lines.push(String(line));
    const watch = await openClockWatch({
      db,
      clock: clockAhead(ahead),
      skewMaxMs: 5_000,
      logger: { warn: log, info: log },
      onFault: (fault) => {
        throw fault;
      },
    });
    try {
      expect(watch.isOk).toBe(true);
      ahead.ms = 7_000;
      await watch.measure();
      await watch.measure();
      expect(watch.isOk).toBe(false);
      expect(watch.skewMs).toBeGreaterThan(6_900);
      ahead.ms = 0;
      await watch.measure();
      expect(watch.isOk).toBe(true);
      // One line for each change, not one a minute.
      expect(lines).toEqual([
        "alarm: this machine's clock is off; the host is not ready",
        "this machine's clock is right again",
      ]);
    } finally {
      watch.close();
      await db.close();
    }
  });
});
