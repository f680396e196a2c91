import { businessDateOf, type HardFields, isBalanced, type Outcome, type Posting } from "../domain";
import type { Family, NewEntry, StoredTrax, TraxRecord } from "../ledger";
import { Fault, type IdSource } from "../platform";
import { hexDigest } from "../wire";
import type { ActivePartner } from "./catalog";
import type { PaymentItem } from "./post-payments";

/** What is stored of a payment or reversal besides its result: whose it is, which bill, how much. Whole rupiah. */
export interface PostingInstruction extends HardFields {
  readonly partner: Pick<ActivePartner, "partnerId" | "dialect" | "codes">;
  readonly traxId: string;
  readonly channel: string;
  /** When the message came, or the operators decided. */
  readonly receivedAtMs: number;
}

/** What a message of the switch instructs. One literal: it is made for every payment. */
export function instructionOf({ partner, message, receivedAtMs }: PaymentItem): PostingInstruction {
  return {
    partner,
    traxId: message.traxId,
    channel: message.channel,
    receivedAtMs,
    productCode: message.productCode,
    billNumber: message.billNumber,
    amount: message.amount,
    feeAmount: message.feeAmount,
  };
}

/** What is stored under the key of a decided payment or reversal. */
export function recordOf(
  instruction: PostingInstruction,
  decided: {
    readonly family: Family;
    readonly billKey: string;
    readonly outcome: Outcome;
    readonly replyBody: string;
    readonly sysCode: string;
    readonly entry: NewEntry | null;
    readonly answersEntryId?: string | null;
  },
): TraxRecord {
  const { partner, receivedAtMs } = instruction;
  return {
    family: decided.family,
    billKey: decided.billKey,
    outcome: decided.outcome,
    replyBody: decided.replyBody,
    sysCode: decided.sysCode,
    entry: decided.entry,
    answersEntryId: decided.answersEntryId ?? null,
    partnerId: partner.partnerId,
    traxId: instruction.traxId,
    fingerprintHex: fingerprintOf(instruction),
    productCode: instruction.productCode,
    billNumber: instruction.billNumber,
    amount: instruction.amount,
    feeAmount: instruction.feeAmount,
    channel: instruction.channel,
    resultCode: partner.codes[decided.outcome],
    businessDate: businessDateOf(receivedAtMs, partner.dialect.cutOff),
    receivedAtMs,
  };
}

/**
 * A journal entry with its identifier.
 *
 * @throws Fault `unbalanced`: the database would refuse it too
 */
export function entryOf(ids: IdSource, atMs: number, postings: readonly Posting[], reversesEntryId?: string): NewEntry {
  if (!isBalanced(postings)) throw new Fault("unbalanced", "the postings of an entry do not balance");
  const entryId = ids.entryId(atMs);
  return reversesEntryId === undefined ? { entryId, postings } : { entryId, postings, reversesEntryId };
}

/** A record as it would be read back: what an earlier item of a batch means to the later ones. */
export function storedFrom(record: TraxRecord): StoredTrax {
  const { productCode, billNumber, amount, feeAmount, outcome, replyBody, sysCode, resultCode } = record;
  const entryId = record.entry?.entryId ?? record.answersEntryId;
  return { productCode, billNumber, amount, feeAmount, outcome, replyBody, sysCode, resultCode, entryId };
}

/** Version byte 01, then SHA-256 over the hard fields in canonical form: amounts as plain digits, joined by newlines. */
function fingerprintOf(fields: HardFields): string {
  const canonical = `${fields.productCode}\n${fields.billNumber}\n${fields.amount}\n${fields.feeAmount}`;
  return `01${hexDigest("sha256", canonical)}`;
}
