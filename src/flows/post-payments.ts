import {
  type Bill,
  billKeyOf,
  decidePayment,
  type HardField,
  type HardFields,
  type LastPayment,
  type Outcome,
  type PaymentDecision,
  type Posting,
  type Quote,
  withPayment,
} from "../domain";
import { appendTrax, type NewEntry, readPaymentKeys, type StoredTrax, type TraxRecord } from "../ledger";
import { type Clock, type Db, type Deadline, Fault, type IdSource, type Tx } from "../platform";
import { type BillClaim, claimBills, type NewException, openExceptions, readBills, readLiveQuotes } from "../store";
import type { SwitchMessage, SwitchReply } from "../wire";
import type { ActivePartner } from "./catalog";
import type { Product } from "./product-definition";
import { exceptionOf } from "./exceptions-of";
import { type MerchantPosting, tellOfPayments } from "./merchant-events";
import type { Reach } from "./posting-point";
import { replyToManual } from "./manual-row";
import { type Reply, replyToPayment, replyToSuspense, replyWithout, shownBy } from "./reply";
import { entryOf, instructionOf, recordOf, storedFrom } from "./trax-record";

/** A payment that has passed the door: authentic, well-formed, its transactionType allowed. */
export interface PaymentItem {
  readonly partner: ActivePartner;
  /** Null: no such product, or not allowed for this partner. */
  readonly product: Product | null;
  readonly message: SwitchMessage & { readonly amount: bigint; readonly feeAmount: bigint };
  readonly receivedAtMs: number;
  readonly deadline: Deadline;
  /** False: its time stamp is outside the partner's clock window, so only what was answered before is answered again. */
  readonly isFresh: boolean;
}

/** What a payment is answered. `isReplay`: the stored bytes of an earlier answer. */
export interface PostedAnswer {
  readonly outcome: Outcome;
  readonly body: string;
  /** What the body was made from; null where it was stored before. */
  readonly fields: SwitchReply | null;
  readonly isReplay: boolean;
  /** Hard fields in which a repeat differs from the original: a tamper alarm. */
  readonly differing: readonly HardField[];
  /** False for an accepted payment whose bit61 echoes no live quote. */
  readonly isQuoted: boolean;
  /** A remark for operators, or null. */
  readonly note: string | null;
}

/** What a list of payments is posted with. */
export interface PostingDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly reach: Reach;
}

/** A key was consumed by somebody else between our reading it and writing it: nothing was written, judge again. */
export class KeyTaken extends Fault {
  constructor() {
    super("key_taken", "another transaction took one of the traxIds");
  }
}

/** A claim kept being lost to other transactions: nothing was written, judge again. */
export class ClaimLost extends Fault {
  constructor() {
    super("claim_lost", "bills of this batch kept changing");
  }
}

const CLAIM_ROUNDS_MAX = 5;

/** Everything known about one item of a batch while it is being decided. */
interface Work {
  readonly item: PaymentItem;
  readonly key: string;
  readonly billKey: string;
  readonly stored: StoredTrax | null;
  readonly quotes: readonly Quote[];
  readonly bill: Bill | null;
}

interface Decided {
  readonly work: Work;
  readonly decision: PaymentDecision<StoredTrax>;
  readonly reply: { readonly body: string; readonly fields: SwitchReply | null };
  /** What is to be stored under the key; null when the key is not consumed by this item. */
  readonly record: TraxRecord | null;
  readonly exception: NewException | null;
}

/**
 * Posts a list of payments in one transaction, deciding them in order of arrival as if each were alone. Several items
 * may share a traxId or a bill.
 *
 * Bills are read without locks, decided on, then claimed by a conditional update; who loses a claim is read and decided
 * again. Replies are made before the commit, because their bytes are stored with the key.
 *
 * @throws KeyTaken, ClaimLost nothing was written: call again
 * @throws the faults of `Db.withTransaction`
 */
export async function postPayments(
  deps: PostingDeps,
  items: readonly PaymentItem[],
  deadline: Deadline,
): Promise<PostedAnswer[]> {
  const decided = await deps.db.withTransaction(deadline, async (tx) => {
    await deps.reach("begun");
    const settled = await decideAndClaim(deps, tx, items);
    const records = settled.flatMap(({ record }) => record ?? []);
    if (!(await appendTrax(tx, records))) throw new KeyTaken();
    await openExceptions(
      tx,
      settled.flatMap(({ exception }) => exception ?? []),
    );
    await tellOfPayments(tx, deps.ids, settled.flatMap(merchantPostingOf));
    await deps.reach("appended");
    return settled;
  });
  await deps.reach("committed");
  return decided.map(answerOf);
}

