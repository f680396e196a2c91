import { openPaymentDesk, type PaymentDesk, type PaymentItem } from "../../../src/flows";
import {
  CommitUnknown,
  DatabaseUnavailable,
  type KeyLock,
  noKeyLock,
  randomIds,
  RolledBack,
  sleep,
  systemClock,
} from "../../../src/platform";
import { fakeBooks, type Mishap, paying, POISON, telkom } from "./fake-posting";

const LIMITS = { batchMax: 16, batchesInFlight: 2, queueMax: 100 };

/** A desk over books with five open bills. */
function open(given: { mishaps?: readonly Mishap[]; lock?: KeyLock; limits?: Partial<typeof LIMITS> } = {}) {
  const books = fakeBooks([1, 2, 3, 4, 5].map(telkom));
  books.mishaps.push(...(given.mishaps ?? []));
  const faults: string[] = [];
  const desk = openPaymentDesk({
    db: books.db,
    clock: systemClock,
    ids: randomIds,
    reach: () => {},
    lock: given.lock ?? noKeyLock,
    limits: { ...LIMITS, ...given.limits },
    inFlight: new Set<string>(),
    onCommitUnknown: () => {},
    onFault: (_, where) => faults.push(where),
  });
  return { desk, books, faults };
}

const submitAll = (desk: PaymentDesk, items: readonly PaymentItem[]) =>
  Promise.all(items.map((item) => desk.submit(item)));
const approved = { kind: "answered", outcome: "APPROVED", isReplay: false };
const unknown = { kind: "unknown", isOverload: false };

describe("payments that arrive together", () => {
  it("are posted in one transaction and answered each with its own result", async () => {
    const { desk, books } = open();
    const items = [paying(1, "A"), paying(2, "B", { amount: 9_999n }), paying(9, "C"), paying(3, "D")];
    const answers = await submitAll(desk, items);
    const outcomes = answers.map((answer) => (answer.kind === "answered" ? answer.outcome : answer.kind));
    expect(outcomes).toEqual(["APPROVED", "BAD_AMOUNT", "BILL_NOT_FOUND", "APPROVED"]);
    expect(books.appends).toEqual([["A", "B", "C", "D"]]);
    expect(books.state.entries).toBe(2);
  });

  it("of one bill under two traxIds are decided in order of arrival", async () => {
    const { desk, books } = open();
    const answers = await submitAll(desk, [paying(1, "A"), paying(1, "B")]);
    expect(answers).toMatchObject([approved, { outcome: "ALREADY_PAID" }]);
    expect(books.state).toMatchObject({ entries: 1 });
    expect(books.state.bills.get(telkom(1).billKey)).toMatchObject({ paidAmount: 10_000n, version: 2 });
  });

  it("under one traxId are posted once, the others answered byte for byte the same", async () => {
    const { desk, books } = open();
    const items = [paying(1, "A"), paying(1, "A"), paying(1, "A", { amount: 9_999n }), paying(1, "A")];
    const answers = await submitAll(desk, items);
    const later = await desk.submit(paying(1, "A"));
    expect(books.transactions()).toBe(2);
    const [first] = answers;
    const replayed = { ...approved, isReplay: true, body: (first as { body: string }).body };
    expect(answers).toMatchObject([approved, replayed, { outcome: "CONFLICT", differing: ["amount"] }, replayed]);
    expect(later).toMatchObject(replayed);
    expect(books.state.entries).toBe(1);
  });
});

