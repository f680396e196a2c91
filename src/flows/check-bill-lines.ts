import {
  type Bill,
  billKeyOf,
  dueOf,
  faultsOfLimits,
  hasPaidState,
  isBillNumberOf,
  jakartaInstantOf,
  RUPIAH_MAX,
  sumRupiah,
} from "../domain";
import { Fault, messageOf } from "../platform";
import type { ImportedBill } from "../store";
import { parseAmount } from "../wire";
import type { Product } from "./product-definition";

/** Names of a bill file's columns, in the order of its header. */
export const BILL_COLUMNS = [
  "product_code",
  "bill_number",
  "customer_name",
  "fee_amount",
  "due_at",
  "reference",
  "amount",
  "details",
] as const;

/** One line of a bill file: one item of a bill. Every value is text as it stands in the file. */
export type BillLine = Readonly<Record<(typeof BILL_COLUMNS)[number], string>> & { readonly line: number };

/** What is wrong with a line. Lines count from 1, the header included. */
export interface LineProblem {
  readonly line: number;
  readonly problem: string;
}

/** What checking the lines of one bill gives: the bill, or everything that is wrong with its lines. */
export type CheckedBill =
  | { readonly ok: true; readonly bill: ImportedBill }
  | { readonly ok: false; readonly problems: readonly LineProblem[] };

/** Columns that describe the bill and not the item: stated on its first line, repeated or left empty on the others. */
const BILL_LEVEL = ["customer_name", "fee_amount", "due_at", "details"] as const;
const NAME_MAX = 100;
const REFERENCE_MAX = 40;
const DETAILS_MAX = 4_096;

/**
 * Checks the lines of one bill and makes the bill of them. The last check puts the bill into its product's messages: what
 * passes can be inquired and paid.
 *
 * @param lines all lines with the same product_code and bill_number, in the file's order, at least one
 */
export function checkBillLines(lines: readonly BillLine[], product: Product): CheckedBill {
  const [first] = lines;
  if (first === undefined) return { ok: false, problems: [] };
  const problems: LineProblem[] = [];
  const fault = (line: number, problem: string): void => void problems.push({ line, problem });

  const { rules } = product;
  if (!isBillNumberOf(rules, first.bill_number)) {
    const { minLength, maxLength, digitsOnly } = rules.billNumber;
    const length = minLength === maxLength ? `${minLength}` : `${minLength} to ${maxLength}`;
    fault(first.line, `bill_number must have ${length} ${digitsOnly ? "digits" : "characters"}`);
  }
  if (first.customer_name.length > NAME_MAX || /[\p{Cc}\uFFFD]/u.test(first.customer_name)) {
    fault(first.line, `customer_name must be UTF-8 text of at most ${NAME_MAX} characters`);
  }
  const feeAmount = first.fee_amount === "" ? rules.feeAmount : parseAmount(first.fee_amount);
  if (feeAmount === null) fault(first.line, "fee_amount must be whole rupiah, one to twelve digits, or empty");
  const dueAtMs = first.due_at === "" ? null : jakartaInstantOf(first.due_at);
  if (dueAtMs === undefined) fault(first.line, "due_at must be YYYY-MM-DD hh:mm:ss in Jakarta time, or empty");
  if (rules.rule.kind === "static" && first.due_at !== "") {
    fault(first.line, "due_at must be empty: the number of a static bill does not expire");
  }
  const details = first.details === "" ? {} : detailsOf(first.details);
  if (details === null) fault(first.line, `details must be a JSON object of texts, at most ${DETAILS_MAX} characters`);
  else for (const problem of faultsOfLimits({ details }, rules)) fault(first.line, problem);
  for (const line of lines.slice(1)) {
    const differing = BILL_LEVEL.filter((column) => line[column] !== "" && line[column] !== first[column]);
    if (differing.length > 0)
      fault(line.line, `${differing.join(", ")} differ from line ${first.line} of the same bill`);
  }

  // Who may pay without owing anything may have a number before anything is owed.
  const isBare = lines.length === 1 && first.reference === "" && first.amount === "" && !hasPaidState(rules.rule);
  const items = isBare ? [] : itemsOf(lines, fault);
  if (sumRupiah(items.map((item) => item.amount)) > RUPIAH_MAX) {
    fault(first.line, "the items add up to more than twelve digits");
  }
  if (problems.length > 0 || feeAmount === null || dueAtMs === undefined || details === null) {
    return { ok: false, problems };
  }
  const bill: ImportedBill = {
    billKey: billKeyOf(first.product_code, first.bill_number),
    productCode: first.product_code,
    billNumber: first.bill_number,
    feeAmount,
    customerName: first.customer_name,
    details,
    dueAtMs,
    items,
  };
  const unshowable = whyNotShowable(bill, product);
  if (unshowable !== null) return { ok: false, problems: [{ line: first.line, problem: unshowable }] };
  return { ok: true, bill };
}

