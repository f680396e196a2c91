import { assert, integer, property } from "fast-check";
import { businessDateOf } from "../../../src/domain";

const at = (text: string): number => Date.parse(text);

const JAKARTA = new Intl.DateTimeFormat("en-CA", {
  timeZone: "Asia/Jakarta",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** The same by another way: the time zone database for the wall clock, the runtime's calendar for the next day. */
function independently(epochMs: number, cutOff: string): string {
  const part = Object.fromEntries(JAKARTA.formatToParts(epochMs).map(({ type, value }) => [type, value]));
  const date = `${part["year"]}-${part["month"]}-${part["day"]}`;
  if (`${part["hour"]}:${part["minute"]}` < cutOff) return date;
  const next = new Date(`${date}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}

describe("the business date", () => {
  it.each<[string, string, string]>([
    ["2026-05-20T16:59:59.999Z", "24:00", "2026-05-20"],
    ["2026-05-20T17:00:00.000Z", "24:00", "2026-05-21"],
    ["2026-05-20T23:59:59.999+07:00", "24:00", "2026-05-20"],
    ["2026-12-31T23:59:59.999+07:00", "24:00", "2026-12-31"],
    ["2027-01-01T00:00:00.000+07:00", "24:00", "2027-01-01"],
    ["2024-02-28T17:00:00Z", "24:00", "2024-02-29"],
    ["2024-02-29T17:00:00Z", "24:00", "2024-03-01"],
    ["2026-02-28T17:00:00Z", "24:00", "2026-03-01"],
    ["2000-02-28T17:00:00Z", "24:00", "2000-02-29"],
    ["2100-02-28T17:00:00Z", "24:00", "2100-03-01"],
    ["1970-01-01T00:00:00Z", "24:00", "1970-01-01"],
    ["2026-05-20T22:29:59.999+07:00", "22:30", "2026-05-20"],
    ["2026-05-20T22:30:00.000+07:00", "22:30", "2026-05-21"],
    ["2026-05-21T00:00:00.000+07:00", "22:30", "2026-05-21"],
    ["2026-05-21T22:29:59.999+07:00", "22:30", "2026-05-21"],
    ["2026-12-31T23:00:00+07:00", "23:00", "2027-01-01"],
    ["2024-02-28T23:00:00+07:00", "23:00", "2024-02-29"],
    ["2026-05-20T00:00:00+07:00", "00:00", "2026-05-21"],
    ["2026-05-20T00:00:00+07:00", "00:01", "2026-05-20"],
    ["2026-05-20T00:01:00+07:00", "00:01", "2026-05-21"],
    ["2026-05-20T23:58:59.999+07:00", "23:59", "2026-05-20"],
    ["2026-05-20T23:59:00+07:00", "23:59", "2026-05-21"],
  ])("of %s with the cut-off %s is %s", (instant, cutOff, date) => {
    expect(businessDateOf(at(instant), cutOff)).toBe(date);
  });

  it("agrees with the time zone database on every day's first and last millisecond of forty years", () => {
    const firstMidnight = at("1990-01-01T00:00:00+07:00");
    for (let day = 0; day < 40 * 365.25; day += 1) {
      const midnight = firstMidnight + day * 86_400_000;
      expect(businessDateOf(midnight, "24:00")).toBe(independently(midnight, "24:00"));
      expect(businessDateOf(midnight - 1, "24:00")).toBe(independently(midnight - 1, "24:00"));
    }
  });

  it("agrees with the time zone database at any instant and cut-off", () => {
    const instant = integer({ min: 0, max: at("2200-01-01T00:00:00Z") });
    const cutOff = integer({ min: 0, max: 1_440 }).map(
      (of) => `${String(Math.floor(of / 60)).padStart(2, "0")}:${String(of % 60).padStart(2, "0")}`,
    );
    assert(
      property(instant, cutOff, (epochMs, hhmm) => {
        expect(businessDateOf(epochMs, hhmm)).toBe(independently(epochMs, hhmm));
      }),
      { numRuns: 2_000 },
    );
  });
});
