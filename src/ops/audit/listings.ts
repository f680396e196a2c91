import type { FilterSpecs, Question } from "./filters";
import { type Bounds, type Branch, idFloor, type Listing, listingOf } from "./listing";
import { PARTNER_NAME } from "./listing-parts";

type Filters = Question["filters"];

/** A payment is recorded at most a deadline after it happened; with room for clocks that differ. */
const RECORDED_WITHIN_MS = 3_600_000;
/** A business date may end hours before or after the day in Jakarta. */
const DAY_MS = 86_400_000;

/** Payments are named after the millisecond that they happened in. */
function boundsOfPayments(filters: Filters): Bounds {
  const { from, to, businessFrom, businessTo } = filters;
  const slackMs = filters["time"] === "recorded" ? RECORDED_WITHIN_MS : 1;
  const floors = [
    ...(from === undefined ? [] : [idFloor(from, -slackMs)]),
    ...(businessFrom === undefined ? [] : [idFloor(businessFrom, -2 * DAY_MS)]),
  ];
  const ceilings = [
    ...(to === undefined ? [] : [idFloor(to, 1)]),
    ...(businessTo === undefined ? [] : [idFloor(businessTo, 3 * DAY_MS)]),
  ];
  return { from: floors.toSorted().at(-1), to: ceilings.toSorted()[0] };
}

/** Entries of operators are named when they are made, and may tell of something earlier, never of something later. */
function boundsOfOthers({ from }: Filters): Bounds {
  return from === undefined ? {} : { from: idFloor(from, -RECORDED_WITHIN_MS) };
}

const EQUAL = (column: string): string => `s.${column} = ?`;
const BY_PARTNER = `s.partner_id = (select p.partner_id from partner p where p.user_name = ?)`;
const OUTCOMES_ABOUT = "outcome, for instance APPROVED";

const TIME_FILTERS: FilterSpecs = {
  time: {
    kind: "choice",
    choices: ["happened", "recorded"],
    about: "which time from and to mean; happened when left out",
  },
  from: {
    kind: "instant",
    about: "not before this instant",
    sql: ({ time }) => `s.${time ?? "happened"}_at >= ?::timestamptz`,
  },
  to: {
    kind: "instant",
    about: "before this instant",
    sql: ({ time }) => `s.${time ?? "happened"}_at < ?::timestamptz`,
  },
};
const BUSINESS_FILTERS: FilterSpecs = {
  businessFrom: { kind: "date", about: "first business date", sql: "s.business_date >= ?::date" },
  businessTo: { kind: "date", about: "last business date", sql: "s.business_date <= ?::date" },
};
const MONEY_FILTERS: FilterSpecs = {
  partner: { kind: "text", about: "userName of the partner", sql: BY_PARTNER },
  product: { kind: "text", about: "productCode", sql: EQUAL("product_code") },
  amountMin: { kind: "amount", about: "smallest amount", sql: "s.amount >= ?::bigint" },
  amountMax: { kind: "amount", about: "largest amount", sql: "s.amount <= ?::bigint" },
};
const TRAX_ID: FilterSpecs = { traxId: { kind: "traxId", about: "the switch's reference", sql: EQUAL("trax_id") } };
const BILL: FilterSpecs = { bill: { kind: "bill", about: "productCode:billNumber", sql: EQUAL("bill_key") } };
const ENTRY_ID: FilterSpecs = { entryId: { kind: "uuid", about: "the entry itself", sql: "s.entry_id = ?::uuid" } };

/** The registry's primary key starts with the partner: there are few, and each is probed. */
const OF_TRAX = `t.partner_id = any (array(select p.partner_id from partner p)) and t.trax_id = ?`;
const OF_BILL = `t.bill_key = ?`;
const OF_PAYMENTS = `e.kind in ('payment', 'reversal')`;
const businessDatesOf = (alias: string): Readonly<Record<string, string>> => ({
  businessFrom: `${alias}.business_date >= ?::date`,
  businessTo: `${alias}.business_date <= ?::date`,
});

const PAYMENT_FIELDS = (alias: string, kind: string, outcome: string, happened: string): string => `
  ${alias}.partner_id, ${alias}.trax_id, ${kind} as family, ${alias}.product_code, ${alias}.bill_key, ${alias}.amount,
  ${outcome} as outcome, ${happened} as happened_at, ${alias}.recorded_at, ${alias}.business_date, ${alias}.entry_id`;
