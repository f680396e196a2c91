import { RETRY_PAUSES_MS, retryPauseMs } from "../../../src/callbacks";

describe("pauses between attempts to deliver", () => {
  it("grow from five seconds to a day, spread by a tenth either way, and end", () => {
    const inHours = RETRY_PAUSES_MS.map((pause) => pause / 3_600_000);
    expect(inHours.slice(2)).toEqual([0.5, 2, 5, 10, 14, 20, 24]);
    for (const [index, pause] of RETRY_PAUSES_MS.entries()) {
      expect(retryPauseMs(index + 1, 0)).toBe(Math.round(pause * 0.9));
      expect(retryPauseMs(index + 1, 0.5)).toBe(pause);
      expect(retryPauseMs(index + 1, 1)).toBe(Math.round(pause * 1.1));
    }
    expect(retryPauseMs(10, 0.5)).toBeNull();
    expect(retryPauseMs(11, 0.5)).toBeNull();
  });
});