function merchantPostingOf({ decision, record }: Decided): MerchantPosting[] {
  const entry = record?.entry ?? null;
  if (decision.kind !== "post" || record === null || entry === null) return [];
  return merchantEventOf(decision, { ...record, entry });
}

/** Reads facts, decides, claims; the losers of a claim go round again with fresh facts. */
async function decideAndClaim(deps: PostingDeps, tx: Tx, items: readonly PaymentItem[]): Promise<Decided[]> {
  const settled = new Map<PaymentItem, Decided>();
  const keysInBatch = new Map<string, StoredTrax>();
  let pending = items;
  for (let round = 0; pending.length > 0; round += 1) {
    if (round === CLAIM_ROUNDS_MAX) throw new ClaimLost();
    const work = await readFacts(tx, pending);
    await deps.reach("facts-read");
    const { decided, claims } = decideInOrder(deps, work, keysInBatch);
    const won = await claimBills(tx, claims);
    await deps.reach("bills-claimed");
    const lost = new Set(claims.map((claim) => claim.billKey).filter((billKey) => !won.has(billKey)));
    // Only the item that would have consumed the key gives it free again. Whoever was judged by it, be it for another
    // bill, goes round with it: somebody else may have that key by then.
    const freed = new Set(
      decided.flatMap(({ work: { billKey, key }, record }) => (record !== null && lost.has(billKey) ? [key] : [])),
    );
    for (const each of decided) {
      if (!lost.has(each.work.billKey) && !freed.has(each.work.key)) settled.set(each.work.item, each);
    }
    for (const key of freed) keysInBatch.delete(key);
    pending = pending.filter((item) => !settled.has(item));
  }
  return items.map((item) => settled.get(item) as Decided);
}

async function readFacts(tx: Tx, items: readonly PaymentItem[]): Promise<Work[]> {
  // A quote that was alive when its payment arrived counts, however long the payment then waited; the domain tells which.
  const earliestMs = items.reduce((earliest, { receivedAtMs }) => Math.min(earliest, receivedAtMs), Infinity);
  const keys = items.map(({ partner, message }) => ({ partnerId: partner.partnerId, traxId: message.traxId }));
  const billKeys = items.map(({ message }) => billKeyOf(message.productCode, message.billNumber));
  const pairs = items.map(({ partner }, index) => ({
    billKey: billKeys[index] as string,
    partnerId: partner.partnerId,
  }));
  // Sent together: one round trip for the three.
  const [stored, bills, quotes] = await Promise.all([
    readPaymentKeys(tx, keys),
    readBills(tx, [...new Set(billKeys)]),
    readLiveQuotes(tx, pairs, earliestMs),
  ]);
  return items.map((item, index) => ({
    item,
    key: `${item.partner.partnerId}:${item.message.traxId}`,
    billKey: billKeys[index] as string,
    stored: stored[index] ?? null,
    quotes: quotes[index] ?? [],
    bill: bills.get(billKeys[index] as string) ?? null,
  }));
}

/** Decides in order of arrival; what an earlier item of the batch did is a fact for the later ones. */
function decideInOrder(
  deps: PostingDeps,
  work: readonly Work[],
  keysInBatch: Map<string, StoredTrax>,
): { decided: Decided[]; claims: BillClaim[] } {
  const billsInBatch = new Map<string, Bill>();
  const claims = new Map<string, BillClaim>();
  const decided = work.map((each) => {
    const { item, key, billKey } = each;
    const bill = billsInBatch.get(billKey) ?? each.bill;
    const decision = decidePayment(
      hardAndSoftOf(item),
      {
        // What the batch itself stores goes first: beside a manual posting it is what a repeat is answered.
        known: keysInBatch.get(key) ?? each.stored,
        isProductAllowed: item.product !== null,
        rules: item.product?.rules ?? null,
        bill,
        quotes: each.quotes,
        bit61Check: item.partner.dialect.bit61Check,
        isFresh: item.isFresh,
        mustAccept: item.partner.dialect.mustAccept,
      },
      item.receivedAtMs,
    );
    const result = carryOut(deps, each, decision, exceptionOf(item, billKey, bill, decision));
    if (result.record !== null) keysInBatch.set(key, storedFrom(result.record));
    if (decision.kind === "post") {
      const { partnerId } = item.partner;
      const { traxId, amount } = item.message;
      const lastPayment = { partnerId, traxId, amount, paidAtMs: item.receivedAtMs };
      billsInBatch.set(billKey, withPayment(decision.bill, decision.applied, lastPayment));
      claims.set(billKey, claimOf(decision, (each.bill ?? decision.bill).version, lastPayment));
    }
    return result;
  });
  return { decided, claims: [...claims.values()] };
}