/** What operators posted or took back is a payment or reversal like the switch's own; its column `family` says whose. */
const TRAX_FIELDS = PAYMENT_FIELDS("t", "replace(t.family, 'manual-', '')", "t.outcome", "t.received_at");
const DECLINED_POSITION = `declined_position(t.received_at, t.partner_id, t.family, t.trax_id)`;
const registry = (where: string): Branch => ({
  from: "trax t",
  // What the switch was answered about a manual posting is no second payment.
  where: `${where} and not t.answers_manual`,
  key: [`coalesce(t.entry_id, ${DECLINED_POSITION})`],
  fields: TRAX_FIELDS,
});

/** Every consumed traxId: payments, declines and reversals, in the order in which they happened. */
const payments = listingOf({
  name: "payments",
  scope: "payments",
  about: "Consumed traxIds with what was decided: payments, declines, reversals",
  key: [{ name: "position", type: "uuid" }],
  branches: [
    {
      from: "journal_entry e",
      key: ["e.entry_id"],
      fields: PAYMENT_FIELDS("e", "e.kind", "'APPROVED'", "e.happened_at"),
      bounds: boundsOfPayments,
      where: OF_PAYMENTS,
      // Whatever has an entry was approved.
      isEmpty: ({ outcome }) => outcome !== undefined && outcome !== "APPROVED",
      pushed: businessDatesOf("e"),
    },
    {
      from: "trax t",
      where: "t.entry_id is null",
      key: [DECLINED_POSITION],
      fields: TRAX_FIELDS,
      bounds: boundsOfPayments,
      pushed: businessDatesOf("t"),
    },
  ],
  direct: { traxId: registry(OF_TRAX), bill: registry(OF_BILL) },
  join: `join trax t on t.partner_id = s.partner_id and t.trax_id = s.trax_id and not t.answers_manual
     and t.family in (s.family, 'manual-' || s.family) and t.entry_id is not distinct from s.entry_id`,
  columns: [
    ["partner", "text", PARTNER_NAME],
    ["traxId", "text", "t.trax_id"],
    ["family", "text", "t.family"],
    ["outcome", "text", "t.outcome"],
    ["resultCode", "text", "t.result_code"],
    ["productCode", "text", "t.product_code"],
    ["billNumber", "text", "t.bill_number"],
    ["amount", "amount", "t.amount"],
    ["feeAmount", "amount", "t.fee_amount"],
    ["channel", "text", "t.channel"],
    ["sysCode", "text", "t.sys_code"],
    ["entryId", "text", "t.entry_id::text"],
    ["businessDate", "date", "t.business_date"],
    ["happenedAt", "time", "t.received_at"],
    ["recordedAt", "time", "t.recorded_at"],
    ["replySha256", "text", "encode(sha256(convert_to(t.reply_body, 'UTF8')), 'hex')"],
  ],
  filters: {
    ...{ ...TRAX_ID, ...BILL, ...MONEY_FILTERS, ...TIME_FILTERS, ...BUSINESS_FILTERS },
    family: { kind: "choice", choices: ["payment", "reversal"], about: "payments or reversals", sql: EQUAL("family") },
    outcome: { kind: "text", about: OUTCOMES_ABOUT, sql: EQUAL("outcome") },
  },
});

const ENTRY_FIELDS = `e.entry_id, e.kind, e.partner_id, e.trax_id, e.product_code, e.bill_key, e.bill_number, e.amount,
  e.fee_amount, e.channel, e.reverses_entry_id, e.business_date, e.happened_at, e.recorded_at`;
const JOIN_ENTRY = (alias: string): string =>
  `e.entry_id = ${alias}.entry_id and e.bill_key = ${alias}.bill_key and e.business_date = ${alias}.business_date`;
const entriesOfRegistry = (where: string): Branch => ({
  from: `trax t join journal_entry e on ${JOIN_ENTRY("t")}`,
  where: `${where} and not t.answers_manual`,
  key: ["e.entry_id"],
  fields: ENTRY_FIELDS,
});

/** Entries that no payment made are not in the registry: there are few, and an index holds all of them. */
const otherEntries = (where: string): Branch => ({
  from: "journal_entry e",
  where: `e.kind not in ('payment', 'reversal') and ${where}`,
  key: ["e.entry_id"],
  fields: ENTRY_FIELDS,
});

