import { createFailureAlarm } from "../../../src/platform";

function alarm(threshold = 3) {
  const state = { nowMs: 0 };
  const alarms: string[] = [];
  const clock = { nowMs: () => 0, nowMicros: () => 0n, monotonicMs: () => state.nowMs };
  const onAlarm = (source: string, failures: number): void => void alarms.push(`${source} ${failures}`);
  const made = createFailureAlarm({ clock, threshold, windowMs: 1_000, onAlarm });
  return { note: (source: string) => made.note(source), alarms, state };
}

describe("the alarm about failures", () => {
  it("is raised once for each window, for the source that fails", () => {
    const { note, alarms, state } = alarm();
    for (let n = 0; n < 10; n++) note("a");
    note("b");
    note("b");
    expect(alarms).toEqual(["a 3"]);
    state.nowMs = 1_000;
    for (let n = 0; n < 3; n++) note("a");
    note("b");
    expect(alarms).toEqual(["a 3", "a 3"]);
  });

  it("forgets failures that lie too far apart", () => {
    const { note, alarms, state } = alarm();
    for (const nowMs of [0, 600, 1_100, 1_700, 2_200]) {
      state.nowMs = nowMs;
      note("a");
    }
    expect(alarms).toEqual([]);
  });

  it("keeps watch in bounded memory, whatever the number of sources", () => {
    const { note, alarms } = alarm();
    note("first");
    for (let n = 0; n < 10_000; n++) note(`source ${n}`);
    note("first");
    note("first");
    // Its first failure was forgotten with the flood.
    expect(alarms).toEqual([]);
    note("first");
    expect(alarms).toEqual(["first 3"]);
  });
});
