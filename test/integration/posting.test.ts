import { type Catalog, type PaymentItem, postPayments, type PostedAnswer } from "../../src/flows";
import { readTrialBalance } from "../../src/ledger";
import { type Db, deadlineIn, systemClock } from "../../src/platform";
import {
  catalogOf,
  fill,
  newTraxId,
  paymentItem,
  paymentMessage,
  telkomBill,
  testDb,
  testPosting,
  transact,
} from "../support/builders";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, type TestDatabase } from "../support/services";

const billNumbers = Array.from({ length: 40 }, (_, index) => `00210084${String(50_000 + index)}`);

describe("posting a list of payments", () => {
  let database: TestDatabase;
  let db: Db;
  let catalog: Catalog;
  let unused = 0;
  /** A bill that no other test of this file touches. */
  const freshBill = (): string => billNumbers[unused++] as string;
  const pay = (changes: Record<string, string>): PaymentItem => paymentItem(catalog, paymentMessage(changes));
  const post = (...items: PaymentItem[]): Promise<PostedAnswer[]> =>
    postPayments(testPosting(db), items, deadlineIn(systemClock, 8_000));
  const outcomes = (answers: readonly PostedAnswer[]): string[] =>
    answers.map(({ outcome, isReplay }) => (isReplay ? `${outcome} again` : outcome));

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      billNumbers.map((billNumber) => telkomBill({ billNumber })),
    );
    db = testDb(database.appUrl, 6);
    catalog = await catalogOf(db);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });
  afterEach(async () => {
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("stores key, entry, postings and the very bytes of the reply together", async () => {
    const billNumber = freshBill();
    const item = pay({ billNumber });
    const [answer] = await post(item);
    expect(answer?.outcome).toBe("APPROVED");
    const { traxId } = item.message;
    const [trax] = await database.query(
      `select reply_body, outcome, result_code, amount::text, fee_amount::text, octet_length(fingerprint) as size
         from trax where trax_id = $1`,
      [traxId],
    );
    expect(trax).toEqual({
      reply_body: answer?.body,
      outcome: "APPROVED",
      result_code: "00",
      amount: "30000",
      fee_amount: "5000",
      size: 33,
    });
    const postings = await database.query(
      `select p.account_code, p.side, p.amount::text from posting p join journal_entry e using (entry_id)
        where e.trax_id = $1 order by p.line_no`,
      [traxId],
    );
    expect(postings).toEqual([
      { account_code: "due-from-switch", side: "debit", amount: "35000" },
      { account_code: "bill-collections", side: "credit", amount: "30000" },
      { account_code: "fee-earned", side: "credit", amount: "5000" },
    ]);
    const [bill] = await database.query(
      `select paid_amount::text, version, paid_at is not null as paid from bill
      where bill_number = $1`,
      [billNumber],
    );
    expect(bill).toMatchObject({ paid_amount: "30000", paid: true });
  });

  it("judges the items of one list in their order, as if each were alone", async () => {
    const [one, two] = [freshBill(), freshBill()];
    const first = pay({ billNumber: one });
    const repeat = { ...first };
    const otherTrax = pay({ billNumber: one });
    const otherMoney = pay({ billNumber: one, traxId: first.message.traxId, amount: "10000" });
    const unknown = pay({ billNumber: "9999999999999" });
    const second = pay({ billNumber: two, amount: "29999" });
    const secondRight = pay({ billNumber: two });
    const answers = await post(first, repeat, otherTrax, otherMoney, unknown, second, secondRight);
    expect(outcomes(answers)).toEqual([
      "APPROVED",
      "APPROVED again",
      "ALREADY_PAID",
      "CONFLICT",
      "BILL_NOT_FOUND",
      "BAD_AMOUNT",
      "APPROVED",
    ]);
    expect(answers[1]?.body).toBe(answers[0]?.body);
    expect(answers[3]?.differing).toEqual(["amount"]);
  });

  it("gives a repeat the stored bytes, and keeps a decline although the bill could be paid by now", async () => {
    const billNumber = freshBill();
    const wrong = pay({ billNumber, amount: "29999" });
    const [declined] = await post(wrong);
    expect(declined?.outcome).toBe("BAD_AMOUNT");
    const [again] = await post(wrong);
    expect(again).toMatchObject({ outcome: "BAD_AMOUNT", isReplay: true, body: declined?.body });
    const [corrected] = await post(pay({ billNumber, traxId: wrong.message.traxId }));
    expect(corrected).toMatchObject({ outcome: "CONFLICT", differing: ["amount"] });
    expect(outcomes(await post(pay({ billNumber })))).toEqual(["APPROVED"]);
    expect(outcomes(await post(wrong))).toEqual(["BAD_AMOUNT again"]);
  });

  it("names every hard field in which a repeat differs, and never shows the original's values", async () => {
    const billNumber = freshBill();
    const original = pay({ billNumber });
    await post(original);
    const [answer] = await post(
      pay({
        traxId: original.message.traxId,
        billNumber: freshBill(),
        amount: "1",
        feeAmount: "0",
        productCode: "020013",
      }),
    );
    expect(answer?.differing).toEqual(["productCode", "billNumber", "amount", "feeAmount"]);
    expect(answer?.body).not.toContain(billNumber);
    expect(answer?.body).not.toContain("30000");
  });

  it("compares amounts as values: zeros on the left are the same money", async () => {
    const billNumber = freshBill();
    const original = pay({ billNumber, amount: "30000", feeAmount: "000000005000" });
    const [first] = await post(original);
    const [again] = await post(pay({ billNumber, traxId: original.message.traxId }));
    expect(again).toMatchObject({ isReplay: true, body: first?.body });
  });

  it("lets one of two traxIds win a bill when both arrive at different transactions at once", async () => {
    const billNumber = freshBill();
    const rivals = Array.from({ length: 12 }, () => pay({ billNumber }));
    const answers = await Promise.all(rivals.map((rival) => post(rival)));
    const counted = outcomes(answers.flat()).toSorted();
    expect(counted).toEqual([...Array<string>(11).fill("ALREADY_PAID"), "APPROVED"]);
  });

  it("posts once when the same key arrives at several transactions at once, without any lock", async () => {
    const item = pay({ billNumber: freshBill() });
    const settled = await Promise.allSettled(Array.from({ length: 12 }, () => post(item)));
    const answers = settled.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    const refusals = settled.flatMap((each) => (each.status === "rejected" ? [(each.reason as Error).name] : []));
    expect(refusals.filter((name) => name !== "KeyTaken")).toEqual([]);
    expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    const [{ n } = { n: -1 }] = await database.query<{ n: number }>(
      `select count(*)::int as n from journal_entry where trax_id = $1`,
      [item.message.traxId],
    );
    expect(n).toBe(1);
  });

  it("claims the same bills in two lists of opposite order without losing a payment", async () => {
    const bills = [freshBill(), freshBill(), freshBill(), freshBill()];
    const lists = [bills, bills.toReversed()].map((list) => list.map((billNumber) => pay({ billNumber })));
    const answers = await Promise.all(
      lists.map(async (list) => {
        for (;;) {
          try {
            return await post(...list);
          } catch (error) {
            // A deadlock says nothing about the items; the desk runs the list again, as here.
            if ((error as { code?: string }).code !== "40P01") throw error;
          }
        }
      }),
    );
    const approved = outcomes(answers.flat()).filter((outcome) => outcome === "APPROVED");
    expect(approved).toHaveLength(bills.length);
  });

  it("declines an expired bill, but keeps a quote that was given before", async () => {
    const billNumber = freshBill();
    const bit61 = `${billNumber}0200013304A              10000305A              10000306A              10000`;
    const tail = "BUDI SANTOSO                  8825220158     ";
    await database.query(
      `insert into quote (bill_key, partner_id, quote_digest, bill_version, amount, fee_amount, bit61, body_width,
         quoted_at, honoured_until)
       select bill_key, 1, 'x', 1, 30000, 5000, $2, 89, now() - interval '1 hour', now() + interval '1 hour'
         from bill where bill_number = $1`,
      [billNumber, bit61 + tail],
    );
    await database.query(`update bill set due_at = now() - interval '1 minute' where bill_number = $1`, [billNumber]);
    expect(outcomes(await post(pay({ billNumber })))).toEqual(["EXPIRED"]);
    // The echo may lack the tail, as some clients send it.
    expect(outcomes(await post(pay({ billNumber, bit61 })))).toEqual(["APPROVED"]);
  });

  it("writes nothing at all when the deadline has passed before the commit", async () => {
    const item = pay({ billNumber: freshBill() });
    await expect(postPayments(testPosting(db), [item], deadlineIn(systemClock, -1))).rejects.toThrow(/deadline/);
    const [{ n } = { n: -1 }] = await database.query<{ n: number }>(
      `select count(*)::int as n from trax where trax_id = $1`,
      [item.message.traxId],
    );
    expect(n).toBe(0);
  });

  it("keeps the traxIds of two partners apart", async () => {
    await database.query(
      `insert into partner (user_name, name, product_codes) values ('other', 'other', '{001001}') on conflict do nothing`,
    );
    const others = await catalogOf(db);
    const traxId = newTraxId();
    const mine = pay({ billNumber: freshBill(), traxId });
    const theirs = paymentItem(others, paymentMessage({ userName: "other", billNumber: freshBill(), traxId }));
    expect(outcomes(await post(mine, theirs))).toEqual(["APPROVED", "APPROVED"]);
  });

  it("keeps the trial balance even over everything that was posted", async () => {
    const totals = await transact(db, readTrialBalance);
    const [debits, credits] = [0, 1].map((side) =>
      totals.reduce((sum, total) => sum + (side === 0 ? total.debits : total.credits), 0n),
    );
    expect(debits).toBeGreaterThan(0n);
    expect(debits).toBe(credits);
  });
});
