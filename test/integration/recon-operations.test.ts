import fc from "fast-check";
import { moneyActionsFor } from "../../src/domain";
import { postPayments } from "../../src/flows";
import { handleItem, inSession, readAgeing, readItem, runReconciliation } from "../../src/ops";
import { type Db, deadlineIn, Fault, systemClock } from "../../src/platform";
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
import {
  billNumberOf,
  type Day,
  DAY,
  dayOf,
  paidFor,
  RULES,
  type Truth,
  truthArbitrary,
} from "../support/settlement-days";
import {
  bookPayments,
  bookPostings,
  FULL_HEADER,
  FULL_PROFILE,
  fullLine,
  settlementDesk,
} from "../support/settlement-files";
import { ANI, BUDI, TODAY, twoPeople, type TwoPeople } from "../support/two-people";

jest.setTimeout(300_000);

/** What cannot be done is told, and leaves everything as it was. */
const HONEST_REFUSALS = ["advice_declined", "nothing_to_reverse", "proposed", "account"];

describe("two people at work on a day's exceptions", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  let db: Db;
  let people: TwoPeople;

  async function open(truths: readonly Truth[]): Promise<Day> {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    db = testDb(database.appUrl);
    const day = dayOf(truths);
    const bills = truths.flatMap(({ damage, amount, feeAmount }, index) => {
      if (!damage.startsWith("missing-here")) return [];
      return [telkomBill({ billNumber: billNumberOf(index), feeAmount, items: [{ reference: "304A", amount }] })];
    });
    await fill(database, bills);
    await desk.saveProfile("full", { ...FULL_PROFILE, rules: RULES });
    await bookPayments(database, day.payments);
    await bookPostings(database);
    await desk.import("day.csv", `${[FULL_HEADER, ...day.lines.map(fullLine)].join("\n")}\n`, { date: DAY });
    await run();
    people = await twoPeople(database, db);
    return day;
  }
  async function close(): Promise<void> {
    desk.close();
    await db.close();
    await database.drop();
  }
  const run = () =>
    runReconciliation({
      ...{ databaseUrl: database.appUrl, profileCode: "full", settlementDate: DAY, isDryRun: false },
      ...{ redecidesDeclared: false, by: "test (test)" },
    });
  const balanceOf = async (account: string): Promise<bigint> => {
    const [row] = await database.query<{ balance: bigint }>(
      `select coalesce(sum(case side when 'debit' then amount else -amount end), 0)::bigint as balance
         from posting where account_code = $1`,
      [account],
    );
    return row?.balance ?? 0n;
  };
  const truth = { amount: 30_000n, feeAmount: 5_000n, minute: 600 };

  it("explains every rupiah, whatever is done in whatever order", async () => {
    const choices = fc.array(fc.record({ pick: fc.nat(), action: fc.nat(), refuse: fc.boolean() }), { maxLength: 30 });
    const truths = fc.array(truthArbitrary, { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(truths, choices, fc.boolean(), async (truths, choices, settlesFirst) => {
        const day = await open(truths);
        try {
          if (settlesFirst) await people.settle("full", DAY);
          for (const { pick, action, refuse } of choices) {
            const queue = await people.queue();
            const item = queue[pick % Math.max(1, queue.length)];
            if (item === undefined) break;
            const possible = moneyActionsFor(item.class).filter((each) => each !== "link");
            const chosen = possible[action % possible.length] ?? "accept";
            const account = chosen === "accept" ? "suspense" : null;
            try {
              const proposalId = await people.propose(item.itemId, { action: chosen, account });
              if (refuse) await people.refuse(proposalId);
              else await people.approve(proposalId);
            } catch (fault) {
              if (!(fault instanceof Fault) || !HONEST_REFUSALS.includes(fault.code)) throw fault;
              await database.query(
                `update exception_proposal set decision = 'refused', decided_by = 'citra', decided_via = 'test',
                   decided_at = now() where decision is null`,
              );
            }
            if (pick % 5 === 0) await run();
          }
          for (const { itemId } of await people.queue()) {
            await people.resolve(itemId, { action: "accept", account: "settlement-difference" });
          }
          await people.settle("full", DAY);
          await people.settle("full", DAY);
          const again = await run();
          expect(again.changes).toEqual([]);
          expect(await people.queue()).toEqual([]);
          expect(await brokenLaws(database)).toEqual([]);
          expect(await balanceOf("bank-in-transit")).toBe(paidFor(day.lines));
          expect(await balanceOf("due-from-switch")).toBe(0n);
        } finally {
          await close();
        }
      }),
      { numRuns: 25 },
    );
  });

  it("needs two names, in the program and in the database", async () => {
    await open([{ ...truth, damage: "amount-differs" }]);
    try {
      const [item] = await people.queue();
      const proposalId = await people.propose(item?.itemId ?? "", { account: "suspense" });
      await expect(people.approve(proposalId, ANI)).rejects.toMatchObject({ code: "same_person" });
      await expect(people.approve(proposalId, { ...ANI, name: " ANI " })).rejects.toMatchObject({
        code: "same_person",
      });
      await expect(
        onServer(
          database.appUrl,
          `update exception_proposal set decision = 'approved', decided_by = 'Ani', decided_via = 'x', decided_at = now()`,
        ),
      ).rejects.toMatchObject({ constraint: "exception_proposal_two_people" });
      await expect(onServer(database.appUrl, "update exception_proposal set proposed_by = 'citra'")).rejects.toThrow(
        "permission denied",
      );
      await expect(
        onServer(
          database.appUrl,
          `insert into settlement_posting (kind, entry_id, business_date, partner_id, settlement_date, proposal_id, due_amount,
             transit_amount, account_amount, posted_by)
           values ('resolution', gen_random_uuid(), current_date, 1, current_date, '${proposalId}', 1, 1, 0, 'ani')`,
        ),
      ).rejects.toMatchObject({ constraint: "settlement_posting_approved" });
      await people.approve(proposalId);
      await expect(people.approve(proposalId)).rejects.toMatchObject({ code: "decided" });
      expect(
        await database.query(
          "select actor, action from operator_action where action like 'exception.%' order by recorded_at",
        ),
      ).toEqual([
        { actor: "ani (test)", action: "exception.proposed" },
        { actor: "budi (test)", action: "exception.approved" },
      ]);
    } finally {
      await close();
    }
  });

  it("posts a missing payment once, with its bill and a key of its own, also when ten approve at once", async () => {
    await open([{ ...truth, damage: "missing-here" }]);
    try {
      const [item] = await people.queue();
      const proposalId = await people.propose(item?.itemId ?? "", { action: "advise" });
      const all = await Promise.allSettled(Array.from({ length: 10 }, () => people.approve(proposalId)));
      expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await database.query("select trax_id, family, outcome from trax")).toEqual([
        { trax_id: "T000000000", family: "manual-payment", outcome: "APPROVED" },
      ]);
      expect(await database.query("select paid_amount from bill")).toEqual([{ paid_amount: 30_000n }]);
      expect(await brokenLaws(database)).toEqual([]);
      expect((await run()).summary).toMatchObject({ matched: 0, findings: [{ class: "missing-here", resolved: 1 }] });
      expect(await balanceOf("bank-in-transit")).toBe(35_000n);
    } finally {
      await close();
    }
  });

  /** The switch's own message for the line of the day. */
  async function messageOf({ traxId, billNumber }: Partial<Record<"traxId" | "billNumber", string | null>>) {
    const message = paymentMessage({ traxId: traxId ?? "", billNumber: billNumber ?? "" });
    const item = paymentItem(await catalogOf(db), message);
    const [answer] = await postPayments(testPosting(db), [item], deadlineIn(systemClock, 8_000));
    return answer;
  }

  it("matches a line with the payment that it had advised, although the payment's own message came later", async () => {
    const day = await open([{ ...truth, damage: "missing-here" }]);
    try {
      const [item] = await people.queue();
      await people.resolve(item?.itemId ?? "", { action: "advise" });
      const line = day.lines[0] ?? {};
      expect(await messageOf(line)).toMatchObject({ outcome: "APPROVED", isReplay: false });
      expect(await messageOf(line)).toMatchObject({ outcome: "APPROVED", isReplay: true });
      expect((await run()).changes).toEqual([]);
      expect(await people.queue()).toEqual([]);
      await people.settle("full", DAY);
      expect(await balanceOf("bank-in-transit")).toBe(35_000n);
      expect(await balanceOf("due-from-switch")).toBe(0n);
      expect(await brokenLaws(database)).toEqual([]);
    } finally {
      await close();
    }
  });

  it("tells why an advice is declined whose bill was paid by another traxId, and the proposal waits", async () => {
    const day = await open([{ ...truth, damage: "missing-here" }]);
    try {
      const [item] = await people.queue();
      const proposalId = await people.propose(item?.itemId ?? "", { action: "advise" });
      await messageOf({ traxId: "OTHER1", billNumber: day.lines[0]?.billNumber ?? null });
      await expect(people.approve(proposalId)).rejects.toMatchObject({
        code: "advice_declined",
        message: expect.stringContaining("ALREADY_PAID, the bill was paid by another payment"),
      });
      expect(await database.query("select trax_id from trax")).toEqual([{ trax_id: "OTHER1" }]);
      expect((await people.queue()).map((each) => each.proposalId)).toEqual([proposalId]);
    } finally {
      await close();
    }
  });

  it("stores nothing of an advice that is declined, so that the payment's own message is still judged", async () => {
    await open([{ ...truth, damage: "missing-here" }]);
    try {
      await database.query("update bill set is_cancelled = true");
      const [item] = await people.queue();
      const proposalId = await people.propose(item?.itemId ?? "", { action: "advise" });
      await expect(people.approve(proposalId)).rejects.toMatchObject({ code: "advice_declined" });
      expect(await database.query("select from trax")).toEqual([]);
      expect((await people.queue()).map((each) => each.proposalId)).toEqual([proposalId]);
    } finally {
      await close();
    }
  });

  it.each([
    ["amount-differs", "reversed-there"],
    ["reversed-there", "amount-differs"],
  ] as const)(
    "takes back what a line says that it takes back, the rest to an account: %s before %s",
    async (...order) => {
      await open([{ ...truth, damage: "paid-then-reversed+amount" }]);
      try {
        const queue = await people.queue();
        expect(queue.map((each) => [each.class, each.difference])).toEqual(
          expect.arrayContaining([
            ["amount-differs", 1n],
            ["reversed-there", -30_001n],
          ]),
        );
        const idOf = (name: string): string => queue.find((each) => each.class === name)?.itemId ?? "";
        const alone = await people.propose(idOf("reversed-there"), { action: "reverse" });
        await expect(people.approve(alone)).rejects.toMatchObject({ code: "account" });
        expect(await database.query("select from journal_entry where kind = 'reversal'")).toEqual([]);
        await people.refuse(alone);
        for (const name of order) {
          const action = name === "reversed-there" ? "reverse" : "accept";
          await people.resolve(idOf(name), { action, account: "settlement-difference" });
        }
        for (const account of ["bank-in-transit", "due-from-switch", "settlement-difference"]) {
          expect([account, await balanceOf(account)]).toEqual([account, 0n]);
        }
        expect(await brokenLaws(database)).toEqual([]);
      } finally {
        await close();
      }
    },
  );

  it("links a line with a payment by hand, and resolves both sides", async () => {
    const day = await open([{ ...truth, damage: "other-bill-number" }]);
    try {
      const queue = await people.queue();
      const line = queue.find((each) => each.class === "missing-here");
      await people.resolve(line?.itemId ?? "", { action: "link", target: day.payments[0]?.traxId ?? "" });
      expect(await people.queue()).toEqual([]);
      expect(await balanceOf("due-from-switch")).toBe(0n);
      expect(await balanceOf("bank-in-transit")).toBe(35_000n);
      expect(await brokenLaws(database)).toEqual([]);
      expect((await run()).changes).toEqual([]);
    } finally {
      await close();
    }
  });

  it("does not let a file be replaced whose lines are posted", async () => {
    const day = await open([{ ...truth, damage: "none" }]);
    try {
      await people.settle("full", DAY);
      const other = `${FULL_HEADER}\n${day.lines.map((line) => fullLine({ ...line, amount: 1n })).join("\n")}\n`;
      await expect(desk.import("day.csv", other, { date: DAY, mayReplace: true })).rejects.toThrow(
        "are settled: it cannot be replaced",
      );
      const ageing = await inSession({ url: database.appUrl, isolation: "read committed" }, (session) =>
        readAgeing(session, "2026-11-25"),
      );
      expect(ageing).toMatchObject([{ account: "bank-in-transit", total: 35_000n, days4to7: 35_000n, days0to1: 0n }]);
    } finally {
      await close();
    }
  });

  it("shows what is due first, by amount and age, and carries it to another day", async () => {
    await open([
      { ...truth, damage: "missing-in-file" },
      { ...truth, damage: "missing-in-file", amount: 50_000_000n },
    ]);
    try {
      const queue = await people.queue();
      expect(queue.map(({ amount }) => amount)).toEqual([50_000_000n, 30_000n]);
      const hours = queue.map(({ openedAt, dueAt }) => (dueAt.getTime() - openedAt.getTime()) / 3_600_000);
      expect(hours).toEqual([4, 72]);
      expect(await people.queue({ onlyOverdue: true })).toEqual([]);
      const [first] = queue;
      const carry = { kind: "carry", today: TODAY, to: null, text: "in the file of Monday" } as const;
      await transact(db, (tx) => handleItem(tx, ANI, first?.itemId ?? "", carry));
      await transact(db, (tx) => handleItem(tx, BUDI, first?.itemId ?? "", { kind: "assign", owner: "ani" }));
      expect(await people.queue({ owner: "ani" })).toMatchObject([{ carriedTo: "2026-11-22" }]);
      const shown = await transact(db, (tx) => readItem(tx, (first?.itemId ?? "").slice(0, 13)));
      expect(shown.history).toMatchObject([
        { kind: "carried", actor: "ani", detail: "to 2026-11-22: in the file of Monday" },
        { kind: "assigned", actor: "budi", detail: "to ani" },
      ]);
      const far = { ...carry, to: "2027-11-22" };
      await expect(transact(db, (tx) => handleItem(tx, ANI, shown.itemId, far))).rejects.toMatchObject({
        code: "not_possible",
      });
      const close = { kind: "close", text: "never mind" } as const;
      await expect(transact(db, (tx) => handleItem(tx, ANI, shown.itemId, close))).rejects.toThrow("is about money");
    } finally {
      await close();
    }
  });
});
