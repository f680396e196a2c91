import {
  amountReader,
  dateReader,
  fileNameReader,
  PLAIN_AMOUNTS,
  type SettlementAmountForm,
  Unreadable,
} from "../../../src/wire";

const ALL_SIGNS = { written: ["leading-minus", "trailing-minus", "parentheses"] } as const;
const shown = (value: bigint | Unreadable): bigint | string => (value instanceof Unreadable ? value.reason : value);

describe("amounts of settlement files", () => {
  it.each<[Partial<SettlementAmountForm>, string, bigint | string]>([
    [{}, "30000", 30_000n],
    [{}, "-5", "is negative"],
    [{}, "(5)", "is negative"],
    [{}, "5-", "is negative"],
    [{}, "+5", "is no amount of the form 1234567"],
    [{ negative: { written: ["parentheses"] } }, "-5", "is negative"],
    [{ negative: { written: ["parentheses"] } }, "( 5 )", -5n],
    [{ negative: ALL_SIGNS }, "-5", -5n],
    [{ negative: ALL_SIGNS }, "+5", 5n],
    [{ negative: ALL_SIGNS }, "5-", -5n],
    [{ negative: ALL_SIGNS }, "0-", 0n],
    [{ negative: ALL_SIGNS }, "-5-", "is negative"],
    [{ negative: ALL_SIGNS }, "--5", "is negative"],
    [{ negative: ALL_SIGNS }, "(-5)", "is negative"],
    [{ negative: ALL_SIGNS }, "-", "is no amount of the form 1234567"],
    [{ negative: ALL_SIGNS }, "()", "is no amount of the form 1234567"],
    [{ negative: ALL_SIGNS, prefix: "Rp" }, "-Rp 5", -5n],
    [{ negative: ALL_SIGNS, prefix: "Rp" }, "Rp -5", -5n],
    [{ negative: ALL_SIGNS, prefix: "Rp" }, "(Rp 5)", -5n],
    [{ negative: ALL_SIGNS, suffix: "IDR" }, "5- IDR", -5n],
    [{ prefix: "Rp", thousands: ".", suffix: ",-" }, "Rp 1.234.567,-", 1_234_567n],
    [{ prefix: "Rp", thousands: ".", suffix: ",-" }, "Rp 1.234.567", "is no amount of the form Rp1.234.567,-"],
    [{ prefix: "Rp", thousands: ".", suffix: ",-" }, "Rp ,-", "is no amount of the form Rp1.234.567,-"],
    [{ prefix: "Rp", thousands: ".", suffix: ",-" }, "Rp -5,-", "is negative"],
    [{ impliedDecimals: 2 }, "3000000", 30_000n],
    [{ impliedDecimals: 2 }, "0", 0n],
    [{ impliedDecimals: 2 }, "5", "has parts of a rupiah"],
    [{ impliedDecimals: 2 }, "3000001", "has parts of a rupiah"],
    [{ impliedDecimals: 2 }, "", "is no amount of the form 123456700, its last 2 digits being decimals"],
    [{ impliedDecimals: 2 }, "99999999999900", 999_999_999_999n],
    [{ impliedDecimals: 2 }, "100000000000000", "is over twelve digits"],
    [{ decimals: ",", decimalPlaces: 2, negative: ALL_SIGNS }, "1234,00-", -1_234n],
    [{ decimals: ",", decimalPlaces: 2 }, "1234,50", "has parts of a rupiah"],
    [{}, "\u0663", "is no amount of the form 1234567"],
    [{}, "5\u0000", "is no amount of the form 1234567"],
    [{}, "\ud83d", "is no amount of the form 1234567"],
  ])("of the form %j read %j as %s", (form, text, expected) => {
    expect(shown(amountReader({ ...PLAIN_AMOUNTS, ...form })(text))).toBe(expected);
  });

  it("are sums of up to eighteen digits in control records", () => {
    const readSum = amountReader(PLAIN_AMOUNTS, "sum");
    expect(readSum("999999999999999999")).toBe(999_999_999_999_999_999n);
    expect(shown(readSum("1000000000000000000"))).toBe("is over eighteen digits");
  });

  it("take no time for a value that is no amount", () => {
    const form = { ...PLAIN_AMOUNTS, prefix: "Rp", thousands: ".", suffix: ",-", negative: ALL_SIGNS };
    for (const each of ["0", "-", "(", ".", "Rp", " ", "0.", "()", ",-"]) {
      const text = each.repeat(100_000 / each.length);
      for (const given of [text, `${text}x`, `Rp ${text},-`, `(${text}`]) {
        const readAmount = amountReader(form);
        const before = process.cpuUsage();
        expect(readAmount(given)).toBeInstanceOf(Unreadable);
        expect(process.cpuUsage(before).user).toBeLessThan(50_000);
      }
    }
  });
});

