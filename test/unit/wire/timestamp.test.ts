import { formatSwitchTimestamp, parseSwitchTimestamp } from "../../../src/wire";

/** Microseconds since the epoch of an ISO time and a fraction in microseconds. */
function at(iso: string, micros = 0): bigint {
  return BigInt(Date.parse(iso)) * 1_000n + BigInt(micros);
}

describe("reading a time stamp", () => {
  it.each<[string, bigint]>([
    ["20-03-2023 10:40:40", at("2023-03-20T03:40:40Z")],
    ["20-03-2023 10: 40: 40", at("2023-03-20T03:40:40Z")],
    ["09-06-2017 09:05:32:340", at("2017-06-09T02:05:32Z", 340_000)],
    ["11-06-2024 14:46:12:+07:00", at("2024-06-11T07:46:12Z")],
    ["24-06-2023 13:05:36:396538", at("2023-06-24T06:05:36Z", 396_538)],
  ])("takes the published form %j", (text, instant) => {
    expect(parseSwitchTimestamp(text)).toBe(instant);
  });

  it.each<[string, string, bigint]>([
    ["one digit of fraction is tenths", "20-03-2023 10:40:40:3", at("2023-03-20T03:40:40Z", 300_000)],
    ["zeros of a fraction count", "20-03-2023 10:40:40:000795", at("2023-03-20T03:40:40Z", 795)],
    ["an offset is obeyed", "20-03-2023 10:40:40:+00:00", at("2023-03-20T10:40:40Z")],
    ["an offset may be negative", "20-03-2023 10:40:40:-03:30", at("2023-03-20T14:10:40Z")],
    ["an offset may follow at once", "20-03-2023 10:40:40+08:00", at("2023-03-20T02:40:40Z")],
    ["an offset may follow a fraction", "20-03-2023 10:40:40:5:+07:00", at("2023-03-20T03:40:40Z", 500_000)],
    ["midnight", "01-01-2024 00:00:00", at("2023-12-31T17:00:00Z")],
    ["the last microsecond of a day", "31-12-2023 23:59:59:999999", at("2023-12-31T16:59:59Z", 999_999)],
    ["29 February of a leap year", "29-02-2024 12:00:00", at("2024-02-29T05:00:00Z")],
    ["29 February of 2000", "29-02-2000 12:00:00", at("2000-02-29T05:00:00Z")],
    ["the first year", "01-01-1970 07:00:00", 0n],
    ["a time before the epoch in Indonesia's first hours of 1970", "01-01-1970 00:00:00", -25_200_000_000n],
    ["the last year", "31-12-9999 23:59:59", at("9999-12-31T16:59:59Z")],
  ])("knows that %s", (_, text, instant) => {
    expect(parseSwitchTimestamp(text)).toBe(instant);
  });

  it("agrees with the calendar on every day from 1970 to 2101", () => {
    const wrong: string[] = [];
    for (let day = Date.UTC(1970, 0, 1); day < Date.UTC(2101, 0, 1); day += 86_400_000) {
      const [year, month, date] = new Date(day).toISOString().slice(0, 10).split("-");
      const text = `${date}-${month}-${year} 07:00:00`;
      if (parseSwitchTimestamp(text) !== BigInt(day) * 1_000n) wrong.push(text);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    ["31 April", "31-04-2023 10:00:00"],
    ["31 June", "31-06-2023 10:00:00"],
    ["31 September", "31-09-2023 10:00:00"],
    ["31 November", "31-11-2023 10:00:00"],
    ["32 January", "32-01-2023 10:00:00"],
    ["30 February", "30-02-2024 10:00:00"],
    ["29 February of a common year", "29-02-2023 10:00:00"],
    ["29 February of 2100", "29-02-2100 10:00:00"],
    ["day 0", "00-01-2023 10:00:00"],
    ["month 0", "01-00-2023 10:00:00"],
    ["month 13", "01-13-2023 10:00:00"],
    ["year 1969", "31-12-1969 10:00:00"],
    ["year 0", "01-01-0000 10:00:00"],
    ["24:00", "01-01-2023 24:00:00"],
    ["minute 60", "01-01-2023 10:60:00"],
    ["second 60", "01-01-2023 10:00:60"],
    ["an offset of 15 hours", "01-01-2023 10:00:00:+15:00"],
    ["an offset of 60 minutes", "01-01-2023 10:00:00:+07:60"],
    ["an offset without minutes", "01-01-2023 10:00:00:+07"],
    ["seven digits of fraction", "01-01-2023 10:00:00:1234567"],
    ["a colon without a fraction", "01-01-2023 10:00:00:"],
    ["a fraction after a dot", "01-01-2023 10:00:00.123"],
    ["the year first", "2023-01-01 10:00:00"],
    ["ISO 8601", "2023-01-01T10:00:00Z"],
    ["a T", "01-01-2023T10:00:00"],
    ["slashes", "01/01/2023 10:00:00"],
    ["one digit for the day", "1-01-2023 10:00:00"],
    ["two digits for the year", "01-01-23 10:00:00"],
    ["no seconds", "01-01-2023 10:00"],
    ["no time", "01-01-2023"],
    ["letters", "aa-bb-cccc dd:ee:ff"],
    ["a month's name", "01-JAN-2023 10:00:00"],
    ["full-width digits", "０１-01-2023 10:00:00"],
    ["Arabic digits", "٠١-01-2023 10:00:00"],
    ["signs", "-1-01-2023 10:00:00"],
    ["a blank before it", " 01-01-2023 10:00:00"],
    ["a blank after it", "01-01-2023 10:00:00 "],
    ["a line end after it", "01-01-2023 10:00:00\n"],
    ["a second line", "01-01-2023 10:00:00\n01-01-2023 10:00:00"],
    ["a tab for a blank", "01-01-2023\t10:00:00"],
    ["many blanks", `01-01-2023${" ".repeat(20)}10:00:00`],
    ["nothing", ""],
    ["10,000 digits", "1".repeat(10_000)],
    ["10,000 characters after it", `01-01-2023 10:00:00${":1".repeat(5_000)}`],
    ["10,000 blanks", " ".repeat(10_000)],
  ])("refuses %s", (_, text) => {
    expect(parseSwitchTimestamp(text)).toBeNull();
  });
});

describe("writing a time stamp", () => {
  it.each<[string, bigint, string]>([
    ["the sample's server time", at("2023-06-24T06:05:36Z", 396_538), "24-06-2023 13:05:36:396538"],
    ["the epoch", 0n, "01-01-1970 07:00:00:000000"],
    ["a fraction with zeros", at("2024-06-11T07:46:13Z", 795), "11-06-2024 14:46:13:000795"],
    ["the last microsecond of a year", at("2023-12-31T16:59:59Z", 999_999), "31-12-2023 23:59:59:999999"],
    ["29 February", at("2024-02-28T17:00:00Z"), "29-02-2024 00:00:00:000000"],
    ["a microsecond before the epoch in Indonesia", -25_200_000_001n, "31-12-1969 23:59:59:999999"],
    ["the last instant of four digits", at("9999-12-31T16:59:59Z", 999_999), "31-12-9999 23:59:59:999999"],
  ])("has 26 characters for %s", (_, instant, text) => {
    expect(text).toHaveLength(26);
    expect(formatSwitchTimestamp(instant)).toBe(text);
  });

  it.each<[string, bigint]>([
    ["after the year 9999", at("9999-12-31T17:00:00Z")],
    ["before the year 0", at("-000001-12-31T16:59:59Z")],
    ["beyond every calendar", 10n ** 30n],
  ])("is refused for an instant %s", (_, instant) => {
    expect(() => formatSwitchTimestamp(instant)).toThrow(RangeError);
  });

  it("gives what reads as the same instant", () => {
    for (const instant of [0n, 1n, at("2024-02-29T23:59:59Z", 999_999), at("2038-01-19T03:14:08Z")]) {
      expect(parseSwitchTimestamp(formatSwitchTimestamp(instant))).toBe(instant);
    }
  });
});
