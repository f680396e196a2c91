import type { BrokenGuarantee } from "./store";

/** One thing made wrong on purpose: a line of the product, or a guarantee of the store. */
export type Mutation = { readonly name: string } & (
  | {
      readonly file: string;
      readonly from: string;
      readonly to: string;
      readonly alsoFrom?: string;
      readonly alsoTo?: string;
    }
  | { readonly broken: BrokenGuarantee }
);

const POST = "src/flows/post-payments.ts";
const DESK = "src/flows/keyed-desk.ts";
const REVERSE = "src/flows/post-reversal.ts";
const TRANSACTION = "src/platform/transaction.ts";

/** What the simulation must notice. The texts are those of the sources: whoever changes one changes the other. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a key that somebody else took is overlooked",
    ...{
      file: POST,
      from: "if (!(await appendTrax(tx, records))) throw new KeyTaken();",
      to: "await appendTrax(tx, records);",
    },
  },
  {
    name: "a lost claim counts as won",
    ...{ file: POST, from: "const won = await claimBills(tx, claims);" },
    to: "await claimBills(tx, claims); const won = new Set(claims.map((claim) => claim.billKey));",
  },
  {
    name: "two payments of one bill in a batch do not see each other",
    ...{ file: POST, from: "const bill = billsInBatch.get(billKey) ?? each.bill;", to: "const bill = each.bill;" },
  },
  {
    name: "the loser of a claim takes itself for its own original",
    ...{ file: POST, from: "for (const key of freed) keysInBatch.delete(key);", to: "" },
  },
  {
    name: "who was judged by a lost payment's key stays judged",
    file: POST,
    from: " && !freed.has(each.work.key)",
    to: "",
  },
  {
    name: "a repeat is answered in new words",
    ...{ file: POST, from: "reply: { body: decision.known.replyBody, fields: null }" },
    to: "reply: replyWithout(message, partner, decision.known.outcome, { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() })",
  },
  {
    name: "an unanswered COMMIT counts as done",
    ...{ file: POST, from: "const decided = await deps.db.withTransaction(deadline, async (tx) => {" },
    to: `let seen: Decided[] | null = null;
  const keep = (settled: Decided[]): Decided[] => (seen = settled);
  const trusting = <T>(pending: Promise<T>): Promise<T> =>
    pending.catch((fault: unknown) => {
      if ((fault as { code?: string }).code === "commit_unknown" && seen !== null) return seen as T;
      throw fault;
    });
  const db = { withTransaction: <T>(d: Deadline, work: (tx: Tx) => Promise<T>) =>
    trusting(deps.db.withTransaction(d, async (tx) => keep((await work(tx)) as Decided[]) as T)) };
  const decided = await db.withTransaction(deadline, async (tx) => {`,
  },
  {
    name: "COMMIT answered with ROLLBACK counts as done",
    ...{ file: TRANSACTION, from: 'if (tag !== "COMMIT")', to: 'if (tag === "nothing")' },
  },
  {
    name: "nobody waits for the answer to COMMIT",
    ...{
      file: TRANSACTION,
      from: "await commit(session, deadline);",
      to: "commit(session, deadline).catch(() => {});",
    },
  },
  {
    name: "an outcome that is not known is told as a decline",
    ...{ file: DESK, from: 'return { kind: "unknown", isOverload: fault instanceof Overloaded };' },
    to: 'return { kind: "answered", outcome: "BILL_NOT_FOUND", body: "", isReplay: false } as never;',
  },
  {
    name: "keys stay marked as in flight",
    ...{ file: DESK, from: "for (const key of keys) inFlight.delete(key);", to: "" },
  },
  {
    name: "the answers of a batch are given to the wrong items",
    ...{
      file: DESK,
      from: "value: answers[index] as Answer",
      to: "value: answers[items.length - 1 - index] as Answer",
    },
  },
  {
    name: "nothing is tried again",
    ...{ file: DESK, from: "const ATTEMPTS_MAX = 6;", to: "const ATTEMPTS_MAX = 1;" },
  },
  {
    name: "the wait for a batch has no end",
    ...{ file: DESK, from: 'timer = setTimeout(() => resolve("late"), Math.max(0, deadline.leftMs()));' },
    to: 'if (deadline.leftMs() > 1e12) timer = setTimeout(() => resolve("late"), Math.max(0, deadline.leftMs()));',
  },
  {
    name: "a full collector never starts again",
    ...{
      file: "src/platform/collector.ts",
      from: "      inFlight -= 1;\n      schedule();",
      to: "      inFlight -= 1;",
    },
  },
  {
    name: "a decline is judged again",
    ...{
      file: "src/domain/payment.ts",
      from: "if (known !== null) {",
      to: 'if (known !== null && known.outcome === "APPROVED") {',
    },
  },
  {
    name: "another amount under the same key is overlooked",
    ...{
      file: "src/domain/payment.ts",
      from: 'return { kind: "conflict", differing };',
      to: 'return { kind: "replay", known };',
    },
  },
  {
    name: "a payment is answered as paid after its reversal",
    ...{
      file: "src/domain/payment.ts",
      from: "if (known.isReversed === true)",
      to: "if (known.isReversed === null)",
    },
  },
  {
    name: "an old quote pays more than is owed",
    ...{ file: "src/domain/bill-rule.ts", from: " && amount <= outstandingOf(bill);", to: ";" },
  },
  {
    name: "money in suspense is shown to nobody",
    ...{
      file: "src/flows/exceptions-of.ts",
      from: 'if (decision.kind === "suspend") {',
      to: "if (Math.abs(0) === 1) {",
    },
  },
  {
    name: "a reversal without a payment leaves no tombstone",
    ...{
      file: REVERSE,
      from: 'if (decision.kind === "bury") records.push(',
      to: 'if (decision.kind === "decline") records.push(',
    },
  },
  {
    name: "a reversal overlooks that the bill has changed",
    ...{ file: REVERSE, from: "if (!(await claimBills(tx, [claim])).has(billKey)) throw new ClaimLost();" },
    to: "await claimBills(tx, [claim]);",
  },
  {
    name: "a reversal overlooks that its key is taken",
    ...{
      file: REVERSE,
      from: "if (!(await appendTrax(tx, records))) throw new KeyTaken();",
      to: "await appendTrax(tx, records);",
    },
  },
  {
    name: "a reversal reads the facts before the bill",
    ...{ file: REVERSE, from: "const [bills, { payment, reversal }] = await Promise.all([" },
    to: `const early = readReversalFacts(tx, partner.partnerId, traxId);
  const [bills, { payment, reversal }] = await Promise.all([`,
    alsoFrom: "    readReversalFacts(tx, partner.partnerId, traxId),\n  ]);",
    alsoTo: "    early,\n  ]);",
  },
  {
    name: "a reversal of another day is taken",
    ...{
      file: "src/domain/reversal.ts",
      from: "payment.businessDate !== facts.businessDate",
      to: "payment.businessDate === null",
    },
  },
  {
    name: "a reversal leaves the bill paid",
    ...{ file: "src/domain/reversal.ts", from: "withoutPayment(bill, applied),", to: "withoutPayment(bill, 0n)," },
  },
  {
    name: "a reversal of credit alone leaves the bill's last payment",
    file: "src/domain/reversal.ts",
    from: "!isOfBill(payment.postings)",
    to: "applied === 0n",
  },
  {
    name: "the merchant is not told of a payment",
    file: POST,
    from: "await tellOfPayments(tx, deps.ids, settled.flatMap(merchantPostingOf));",
    to: "",
  },
  {
    name: "the merchant is not told of a reversal",
    file: REVERSE,
    from: "await tellMerchant(deps, tx, instruction,",
    to: "if (because.length > 1_000) await tellMerchant(deps, tx, instruction,",
  },
  { name: "store: the unique key overlooks what is not committed yet", broken: "unique-key-misses-uncommitted" },
  { name: "store: a claim takes a bill at any version", broken: "claim-ignores-version" },
  { name: "store: what is not committed is seen by others", broken: "dirty-reads" },
  { name: "store: a commit loses the bill", broken: "commit-loses-bills" },
  { name: "store: a rollback leaves the bill changed", broken: "abort-keeps-bills" },
];