/** Journal entries with their postings. */
const journalEntries = listingOf({
  name: "journal-entries",
  scope: "ledger",
  about: "Journal entries with their postings",
  key: [{ name: "position", type: "uuid" }],
  branches: [
    {
      from: "journal_entry e",
      key: ["e.entry_id"],
      fields: ENTRY_FIELDS,
      bounds: boundsOfPayments,
      where: OF_PAYMENTS,
      isEmpty: ({ kind }) => kind === "settlement" || kind === "correction",
      pushed: businessDatesOf("e"),
    },
    {
      from: "journal_entry e",
      key: ["e.entry_id"],
      fields: ENTRY_FIELDS,
      bounds: boundsOfOthers,
      where: `e.kind not in ('payment', 'reversal')`,
      isEmpty: ({ kind }) => kind === "payment" || kind === "reversal",
      pushed: businessDatesOf("e"),
    },
  ],
  direct: {
    entryId: { from: "journal_entry e", where: "e.entry_id = ?::uuid", key: ["e.entry_id"], fields: ENTRY_FIELDS },
    traxId: [entriesOfRegistry(OF_TRAX), otherEntries("e.trax_id = ?")],
    bill: [entriesOfRegistry(OF_BILL), otherEntries("e.bill_key = ?")],
  },
  columns: [
    ["entryId", "text", "s.entry_id::text"],
    ["kind", "text", "s.kind"],
    ["partner", "text", PARTNER_NAME],
    ["traxId", "text", "s.trax_id"],
    ["productCode", "text", "s.product_code"],
    ["billNumber", "text", "s.bill_number"],
    ["amount", "amount", "s.amount"],
    ["feeAmount", "amount", "s.fee_amount"],
    ["channel", "text", "s.channel"],
    ["reversesEntryId", "text", "s.reverses_entry_id::text"],
    ["businessDate", "date", "s.business_date"],
    ["happenedAt", "time", "s.happened_at"],
    ["recordedAt", "time", "s.recorded_at"],
    [
      "postings",
      "json",
      `(select json_agg(json_build_object('lineNo', p.line_no, 'account', p.account_code, 'side', p.side,
                                          'amount', p.amount::text) order by p.line_no)
          from posting p
         where p.entry_id = s.entry_id and p.bill_key = s.bill_key and p.business_date = s.business_date)`,
    ],
  ],
  filters: {
    ...{ ...ENTRY_ID, ...TRAX_ID, ...BILL, ...MONEY_FILTERS, ...TIME_FILTERS, ...BUSINESS_FILTERS },
    kind: {
      kind: "choice",
      choices: ["payment", "reversal", "settlement", "correction"],
      about: "what the entry records",
      sql: EQUAL("kind"),
    },
  },
});

const POSTING_FIELDS = `p.entry_id, p.line_no, p.bill_key, p.account_code, p.side, p.amount, p.business_date`;
const POSTING_KEY = ["p.entry_id", "p.line_no"];
const postingsOfRegistry = (where: string): Branch => ({
  from: `trax t join posting p on p.entry_id = t.entry_id and p.bill_key = t.bill_key and p.business_date = t.business_date`,
  where: `${where} and not t.answers_manual`,
  key: POSTING_KEY,
  fields: POSTING_FIELDS,
});

const otherPostings = (where: string): Branch => ({
  from: `journal_entry e
         join posting p on p.entry_id = e.entry_id and p.bill_key = e.bill_key and p.business_date = e.business_date`,
  where: `e.kind not in ('payment', 'reversal') and ${where}`,
  key: POSTING_KEY,
  fields: POSTING_FIELDS,
});

/** Postings: the lines of entries, one account each. */
const postings = listingOf({
  name: "postings",
  scope: "ledger",
  about: "Postings: one line of an entry each",
  key: [
    { name: "position", type: "uuid" },
    { name: "line", type: "int" },
  ],
  branches: [{ from: "posting p", key: POSTING_KEY, fields: POSTING_FIELDS, pushed: businessDatesOf("p") }],
  direct: {
    entryId: { from: "posting p", where: "p.entry_id = ?::uuid", key: POSTING_KEY, fields: POSTING_FIELDS },
    traxId: [postingsOfRegistry(OF_TRAX), otherPostings("e.trax_id = ?")],
    bill: [postingsOfRegistry(OF_BILL), otherPostings("e.bill_key = ?")],
  },
  columns: [
    ["entryId", "text", "s.entry_id::text"],
    ["lineNo", "number", "s.line_no"],
    ["account", "text", "s.account_code"],
    ["side", "text", "s.side"],
    ["amount", "amount", "s.amount"],
    ["bill", "text", "s.bill_key"],
    ["businessDate", "date", "s.business_date"],
  ],
  filters: {
    ...{ ...ENTRY_ID, ...TRAX_ID, ...BILL, ...BUSINESS_FILTERS },
    account: { kind: "text", about: "account code, for instance due-from-switch", sql: EQUAL("account_code") },
    side: { kind: "choice", choices: ["debit", "credit"], about: "side", sql: EQUAL("side") },
    amountMin: MONEY_FILTERS["amountMin"] as FilterSpecs[string],
    amountMax: MONEY_FILTERS["amountMax"] as FilterSpecs[string],
  },
});

/** The listings of the books. */
export const BOOK_LISTINGS: readonly Listing[] = [payments, journalEntries, postings];