describe("a fault that says nothing about the payment", () => {
  it.each<[string, Error]>([
    ["no connection", new DatabaseUnavailable("gone")],
    ["a deadlock", Object.assign(new Error("deadlock"), { code: "40P01", severity: "ERROR" })],
    ["a server that is shutting down", Object.assign(new Error("bye"), { code: "57P01", severity: "FATAL" })],
    ["too many connections", Object.assign(new Error("full"), { code: "53300", severity: "FATAL" })],
  ])("is tried again: %s", async (_, fault) => {
    const { desk, books, faults } = open({ mishaps: [{ atBegin: fault }, { atBegin: fault }] });
    expect(await desk.submit(paying(1, "A"))).toMatchObject(approved);
    expect(books.transactions()).toBe(3);
    expect(faults).toEqual(["posting, attempt 1", "posting, attempt 2"]);
  });

  it("is not tried for ever, and is answered as unknown with the key not consumed", async () => {
    const fault = new DatabaseUnavailable("gone");
    const { desk, books } = open({ mishaps: Array.from({ length: 6 }, () => ({ atBegin: fault })) });
    expect(await submitAll(desk, [paying(1, "A"), paying(2, "B")])).toMatchObject([unknown, unknown]);
    expect(books.transactions()).toBe(6);
    expect(books.state.trax.size).toBe(0);
    expect(await desk.submit(paying(1, "A"))).toMatchObject(approved);
  });

  it("at the commit posts once, whether the commit took effect", async () => {
    const { desk, books } = open({ mishaps: [{ afterCommit: new CommitUnknown("no answer") }] });
    // The second run finds the key consumed by the first and answers what was stored.
    expect(await desk.submit(paying(1, "A"))).toMatchObject({ ...approved, isReplay: true });
    expect(books.state.entries).toBe(1);
    expect(books.state.bills.get(telkom(1).billKey)).toMatchObject({ paidAmount: 10_000n });
  });

  it.each<[string, Error]>([
    ["no answer", new CommitUnknown("no answer")],
    ["rolled back", new RolledBack("nothing")],
  ])("or whether it did not: %s", async (_, fault) => {
    const beforeCommit = (): never => {
      throw fault;
    };
    const { desk, books } = open({ mishaps: [{ beforeCommit }] });
    expect(await desk.submit(paying(1, "A"))).toMatchObject(approved);
    expect(books.state.entries).toBe(1);
  });

  it("is a key that another process took meanwhile: both give the same answer, and one posts", async () => {
    const other = open();
    const original = await other.desk.submit(paying(1, "A"));
    const { desk, books, faults } = open({
      mishaps: [{ beforeAppend: () => Object.assign(books.state, other.books.state) }],
    });
    expect(await desk.submit(paying(1, "A"))).toEqual({
      ...original,
      fields: null,
      isReplay: true,
      isQuoted: expect.anything(),
    });
    expect(books.appends).toEqual([["A"]]);
    expect(books.state.entries).toBe(1);
    expect(faults).toEqual(["posting, attempt 1"]);
  });

  it("is a key that another process took for another amount: the original stands, ours is a conflict", async () => {
    const other = open();
    await other.desk.submit(paying(1, "A", { amount: 9_999n }));
    const { desk, books } = open({ mishaps: [{ beforeAppend: () => Object.assign(books.state, other.books.state) }] });
    expect(await desk.submit(paying(1, "A"))).toMatchObject({ outcome: "CONFLICT", differing: ["amount"] });
    expect(books.state.entries).toBe(0);
  });
});

describe("a payment that cannot be stored", () => {
  it("fails alone; those beside it are posted, in order", async () => {
    const { desk, books, faults } = open();
    const items = [paying(1, "A"), paying(2, POISON), paying(1, "C"), paying(3, "D")];
    const answers = await submitAll(desk, items);
    expect(answers).toMatchObject([approved, unknown, { outcome: "ALREADY_PAID" }, approved]);
    expect(books.appends).toEqual([["A", POISON, "C", "D"], ["A"], [POISON], ["C"], ["D"]]);
    expect(books.state.bills.get(telkom(2).billKey)).toMatchObject({ paidAmount: 0n, version: 1 });
    expect(faults).toContain("posting a batch of 4, now one by one");
  });
});