type Posted = Extract<PaymentDecision, { kind: "post" }>;

/** The claim of a bill with the payment that was decided on it. */
export function claimOf({ bill, applied }: Posted, expectedVersion: number, lastPayment: LastPayment): BillClaim {
  const { billKey, version, paidAmount } = withPayment(bill, applied);
  return { billKey, expectedVersion, version, paidAmount, lastPayment };
}

/** What its merchant is told of a payment; nothing when the bill is no merchant's. */
export function merchantEventOf(
  decision: Posted,
  record: TraxRecord & { readonly entry: NewEntry },
): MerchantPosting[] {
  if (!decision.bill.merchantId) return [];
  const { partnerId, traxId, amount, channel, receivedAtMs } = record;
  return [
    {
      bill: withPayment(decision.bill, decision.applied),
      merchantId: decision.bill.merchantId,
      entryId: record.entry.entryId,
      partnerId,
      traxId,
      amount,
      channel,
      atMs: receivedAtMs,
    },
  ];
}

function hardAndSoftOf({ message }: PaymentItem): HardFields & { bit61: string } {
  const { productCode, billNumber, amount, feeAmount, bit61 } = message;
  return { productCode, billNumber, amount, feeAmount, bit61 };
}

/** Turns a decision into reply bytes and, where the key is consumed, the row to be stored under it. */
function carryOut(
  deps: PostingDeps,
  work: Work,
  decision: PaymentDecision<StoredTrax>,
  exception: NewException | null,
): Decided {
  const { partner, product, message, receivedAtMs } = work.item;
  if (decision.kind === "replay") {
    return { work, decision, reply: { body: decision.known.replyBody, fields: null }, record: null, exception };
  }
  const stamp = { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() };
  const stored = (
    outcome: Outcome,
    reply: Reply,
    postings: readonly Posting[] | null,
    answersEntryId: string | null = null,
  ): Decided => {
    const entry = postings === null ? null : entryOf(deps.ids, receivedAtMs, postings);
    const result = { outcome, replyBody: reply.body, sysCode: stamp.sysCode, entry, answersEntryId };
    const record = recordOf(instructionOf(work.item), { family: "payment", billKey: work.billKey, ...result });
    return { work, decision, reply, record, exception };
  };
  switch (decision.kind) {
    case "conflict":
      return { work, decision, reply: replyWithout(message, partner, "CONFLICT", stamp), record: null, exception };
    case "refuse":
      return {
        work,
        decision,
        reply: replyWithout(message, partner, decision.outcome, stamp),
        record: null,
        exception,
      };
    case "acknowledge":
      return stored(
        "APPROVED",
        replyToManual(work.item, work.bill, decision.known, stamp),
        null,
        decision.known.entryId,
      );
    case "suspend":
      return stored("APPROVED", replyToSuspense(message, partner, stamp), decision.postings);
    case "decline":
      return stored(decision.outcome, replyWithout(message, partner, decision.outcome, stamp), null);
    case "post": {
      if (product === null) throw new Fault("no_product", "a payment was accepted without a product");
      const shown = shownBy(decision.bill, message, product);
      const reply = replyToPayment(message, partner, product, decision.bill, shown, stamp);
      return stored("APPROVED", reply, decision.postings);
    }
  }
}

/** What operators read about a payment that was refused without being stored. */
const REFUSED = {
  BAD_AUTH: "timeStamp is outside the agreed window",
  REVERSED: "a repeat after the reversal",
} as const;

function answerOf({ decision, reply: { body, fields } }: Decided): PostedAnswer {
  const nothingSpecial = { body, fields, isReplay: false, differing: [], isQuoted: true, note: null };
  switch (decision.kind) {
    case "replay":
      return { ...nothingSpecial, outcome: decision.known.outcome, isReplay: true };
    case "acknowledge":
      return { ...nothingSpecial, outcome: decision.known.outcome, note: "operators had posted it" };
    case "conflict":
      return { ...nothingSpecial, outcome: "CONFLICT", differing: decision.differing };
    case "refuse":
      return { ...nothingSpecial, outcome: decision.outcome, note: REFUSED[decision.outcome] };
    case "decline":
      return { ...nothingSpecial, outcome: decision.outcome };
    case "suspend":
      return { ...nothingSpecial, outcome: "APPROVED", note: `posted to suspense, would be ${decision.wouldBe}` };
    case "post":
      return { ...nothingSpecial, outcome: "APPROVED", isQuoted: decision.isQuoted };
  }
}