describe("dates of settlement files", () => {
  const utc = (form: string, text: string): string => {
    const found = dateReader(form)(text);
    if (found instanceof Unreadable) return found.reason;
    const ms = found.day * 86_400_000 + found.ofDayMs - (found.offsetMinutes ?? 0) * 60_000;
    return `${new Date(ms).toISOString().slice(0, 19)}${found.offsetMinutes === null ? "" : "Z"}`;
  };

  it.each([
    ["D/M/YYYY", "9/1/2026", "2026-01-09T00:00:00"],
    ["D/M/YYYY", "09/11/2026", "2026-11-09T00:00:00"],
    ["D/M/YYYY", "32/1/2026", "is no date of the form D/M/YYYY"],
    ["D/M/YYYY", "29/2/2026", "is no day of the calendar"],
    ["D/M/YYYY", "9/1/202", "is no date of the form D/M/YYYY"],
    ["D/M/YYYY", "9/1/20266", "is no date of the form D/M/YYYY"],
    ["D/M/YYYY", "/1/2026", "is no date of the form D/M/YYYY"],
    ["D MMM YYYY H:mm", "9 AGU 2026 7:05", "2026-08-09T07:05:00"],
    ["YYYY-MM-DD hh:mm:ss A", "2026-11-20 12:00:00 AM", "2026-11-20T00:00:00"],
    ["YYYY-MM-DD hh:mm:ss A", "2026-11-20 12:59:59 pm", "2026-11-20T12:59:59"],
    ["YYYY-MM-DD h:mmA", "2026-11-20 1:05PM", "2026-11-20T13:05:00"],
    ["YYYY-MM-DD h:mmA", "2026-11-20 0:05PM", "is no date of the form YYYY-MM-DD h:mmA"],
    ["YYYY-MM-DD h:mmA", "2026-11-20 13:05PM", "is no date of the form YYYY-MM-DD h:mmA"],
    ["YYYY-MM-DD h:mmA", "2026-11-20 1:05", "is no date of the form YYYY-MM-DD h:mmA"],
    ["YYYY-MM-DD h:mmA", "2026-11-20 1:05XM", "is no date of the form YYYY-MM-DD h:mmA"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T09:05:00+07:00", "2026-11-20T02:05:00Z"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T09:05:00+0730", "2026-11-20T01:35:00Z"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T23:05:00-02", "2026-11-21T01:05:00Z"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T09:05:00Z", "2026-11-20T09:05:00Z"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T09:05:00", "is no date of the form YYYY-MM-DDTHH:mm:ssZ"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T09:05:00+15:00", "is no date of the form YYYY-MM-DDTHH:mm:ssZ"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T09:05:00+07:60", "is no date of the form YYYY-MM-DDTHH:mm:ssZ"],
    ["YYYY-MM-DDTHH:mm:ssZ", "2026-11-20T09:05:00+07:00x", "is no date of the form YYYY-MM-DDTHH:mm:ssZ"],
    ["YYYY-MM-DDTHH:mm:ss.SSSZ", "2026-11-20T09:05:00.123Z", "2026-11-20T09:05:00Z"],
    ["YYYYMMDD", "2026112", "is no date of the form YYYYMMDD"],
    ["YYYYMMDD", "202611201", "is no date of the form YYYYMMDD"],
    ["YYYYMMDD", "", "is no date of the form YYYYMMDD"],
  ])("of the form %s read %j as %s", (form, text, expected) => {
    expect(utc(form, text)).toBe(expected);
  });

  it("take no time for a value that is no date", () => {
    for (const each of ["9", "+", "9/", "A", "Z", " "]) {
      const before = process.cpuUsage();
      expect(dateReader("D/M/YYYY h:mm AZ")(each.repeat(100_000 / each.length))).toBeInstanceOf(Unreadable);
      expect(process.cpuUsage(before).user).toBeLessThan(50_000);
    }
  });
});

describe("names of settlement files", () => {
  it.each([
    ["{ca}_{product}_{date}.txt", "CA01_Telkom_20261120.TXT", { ca: "CA01", product: "Telkom", date: "20261120" }],
    ["{ca}_{product}_{date}.txt", "CA01_20261120.txt", null],
    ["{ca}_{product}_{date}.txt", "a_b_c_20261120.txt", null],
    ["{any}-{date}.csv", "a-b-2026-11-20.csv", { ca: null, product: null, date: "2026-11-20" }],
    ["{any}_{date}.csv", "a_b_2026-11-20.csv", { ca: null, product: null, date: "2026-11-20" }],
    ["{any}{date}{any}", "x20261120", { ca: null, product: null, date: "026112" }],
    ["{ca}_{date}_{ca}", "A_20261120_B", { ca: "A", product: null, date: "20261120" }],
    ["a.b({date})+", "a.b(20261120)+", { ca: null, product: null, date: "20261120" }],
    ["a.b{date}", "axb20261120", null],
    ["{date}", "2026/11", null],
    ["{date}", "", null],
  ])("by %s: %s", (pattern, name, expected) => {
    expect(fileNameReader(pattern)(name)).toEqual(expected);
  });

  it("take no time for a pattern that leaves everything open", () => {
    for (const pattern of [
      `${"{any}".repeat(20)}{date}!`,
      `${"{any}a".repeat(18)}{date}!`,
      `{ca}${"{product}".repeat(9)}{date}!`,
    ]) {
      for (const name of ["a".repeat(255), "9".repeat(255), "a9".repeat(127), "a".repeat(100_000)]) {
        const before = process.cpuUsage();
        expect(fileNameReader(pattern)(name)).toBeNull();
        expect(process.cpuUsage(before).user).toBeLessThan(200_000);
      }
    }
  });
});
