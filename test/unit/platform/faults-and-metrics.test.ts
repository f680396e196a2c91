import {
  CommitUnknown,
  ConfigFault,
  createMetrics,
  DatabaseUnavailable,
  DeadlinePassed,
  Fault,
  messageOf,
  Overloaded,
  RolledBack,
  sqlStateOf,
} from "../../../src/platform";

describe("a fault", () => {
  const cause = new Error("below");
  it.each<[Fault, string, string]>([
    [new DeadlinePassed("committing", { cause }), "deadline_passed", "DeadlinePassed"],
    [new RolledBack("x", { cause }), "rolled_back", "RolledBack"],
    [new CommitUnknown("x", { cause }), "commit_unknown", "CommitUnknown"],
    [new DatabaseUnavailable("x", { cause }), "database_unavailable", "DatabaseUnavailable"],
  ])("keeps its code, its name and its cause: %#", (fault, code, name) => {
    expect(fault).toMatchObject({ code, name, cause });
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toBeInstanceOf(Error);
  });

  it("of overload or configuration says of what", () => {
    expect(new Overloaded("posting")).toMatchObject({ code: "overloaded", message: "posting is at its limit" });
    const fault = new ConfigFault("wrong", ["a: 1", "b: 2"]);
    expect(fault).toMatchObject({ code: "config", problems: ["a: 1", "b: 2"], message: "wrong:\n  - a: 1\n  - b: 2" });
  });

  it.each<[unknown, string]>([
    [new Error("text"), "text"],
    ["text", "text"],
    [null, "null"],
    [undefined, "undefined"],
    [42, "42"],
  ])("of any kind has a text: %#", (thrown, text) => {
    expect(messageOf(thrown)).toBe(text);
  });

  it.each<[unknown, string | null]>([
    [{ code: "40P01", severity: "ERROR" }, "40P01"],
    [{ code: "ECONNRESET" }, null],
    [{ code: "EPIPE", severity: undefined }, null],
    [{ code: "EPIPE" }, null],
    [{ code: 40_001, severity: "ERROR" }, null],
    [{ code: "40P0", severity: "ERROR" }, null],
    ["40P01", null],
    [null, null],
    [undefined, null],
  ])("has a SQLSTATE only when the server gave one: %j", (thrown, state) => {
    expect(sqlStateOf(thrown)).toBe(state);
  });
});

describe("metrics", () => {
  it("count messages by type, outcome and replay, and time them in seconds", async () => {
    const metrics = createMetrics();
    metrics.countMessage({ type: "50", outcome: "APPROVED", isReplay: false }, 20);
    metrics.countMessage({ type: "50", outcome: "APPROVED", isReplay: false }, 30);
    metrics.countMessage({ type: "50", outcome: "APPROVED", isReplay: true }, 1);
    const text = await metrics.text();
    expect(text).toContain('biller_messages_total{type="50",outcome="APPROVED",replay="false"} 2');
    expect(text).toContain('biller_messages_total{type="50",outcome="APPROVED",replay="true"} 1');
    expect(text).toContain('biller_message_seconds_count{type="50"} 3');
    expect(text).toContain('biller_message_seconds_sum{type="50"} 0.051');
  });

  it("never take a text from outside for a label", async () => {
    const metrics = createMetrics();
    for (const type of ["99", "5", "500", '50"} 1\nforged 1', "", "50\n"]) {
      metrics.countMessage({ type, outcome: "BAD_FORMAT", isReplay: false }, 1);
    }
    const text = await metrics.text();
    expect(text).toContain('biller_messages_total{type="other",outcome="BAD_FORMAT",replay="false"} 6');
    expect(text).not.toContain("forged");
  });

  it("count alarms and faults, and read what is watched when asked", async () => {
    const metrics = createMetrics();
    let waiting = 3;
    metrics.watch("biller_waiting", "payments waiting", () => waiting);
    metrics.countTamperAlarm();
    metrics.countFault("posting");
    expect(await metrics.text()).toMatch(/^biller_waiting 3$/m);
    waiting = 7;
    const text = await metrics.text();
    expect(text).toMatch(/^biller_waiting 7$/m);
    expect(text).toMatch(/^biller_tamper_alarms_total 1$/m);
    expect(text).toContain('biller_faults_total{where="posting"} 1');
  });
});