describe("time", () => {
  const slow = (ms: number): Mishap => ({ beforeCommit: () => sleep(ms) });

  it("that has run out before an answer is there is unknown, never a decline, and never longer", async () => {
    const { desk } = open({ mishaps: [slow(1_000)] });
    const from = performance.now();
    expect(await desk.submit(paying(1, "A", { leftMs: 60 }))).toEqual(unknown);
    expect(performance.now() - from).toBeLessThan(500);
    await desk.idle();
  });

  it("that is short for one does not cut short the batch it arrived with", async () => {
    const { desk, books } = open({ mishaps: [{}, slow(300)] });
    const answers = await submitAll(desk, [paying(1, "A"), paying(2, "B", { leftMs: 100 }), paying(3, "C")]);
    expect(answers).toMatchObject([approved, unknown, approved]);
    expect(books.appends[0]).toEqual(["A", "C"]);
    await desk.idle();
  });

  it("lets a repeat wait for what is in flight, and answers it the same", async () => {
    const { desk, books } = open({ mishaps: [slow(80)] });
    const first = desk.submit(paying(1, "A"));
    await sleep(20);
    const [original, repeat] = await Promise.all([first, desk.submit(paying(1, "A"))]);
    expect(original).toMatchObject(approved);
    expect(repeat).toMatchObject({ outcome: "APPROVED", isReplay: true, body: (original as { body: string }).body });
    expect(books.state.entries).toBe(1);
  });

  it("answers a repeat in process when what is in flight is not finished by its deadline", async () => {
    const { desk, books } = open({ mishaps: [slow(400)] });
    const first = desk.submit(paying(1, "A"));
    await sleep(20);
    expect(await desk.submit(paying(1, "A", { leftMs: 60 }))).toEqual({ kind: "in-process" });
    // Waiting held neither a transaction nor a place: another payment goes straight through.
    expect(books.transactions()).toBe(1);
    expect(await desk.submit(paying(2, "B"))).toMatchObject(approved);
    expect(await first).toMatchObject(approved);
  });
});

describe("a lock that somebody else holds", () => {
  function lockBusyFor(times: number) {
    const log: string[] = [];
    let asked = 0;
    const lock: KeyLock = {
      async acquire(keys) {
        asked += 1;
        const isBusy = asked <= times;
        log.push(`acquire ${keys.join()}`);
        const verdicts = keys.map((key) => (isBusy && key.endsWith(":A") ? "busy" : "held"));
        return { verdicts, release: () => void log.push("release") };
      },
    };
    return { lock, log };
  }

  it("keeps only that payment waiting until it is free", async () => {
    const { lock, log } = lockBusyFor(2);
    const { desk, books } = open({ lock });
    const answers = await submitAll(desk, [paying(1, "A"), paying(2, "B")]);
    expect(answers).toMatchObject([approved, approved]);
    expect(books.appends).toEqual([["B"], ["A"]]);
    expect(log.filter((each) => each === "release")).toHaveLength(3);
    expect(log[0]).toBe("acquire payment:1:A,payment:1:B");
  });

  it("is answered as in process at the deadline, with nothing posted", async () => {
    const { desk, books } = open({ lock: lockBusyFor(1_000).lock });
    expect(await desk.submit(paying(1, "A", { leftMs: 80 }))).toEqual({ kind: "in-process" });
    expect(books.transactions()).toBe(0);
  });

  it("is given back when the posting fails", async () => {
    const { lock, log } = lockBusyFor(0);
    const { desk } = open({ lock });
    expect(await desk.submit(paying(1, POISON))).toMatchObject(unknown);
    expect(log).toEqual(["acquire payment:1:POISON", "release"]);
  });
});

describe("more than can be done", () => {
  it("is told so at once, with the key not consumed", async () => {
    const held = { beforeCommit: () => sleep(500) };
    const { desk, books } = open({ limits: { queueMax: 1, batchMax: 1, batchesInFlight: 1 }, mishaps: [held] });
    const first = desk.submit(paying(1, "A"));
    await sleep(10);
    const second = desk.submit(paying(2, "B"));
    expect(desk.waiting).toBe(1);
    const from = performance.now();
    expect(await desk.submit(paying(3, "C"))).toEqual({ kind: "unknown", isOverload: true });
    expect(performance.now() - from).toBeLessThan(300);
    expect(await Promise.all([first, second])).toMatchObject([approved, approved]);
    await desk.idle();
    expect(books.state.trax.has("1:C")).toBe(false);
    expect(await desk.submit(paying(3, "C"))).toMatchObject(approved);
  });
});
