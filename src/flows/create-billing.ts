import { createHash, randomBytes, randomInt } from "node:crypto";
import {
  billingIdOf,
  billKeyOf,
  differenceOfItems,
  isBillNumberOf,
  type NewBilling,
  newBillingSchema,
  STATIC_BILLING_ID,
} from "../domain";
import { enqueueEvents } from "../callbacks";
import { Fault, type Tx } from "../platform";
import {
  findMerchantBill,
  importBills,
  insertMerchantBill,
  type MerchantBill,
  readBills,
  type StoredMerchant,
} from "../store";
import { transliterate } from "../wire";
import { type BillingAnswer, type BillingDeps, billingFailure, linkOf, transact } from "./merchant-billing";

const DUE_AFTER_MS = 24 * 3_600_000;
const PLACES_MAX = 8;

/** What came of one attempt to write a bill: the bill, a collision of random numbers, or why it cannot be. */
type Made =
  | { readonly kind: "bill"; readonly bill: MerchantBill }
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Creates a bill, and puts the customer's e-mail into the outbox in the same transaction. The same content under the same
 * transaction number gives the same bill again; other content is refused, and nothing is changed.
 *
 * With `static_va_no` the bill stands under that very number at the switch, in the product of static numbers.
 */
export async function createBilling(
  deps: BillingDeps,
  merchant: StoredMerchant,
  value: unknown,
): Promise<BillingAnswer> {
  const parsed = newBillingSchema.safeParse(value);
  if (!parsed.success) {
    return billingFailure(parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; "));
  }
  const request = parsed.data;
  const fault = faultOfItems(request) ?? faultOfStaticNumber(deps, request);
  if (fault !== null) return billingFailure(fault);
  const digestHex = digestOf(request);
  for (let place = 0; place < PLACES_MAX; place += 1) {
    const made = await transact(deps, (tx) => createOrFind(deps, tx, merchant, request, digestHex));
    if (made.kind === "refused") return billingFailure(made.reason);
    if (made.kind === "taken") continue;
    if (made.bill.digestHex !== digestHex) {
      return billingFailure(`transaction_number ${request.transaction_number} was used for another bill`);
    }
    return {
      response_code: "00",
      response_message: "Success Create Billing",
      billing_id: Number(made.bill.billingId),
      transaction_number: made.bill.transactionNumber,
      billing_total: Number(request.billing_total),
      billing_url: linkOf(deps, made.bill),
    };
  }
  throw new Fault("no_billing_id", "no free billing id was found");
}

function faultOfItems(request: NewBilling): string | null {
  const difference = differenceOfItems(request);
  if (difference === 0n) return null;
  const size = difference < 0n ? -difference : difference;
  return `the items add up to Rp ${size} ${difference < 0n ? "less" : "more"} than billing_total`;
}

function faultOfStaticNumber(deps: BillingDeps, { static_va_no }: NewBilling): string | null {
  if (static_va_no === undefined) return null;
  const rules = deps.products().get(deps.staticProductCode)?.rules;
  if (rules === undefined) return `static numbers are not set up here: there is no product ${deps.staticProductCode}`;
  if (isBillNumberOf(rules, static_va_no)) return null;
  const { minLength, maxLength } = rules.billNumber;
  return `static_va_no must have ${minLength === maxLength ? minLength : `${minLength} to ${maxLength}`} digits`;
}

async function createOrFind(
  deps: BillingDeps,
  tx: Tx,
  merchant: StoredMerchant,
  request: NewBilling,
  digestHex: string,
): Promise<Made> {
  const billingId = billingIdOf(`${randomInt(1, 10)}${String(randomInt(0, 100_000_000_000)).padStart(11, "0")}`);
  const { static_va_no: staticNumber } = request;
  const [productCode, billNumber] =
    staticNumber === undefined ? [deps.productCode, billingId] : [deps.staticProductCode, staticNumber];
  const billKey = billKeyOf(productCode, billNumber);
  // First the number, then whose it is: what another transaction commits in between is then seen as this very bill.
  const isUsed = staticNumber !== undefined && (await readBills(tx, [billKey])).has(billKey);
  const known = await findMerchantBill(tx, merchant.merchantId, request.transaction_number);
  if (known !== null) return { kind: "bill", bill: known };
  if (isUsed) {
    return { kind: "refused", reason: `static_va_no ${staticNumber} belongs to another billing` };
  }
  const bill = merchantBillOf(deps, merchant, request, { billKey, billingId, digestHex });
  if (!(await insertMerchantBill(tx, bill))) return { kind: "taken" };
  const dueAtMs = request.billing_due_date ?? (staticNumber === undefined ? deps.clock.nowMs() + DUE_AFTER_MS : null);
  await importBills(tx, [
    {
      ...{ billKey, productCode, billNumber, dueAtMs },
      feeAmount: 0n,
      customerName: request.customer_name,
      details: {
        invoiceNumber: request.transaction_number,
        merchantName: merchant.name,
        description: request.billing_notes,
        // Once its debt is paid, a static number goes on showing the bill's total.
        ...(staticNumber !== undefined && {
          [STATIC_BILLING_ID]: billingId,
          shownAmount: String(request.billing_total),
        }),
      },
      items: itemsOf(request),
      merchantId: merchant.merchantId,
    },
  ]);
  if (deps.sendsMail) {
    const eventId = deps.ids.entryId(deps.clock.nowMs());
    const { merchantId } = merchant;
    await enqueueEvents(tx, [{ eventId, billKey, billVersion: 1, merchantId, kind: "email.bill", payload: {} }]);
  }
  return { kind: "bill", bill };
}

/** Items of the bill; names are made different where two are alike, since a bill's references are unique. */
function itemsOf({ items, billing_total, transaction_number }: NewBilling): { reference: string; amount: bigint }[] {
  const lines = (items ?? []).map(({ item_name, qty, item_amount }) => ({
    name: item_name,
    amount: qty * item_amount,
  }));
  const paid = lines.filter(({ amount }) => amount > 0n);
  if (paid.length === 0) return [{ reference: transaction_number, amount: billing_total }];
  return paid.map(({ name, amount }, index) => {
    const plain = transliterate(name).slice(0, 17).trim();
    const isAlone = paid.filter((other) => transliterate(other.name).slice(0, 17).trim() === plain).length === 1;
    return { reference: isAlone && plain !== "" ? plain : `${plain} ${index + 1}`.trim(), amount };
  });
}

function merchantBillOf(
  deps: BillingDeps,
  merchant: StoredMerchant,
  request: NewBilling,
  own: Pick<MerchantBill, "billKey" | "billingId" | "digestHex">,
): MerchantBill {
  return {
    ...own,
    merchantId: merchant.merchantId,
    transactionNumber: request.transaction_number,
    linkCode: randomBytes(16).toString("base64url"),
    billingDateMs: request.billing_date ?? deps.clock.nowMs(),
    language: request.billing_language,
    notes: request.billing_notes,
    staticVaNo: request.static_va_no ?? null,
    customerEmail: request.customer_email,
    customerPhone: request.customer_phone,
    customerAddress: request.customer_address,
    itemLines: (request.items ?? []).map(({ item_name, qty, item_amount }) => ({
      name: item_name,
      qty: String(qty),
      amount: String(item_amount),
    })),
  };
}

/** What makes two requests the same: everything in them but the signature, in a fixed order, values as they were meant. */
function digestOf({ signature: _signature, ...request }: NewBilling): string {
  const canonical = JSON.stringify(request, (_key, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return createHash("sha256").update(canonical).digest("hex");
}