function itemsOf(lines: readonly BillLine[], fault: (line: number, problem: string) => void): ImportedBill["items"] {
  const seen = new Map<string, number>();
  return lines.flatMap(({ line, reference, amount: text }) => {
    const amount = parseAmount(text);
    if (amount === null || amount === 0n) fault(line, "amount must be whole rupiah above 0, one to twelve digits");
    if (!/^[ -~]+$/.test(reference) || reference.trim() !== reference || reference.length > REFERENCE_MAX) {
      fault(line, `reference must be 1 to ${REFERENCE_MAX} printable ASCII characters, no blanks around it`);
    }
    const earlier = seen.get(reference);
    if (earlier !== undefined) fault(line, `reference ${reference.slice(0, 40)} stands on line ${earlier} already`);
    seen.set(reference, line);
    return amount === null ? [] : [{ reference, amount }];
  });
}

/** Null when the bill fits into its product's messages, also the later ones that show what the first had no room for. */
function whyNotShowable(imported: ImportedBill, product: Product): string | null {
  const { itemsMax, rule } = product.rules;
  const items = imported.items.map((item, index) => ({ ...item, itemNo: index + 1 }));
  const totalAmount = sumRupiah(items.map((item) => item.amount));
  const bill: Bill = { ...imported, items, version: 1, isCancelled: false, totalAmount, paidAmount: 0n };
  const paidBefore = (count: number): bigint => sumRupiah(items.slice(0, count).map((item) => item.amount));
  try {
    for (let from = 0; from < items.length; from += itemsMax) show({ ...bill, paidAmount: paidBefore(from) }, product);
    if (!hasPaidState(rule)) show({ ...bill, paidAmount: totalAmount }, product);
    return null;
  } catch (error) {
    return `it does not fit into the messages of product ${product.productCode}: ${messageOf(error)}`;
  }
}

const BIT48_MAX = 999;

/** Makes what the replies about a bill are made of: to an inquiry, and to a payment of what is shown or of the most. */
function show(bill: Bill, product: Product): void {
  const { items, amount, maxAmount, feeAmount } = dueOf(bill, product.rules);
  for (const each of new Set([amount, maxAmount])) {
    const values = product.valuesOf(bill, { items, amount: each, feeAmount });
    product.layout.encode(values);
    product.paymentReply("", values, false);
    const { length } = product.bit48.render(values);
    if (length > BIT48_MAX) throw new Fault("bit48", `bit48 has ${length} characters, more than ${BIT48_MAX}`);
  }
}

function detailsOf(text: string): Record<string, string> | null {
  if (text.length > DETAILS_MAX) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    const entries = Object.entries(value);
    // PostgreSQL's jsonb holds neither NUL nor half of a surrogate pair, and would refuse the whole batch.
    const isText = (each: unknown): boolean => typeof each === "string" && !/[\p{Cc}\p{Cs}\uFFFD]/u.test(each);
    const isFine = entries.every(([name, each]) => /^[A-Za-z0-9]{1,40}$/.test(name) && isText(each));
    return isFine ? (Object.fromEntries(entries) as Record<string, string>) : null;
  } catch {
    return null;
  }
}
