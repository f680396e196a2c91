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
  it("count messages by operation, outcome and replay, and time them in seconds", async () => {
    const metrics = createMetrics();
    metrics.countMessage({ operation: "payment", outcome: "APPROVED", isReplay: false }, 20);
    metrics.countMessage({ operation: "payment", outcome: "APPROVED", isReplay: false }, 30);
    metrics.countMessage({ operation: "payment", outcome: "APPROVED", isReplay: true }, 1);
    const text = await metrics.text();
    expect(text).toContain('biller_messages_total{operation="payment",outcome="APPROVED",replay="false"} 2');
    expect(text).toContain('biller_messages_total{operation="payment",outcome="APPROVED",replay="true"} 1');
    expect(text).toContain('biller_message_seconds_count{operation="payment"} 3');
    expect(text).toContain('biller_message_seconds_sum{operation="payment"} 0.051');
  });

  it("cannot be forged through a label, whatever it holds", async () => {
    const metrics = createMetrics();
    metrics.countDeviation({ partner: 'x"} 1\nforged 1', field: "a\\b", kind: "c" });
    const text = await metrics.text();
    expect(text).toContain('biller_deviations_total{partner="x\\"} 1\\nforged 1",field="a\\\\b",kind="c"} 1');
    expect(text).not.toMatch(/^forged/m);
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
