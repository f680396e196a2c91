import { type Catalog, openHandDesk, type PaymentItem, type PostedAnswer, postPayments } from "../../src/flows";
import { ClaimLost, KeyTaken, type PostingDeps } from "../../src/flows/post-payments";
import { postReversal } from "../../src/flows/post-reversal";
import { type Db, deadlineIn, Fault, randomIds, sleep, systemClock } from "../../src/platform";
import {
  catalogOf,
  fill,
  paymentItem,
  paymentMessage,
  telkomBill,
  testDb,
  testPosting,
  transact,
} from "../support/builders";
import { brokenLaws } from "../support/laws";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

jest.setTimeout(180_000);

const NUMBERS = Array.from({ length: 400 }, (_, index) => `00210084${String(50_000 + index)}`);
/** The first bills owe one item more than a message holds. */
const LONG_BILLS = 2;
const LONG = Array.from({ length: 10 }, (_, at) => ({ reference: `${300 + at}A`, amount: 10_000n }));
type Reach = PostingDeps["reach"];
interface Row {
  readonly family: string;
  readonly outcome: string;
  readonly has_entry: boolean;
  readonly answers_manual: boolean;
}

describe("what operators post and take back", () => {
  let database: TestDatabase;
  let db: Db;
  let catalog: Catalog;
  let unused = LONG_BILLS;
  const freshBill = (): string => NUMBERS[unused++] as string;

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      NUMBERS.map((billNumber, at) => telkomBill({ billNumber, items: LONG.slice(0, at < LONG_BILLS ? 10 : 3) })),
    );
    db = testDb(database.appUrl, 20);
    catalog = await catalogOf(db);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
  });
  afterEach(async () => {
    expect(await brokenLaws(database)).toEqual([]);
  });

  const pay = (changes: Record<string, string>): PaymentItem => paymentItem(catalog, paymentMessage(changes));
  const takeBack = (payment: PaymentItem): PaymentItem => ({
    ...payment,
    message: { ...payment.message, transactionType: "51", terminal: "T0800009" },
  });
  /** As the desk of payments does it: what says nothing about the items is done again. */
  async function untilCertain<T>(work: () => Promise<T>): Promise<T> {
    for (let round = 1; ; round += 1) {
      try {
        return await work();
      } catch (fault) {
        if (round === 10 || !(fault instanceof KeyTaken || fault instanceof ClaimLost)) throw fault;
      }
    }
  }
  const soon = () => deadlineIn(systemClock, 8_000);
  const send = async (item: PaymentItem, reach: Reach = () => {}): Promise<PostedAnswer> => {
    const deps = { ...testPosting(db), reach };
    if (item.message.transactionType === "51") return untilCertain(() => postReversal(deps, item, soon()));
    const [answer] = await untilCertain(() => postPayments(deps, [item], soon()));
    return answer as PostedAnswer;
  };
  const requestOf = ({ partner, message }: PaymentItem) => ({
    partnerId: partner.partnerId,
    traxId: message.traxId,
    productCode: message.productCode,
    billNumber: message.billNumber,
    amount: message.amount,
    feeAmount: message.feeAmount,
  });
  const deskWith = (reach: Reach = () => {}) => openHandDesk({ catalog, clock: systemClock, ids: randomIds, reach });
  const advise = (item: PaymentItem, reach?: Reach) =>
    untilCertain(() => transact(db, (tx) => deskWith(reach).advise(tx, requestOf(item))));
  const reverse = (item: PaymentItem, reach?: Reach) =>
    untilCertain(() => transact(db, (tx) => deskWith(reach).reverse(tx, requestOf(item))));
  const rowsOf = ({ message }: PaymentItem) =>
    database.query<Row>(
      `select family, outcome, entry_id is not null as has_entry, answers_manual from trax where trax_id = $1
        order by family collate "C"`,
      [message.traxId],
    );
  const entriesOf = ({ message }: PaymentItem) =>
    database.query<{ kind: string }>("select kind from journal_entry where trax_id = $1 order by kind", [
      message.traxId,
    ]);
  /** What a reply says, without what differs from one message and moment to the next. */
  const saidBy = (answer: PostedAnswer, { message }: PaymentItem): Record<string, unknown> => {
    const named = answer.body.replaceAll(message.billNumber, "BILL").replaceAll(message.traxId, "TRAX");
    const text = named.replaceAll(/No\.Telkom:[0-9]+/g, "No.Telkom:BILL");
    return { ...(JSON.parse(text) as Record<string, unknown>), sysCode: "", timeStampServer: "" };
  };

  it("are stored under keys of their own families", async () => {
    const item = pay({ billNumber: freshBill() });
    expect(await advise(item)).toEqual({ outcome: "APPROVED", isReplay: false });
    expect((await reverse(item)).entryId).not.toBeNull();
    expect(await rowsOf(item)).toEqual([
      { family: "manual-payment", outcome: "APPROVED", has_entry: true, answers_manual: false },
      { family: "manual-reversal", outcome: "APPROVED", has_entry: true, answers_manual: false },
    ]);
    expect(await entriesOf(item)).toEqual([{ kind: "payment" }, { kind: "reversal" }]);
    expect((await reverse(item)).entryId).toBeNull();
  });

  it("are declined with the reason when the bill was paid meanwhile, and store nothing", async () => {
    const billNumber = freshBill();
    await send(pay({ billNumber }));
    const late = pay({ billNumber });
    await expect(advise(late)).rejects.toMatchObject({
      code: "advice_declined",
      message: expect.stringContaining("ALREADY_PAID, the bill was paid by another payment; nothing was stored"),
    });
    expect(await rowsOf(late)).toEqual([]);
    expect(await database.query("select from exception where trax_id = $1", [late.message.traxId])).toEqual([]);
  });

  it("let the payment's own message be approved with a reply of its own, which a repeat gets again", async () => {
    const [twin, item] = [pay({ billNumber: freshBill() }), pay({ billNumber: freshBill(), terminal: "T0800004" })];
    await advise(item);
    const answer = await send(item);
    expect(answer).toMatchObject({ outcome: "APPROVED", isReplay: false });
    expect(saidBy(answer, item)).toEqual(saidBy(await send(twin), twin));
    expect(await send(item)).toMatchObject({ outcome: "APPROVED", isReplay: true, body: answer.body });
    expect(await rowsOf(item)).toEqual([
      { family: "manual-payment", outcome: "APPROVED", has_entry: true, answers_manual: false },
      { family: "payment", outcome: "APPROVED", has_entry: true, answers_manual: true },
    ]);
    expect(await entriesOf(item)).toEqual([{ kind: "payment" }]);
    expect(await advise(item)).toEqual({ outcome: "APPROVED", isReplay: true });
  });

  it("show a late message the bill as it was before the posting, although more was paid of it since", async () => {
    const [twin, item] = NUMBERS.slice(0, LONG_BILLS).map((billNumber) => pay({ billNumber, amount: "90000" })) as [
      PaymentItem,
      PaymentItem,
    ];
    const expected = saidBy(await send(twin), twin);
    await advise(item);
    const rest = pay({ billNumber: item.message.billNumber, amount: "10000" });
    expect((await send(rest)).outcome).toBe("APPROVED");
    expect(saidBy(await send(item), item)).toEqual(expected);
  });

  it("answer two copies of the message in one list once", async () => {
    const item = pay({ billNumber: freshBill() });
    await advise(item);
    const [first, second] = await postPayments(testPosting(db), [item, { ...item }], soon());
    expect([first?.isReplay, second?.isReplay]).toEqual([false, true]);
    expect(second?.body).toBe(first?.body);
  });

  it("are not disclosed to a message with another amount, which stores nothing", async () => {
    const item = pay({ billNumber: freshBill() });
    await advise(item);
    const other = pay({ billNumber: item.message.billNumber, traxId: item.message.traxId, amount: "29999" });
    expect(await send(other)).toMatchObject({ outcome: "CONFLICT", differing: ["amount"], isReplay: false });
    expect((await rowsOf(item)).map(({ family }) => family)).toEqual(["manual-payment"]);
  });

  it("leave nothing to repeat after a manual reversal: the payment gets REVERSED, whether it was answered or not", async () => {
    const [answered, unanswered, ordinary] = [1, 2, 3].map(() => pay({ billNumber: freshBill() }));
    for (const item of [answered, unanswered]) await advise(item as PaymentItem);
    await send(answered as PaymentItem);
    await send(ordinary as PaymentItem);
    for (const item of [answered, unanswered, ordinary] as PaymentItem[]) {
      await reverse(item);
      expect(await send(item)).toMatchObject({ outcome: "REVERSED", isReplay: false });
      await expect(advise(item)).rejects.toMatchObject({
        message: expect.stringContaining("REVERSED, the payment was taken back"),
      });
    }
  });

  it("answer the switch's reversal after an operators' one with ALREADY_REVERSED in its own words, and again", async () => {
    const item = pay({ billNumber: freshBill() });
    await send(item);
    await reverse(item);
    const reversal = takeBack(item);
    const answer = await send(reversal);
    expect(answer).toMatchObject({ outcome: "ALREADY_REVERSED", isReplay: false });
    expect(JSON.parse(answer.body)).toMatchObject({
      resultCode: "21",
      resultDesc: "Payment already reversed",
      terminal: "T0800009",
      transactionType: "51",
      bit61: item.message.bit61,
    });
    expect(await send(reversal)).toMatchObject({ outcome: "ALREADY_REVERSED", isReplay: true, body: answer.body });
    expect(await entriesOf(item)).toEqual([{ kind: "payment" }, { kind: "reversal" }]);
  });

  it("are taken back by the switch like a payment of its own", async () => {
    const item = pay({ billNumber: freshBill() });
    await advise(item);
    expect(await send(takeBack(item))).toMatchObject({ outcome: "APPROVED" });
    expect(await send(item)).toMatchObject({ outcome: "REVERSED" });
    expect((await reverse(item)).entryId).toBeNull();
  });

  it("take a payment back whose reversal came too late, under a key that is still free", async () => {
    const item = pay({ billNumber: freshBill() });
    await send({ ...item, receivedAtMs: Date.now() - 2 * 86_400_000 });
    const tooLate = await send(takeBack(item));
    expect(tooLate.outcome).toBe("NOT_REVERSIBLE");
    expect((await reverse(item)).entryId).not.toBeNull();
    expect(await entriesOf(item)).toEqual([{ kind: "payment" }, { kind: "reversal" }]);
    expect(await send(takeBack(item))).toMatchObject({ isReplay: true, body: tooLate.body });
  });

  it.each([
    ["was declined", "BAD_AMOUNT, the switch was told so and may have refunded the customer"],
    ["was reversed before it came", "REVERSED, the switch took it back before it came"],
  ])("do not follow a message that %s", async (which, reason) => {
    const item = pay({ billNumber: freshBill(), amount: "20000" });
    await send(which === "was declined" ? item : takeBack(item));
    await expect(advise(item)).rejects.toMatchObject({
      code: "advice_declined",
      message: expect.stringContaining(reason),
    });
    expect(await entriesOf(item)).toEqual([]);
  });

  it("have one payment entry for a traxId, whoever inserts", async () => {
    const item = pay({ billNumber: freshBill() });
    await advise(item);
    const copy = (columns: string): Promise<unknown> =>
      onServer(
        database.appUrl,
        `insert into trax (partner_id, trax_id, family, fingerprint, product_code, bill_number, bill_key, amount,
                           fee_amount, channel, outcome, result_code, sys_code, reply_body, entry_id, answers_manual,
                           business_date, received_at)
         select partner_id, trax_id, 'payment', fingerprint, product_code, bill_number, bill_key, amount, fee_amount,
                channel, outcome, result_code, sys_code, reply_body, ${columns}, business_date, received_at
           from trax where trax_id = '${item.message.traxId}'`,
      );
    await expect(copy("gen_random_uuid(), false")).rejects.toMatchObject({ constraint: "trax_payment_key" });
    await expect(copy("entry_id, false")).rejects.toMatchObject({ constraint: "trax_payment_key" });
    await expect(copy("gen_random_uuid(), true")).rejects.toMatchObject({
      constraint: "trax_answers_its_manual_payment",
    });
    await expect(copy("null, true")).rejects.toMatchObject({ code: "23514" });
    await copy("entry_id, true");
  });

  describe("in a race with the switch's own message", () => {
    const PAIRS = 64;
    const TOGETHER = 8;

    /** Both have read their facts before either writes; then one may be held with everything written, or none is. */
    function starter(pair: number): { readonly manual: Reach; readonly message: Reach } {
      let waiting: (() => void)[] = [];
      const atStart = async (): Promise<void> => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length < 2) return;
          for (const go of waiting) go();
          waiting = [];
        });
      };
      const reachOf = (isHeld: boolean): Reach => {
        let isFirst = true;
        return async (point) => {
          if (point === "facts-read" && isFirst) {
            isFirst = false;
            await atStart();
            if (!isHeld && pair % 3 > 0) await sleep(15);
          }
          if (point === "appended" && isHeld) await sleep(40);
        };
      };
      return { manual: reachOf(pair % 3 === 1), message: reachOf(pair % 3 === 2) };
    }

    interface Raced {
      readonly item: PaymentItem;
      readonly answer: PostedAnswer;
      /** `posted`, `known`, or the text of the fault. */
      readonly manual: string;
    }

    async function race(
      pairOf: () => { readonly manual: PaymentItem; readonly message: PaymentItem },
      byHand: (item: PaymentItem, reach: Reach) => Promise<"posted" | "known">,
    ): Promise<Raced[]> {
      const raced: Raced[] = [];
      for (let first = 0; first < PAIRS; first += TOGETHER) {
        const batch = Array.from({ length: TOGETHER }, async (_, at) => {
          const pair = pairOf();
          const start = starter(first + at);
          const [answer, manual] = await Promise.all([
            send(pair.message, start.message),
            byHand(pair.manual, start.manual).catch((fault: unknown) => {
              if (fault instanceof Fault) return fault.message;
              throw fault;
            }),
          ]);
          return { item: pair.message, answer, manual };
        });
        raced.push(...(await Promise.all(batch)));
      }
      return raced;
    }
    const adviseIn = async (item: PaymentItem, reach: Reach) =>
      (await advise(item, reach)).isReplay ? ("known" as const) : ("posted" as const);
    const seen = (raced: readonly Raced[]): string[] =>
      [
        ...new Set(
          raced.map(({ answer, manual }) => `${answer.outcome}, ${manual.replace(/.*: ([A-Z_]+)[,;].*/s, "$1")}`),
        ),
      ].toSorted();

    it("posts one of the two, and approves the message either way", async () => {
      const raced = await race(() => {
        const item = pay({ billNumber: freshBill() });
        return { manual: item, message: item };
      }, adviseIn);
      expect(seen(raced)).toEqual(["APPROVED, known", "APPROVED, posted"]);
      for (const { item, answer, manual } of raced) {
        expect(await entriesOf(item)).toEqual([{ kind: "payment" }]);
        const own = { family: "payment", outcome: "APPROVED", has_entry: true, answers_manual: manual === "posted" };
        expect((await rowsOf(item)).find(({ family }) => family === "payment")).toEqual(own);
        expect(await send(item)).toMatchObject({ isReplay: true, body: answer.body });
      }
    });

    it.each([
      ["goes to suspense", "APPROVED"],
      ["is declined", "BILL_NOT_FOUND"],
    ])("keeps a message about another bill that %s apart from it", async (which, outcome) => {
      const raced = await race(() => {
        const manual = pay({ billNumber: freshBill() });
        const message = pay({ traxId: manual.message.traxId, billNumber: "9999999999999" });
        const dialect = { ...message.partner.dialect, mustAccept: which === "goes to suspense" };
        return { manual, message: { ...message, partner: { ...message.partner, dialect } } };
      }, adviseIn);
      expect(seen(raced)).toEqual([`${outcome}, CONFLICT`, "CONFLICT, posted"].toSorted());
      for (const { item, manual } of raced) {
        const isPosted = manual === "posted" || which === "goes to suspense";
        expect(await entriesOf(item)).toEqual(isPosted ? [{ kind: "payment" }] : []);
      }
    });

    it("either reverses what was posted, or buries the traxId so that nothing is", async () => {
      const raced = await race(() => {
        const item = pay({ billNumber: freshBill() });
        return { manual: item, message: takeBack(item) };
      }, adviseIn);
      expect(seen(raced)).toEqual(["APPROVED, posted", "NOT_FOUND, REVERSED"]);
      for (const { item, manual } of raced) {
        expect(await entriesOf(item)).toEqual(manual === "posted" ? [{ kind: "payment" }, { kind: "reversal" }] : []);
      }
    });

    it.each(["a bill", "suspense"])("takes a payment to %s back once", async (where) => {
      const payments: PaymentItem[] = [];
      for (let pair = 0; pair < PAIRS; pair += 1) {
        const item = where === "a bill" ? pay({ billNumber: freshBill() }) : pay({ billNumber: "9999999999998" });
        const dialect = { ...item.partner.dialect, mustAccept: true };
        payments.push({ ...item, partner: { ...item.partner, dialect } });
        await send(payments[pair] as PaymentItem);
      }
      const raced = await race(
        () => {
          const item = payments.pop() as PaymentItem;
          return { manual: item, message: takeBack(item) };
        },
        async (item, reach) => ((await reverse(item, reach)).entryId === null ? "known" : "posted"),
      );
      expect(seen(raced)).toEqual(["ALREADY_REVERSED, posted", "APPROVED, known"]);
      for (const { item } of raced) {
        expect(await entriesOf(item)).toEqual([{ kind: "payment" }, { kind: "reversal" }]);
      }
    });
  });
});
