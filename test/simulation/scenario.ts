import { DEFAULT_RESULT_CODES, dialectSchema } from "../../src/domain";
import { compileProduct, type PaymentItem, type Product, PRODUCTS } from "../../src/flows";
import type { Chance } from "../fuzz/random";
import type { BillFacts, QuoteRow } from "./store";

/** How a product's bills are paid, in the checker's own words. */
export type Rule =
  | { readonly kind: "whole" }
  | { readonly kind: "parts"; readonly least: bigint; readonly most: bigint }
  | { readonly kind: "free"; readonly least: bigint; readonly most: bigint };

/** A product as the host has it, and as the checker has it. */
export interface SimProduct {
  readonly product: Product;
  readonly rule: Rule;
  readonly feeIsOurs: boolean;
}

/** A partner as the host has it. */
export type SimPartner = PaymentItem["partner"];

/** Telkom's whole layout for one product; the others have a small one, since the layout decides nothing. */
function telkom(): Product {
  const [shipped] = PRODUCTS;
  if (shipped === undefined) throw new Error("no product ships");
  return compileProduct("001001", shipped.name, shipped.definition);
}

function small(code: string, rules: Readonly<Record<string, unknown>>): Product {
  return compileProduct(code, code, {
    rules: { billNumber: { minLength: 13, maxLength: 13 }, feeAmount: "5000", itemsMax: 9, ...rules },
    bit61: {
      ...{ name: "bit61 of a simulated product", source: "made up" },
      fields: [
        { kind: "digits", name: "billNumber", width: 13 },
        { kind: "text", name: "customerName", width: 30, overflow: "cut" },
      ],
    },
    ...{ bit48: "Bill:{billNumber};Amount:Rp.{amount|grouped}", isCustomerIdOutside: false },
    customerData: [{ name: "customerId", from: "billNumber" }],
    values: { billNumber: "billNumber", customerName: "customerName" },
  });
}

/** Products by code. */
export const SIM_PRODUCTS: ReadonlyMap<string, SimProduct> = new Map(
  (
    [
      [telkom(), { kind: "whole" }, true],
      [
        small("002002", { rule: { kind: "part", minAmount: "2000" } }),
        { kind: "parts", least: 2_000n, most: 0n },
        true,
      ],
      [
        small("003003", { rule: { kind: "minmax", minAmount: "2000", maxAmount: "6000" }, feeBelongsTo: "switch" }),
        { kind: "parts", least: 2_000n, most: 6_000n },
        false,
      ],
      [
        small("004004", { rule: { kind: "open", minAmount: "1000", maxAmount: "50000", shownAmount: "10000" } }),
        { kind: "free", least: 1_000n, most: 50_000n },
        true,
      ],
    ] as const
  ).map(([product, rule, feeIsOurs]) => [product.productCode, { product, rule, feeIsOurs }]),
);

function partner(partnerId: number, dialect: Readonly<Record<string, unknown>>): SimPartner {
  return {
    ...{
      partnerId,
      userName: `partner${partnerId}`,
      name: "test",
      productCodes: [...SIM_PRODUCTS.keys()],
      passwords: [],
    },
    ...{ dialect: dialectSchema.parse(dialect), codes: DEFAULT_RESULT_CODES, mayComeFrom: () => true },
  };
}

const PARTNERS = [
  partner(1, {}),
  partner(2, { mustAccept: true }),
  partner(3, { bit61Check: "enforce" }),
  partner(4, { cutOff: "20:00" }),
] as const;

/** A bill at the start of a run. */
export interface SimBill {
  readonly facts: BillFacts;
  readonly isCancelled: boolean;
  readonly paidAmount: bigint;
}

/** Something that the switch is going to send. */
export interface Planned {
  readonly atMs: number;
  readonly family: "payment" | "reversal";
  readonly partner: SimPartner;
  readonly product: SimProduct | null;
  readonly productCode: string;
  readonly billNumber: string;
  readonly traxId: string;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  readonly bit61: string;
  readonly isFresh: boolean;
  readonly deadlineMs: number;
  /** How often it may be sent again when the answer is not definite. */
  readonly repeatsMax: number;
}

/** All that one run starts from. */
export interface Scenario {
  readonly epochMs: number;
  readonly bills: readonly SimBill[];
  readonly quotes: readonly QuoteRow[];
  readonly messages: readonly Planned[];
  readonly changes: readonly { readonly atMs: number; readonly billKey: string; readonly isCancelled: boolean }[];
  readonly spanMs: number;
  readonly isCrowd: boolean;
}

const FEE = 5_000n;
/** 2023-03-20 10:00 in Jakarta, and a moment before its midnight. */
const MORNING_MS = Date.UTC(2023, 2, 20, 3);
const MIDNIGHT_MS = Date.UTC(2023, 2, 20, 17);

/** Makes up a run: few bills and few keys, so that everything meets everything. */
export function makeScenario(chance: Chance): Scenario {
  // Now and then a crowd: all at once, most of it in order, several bills in one batch.
  const isCrowd = chance.oneIn(4);
  const spanMs = isCrowd ? 0 : chance.pick([0, 2, 20, 20, 200, 1_500, 8_000]);
  const epochMs = chance.oneIn(4) ? MIDNIGHT_MS - chance.below(spanMs + 500) : MORNING_MS;
  const bills = Array.from({ length: isCrowd ? 3 : chance.between(1, 3) }, (_, index) =>
    makeBill(chance, index, epochMs, spanMs, isCrowd),
  );
  const quotes = bills.flatMap((bill) => (chance.oneIn(2) ? makeQuotes(chance, bill, epochMs, spanMs) : []));
  const messages: Planned[] = [];
  const traxIds: string[] = [];
  for (let stories = isCrowd ? 6 : chance.between(1, 5); stories > 0; stories -= 1) {
    // Now and then another partner uses the same traxId.
    const traxId = traxIds.length > 0 && chance.oneIn(8) ? chance.pick(traxIds) : `T${traxIds.length + 1}`;
    traxIds.push(traxId);
    messages.push(...makeStory(chance, { traxId, bill: chance.pick(bills), quotes, spanMs, isCrowd }));
  }
  const changes = bills.flatMap(({ facts }) =>
    chance.oneIn(5)
      ? [true, false].map((isCancelled) => ({ atMs: chance.below(spanMs + 1), billKey: facts.billKey, isCancelled }))
      : [],
  );
  return { epochMs, bills, quotes, messages, changes, spanMs, isCrowd };
}

function makeBill(chance: Chance, index: number, epochMs: number, spanMs: number, isCrowd: boolean): SimBill {
  const codes = [...SIM_PRODUCTS.keys()];
  const productCode = chance.pick(isCrowd && chance.oneIn(2) ? codes.slice(1) : codes);
  const isFree = productCode === "004004";
  const items = Array.from({ length: isFree && chance.oneIn(2) ? 0 : chance.between(1, 3) }, () =>
    BigInt(chance.pick([3_000, 5_000, 10_000])),
  );
  const billNumber = `00210084${String(index).padStart(5, "0")}`;
  const totalAmount = items.reduce((sum, amount) => sum + amount, 0n);
  const dueAtMs = chance.oneIn(8) ? epochMs + chance.below(2 * spanMs) - Math.floor(spanMs / 2) : null;
  const merchantId = chance.oneIn(3) ? 7 : null;
  const facts = {
    billKey: `${productCode}:${billNumber}`,
    productCode,
    billNumber,
    totalAmount,
    feeAmount: FEE,
    dueAtMs,
    items,
    merchantId,
  };
  return { facts, isCancelled: !isCrowd && chance.oneIn(12), paidAmount: 0n };
}

/** Up to two answers that inquiries gave one partner: of all that is owed, and of a part of it. */
function makeQuotes(chance: Chance, { facts }: SimBill, epochMs: number, spanMs: number): QuoteRow[] {
  const { partnerId } = chance.oneIn(2) ? PARTNERS[0] : chance.pick(PARTNERS);
  const whole = facts.totalAmount === 0n ? 10_000n : facts.totalAmount;
  return [whole, 5_000n].slice(chance.below(2)).map((amount, index) => ({
    ...{ billKey: facts.billKey, partnerId, amount, feeAmount: FEE, bit61: `QUOTE${index}` },
    honouredUntilMs: epochMs + (chance.oneIn(4) ? chance.below(spanMs + 1) : 1_800_000),
  }));
}

/** What the switch sends about one payment: itself, repeats, forgeries, reversals, in any order. */
function makeStory(
  chance: Chance,
  about: {
    readonly traxId: string;
    readonly bill: SimBill;
    readonly quotes: readonly QuoteRow[];
    readonly spanMs: number;
    readonly isCrowd: boolean;
  },
): Planned[] {
  const { traxId, quotes, spanMs, isCrowd } = about;
  const { facts } = about.bill;
  const asked = quotes.find((each) => each.billKey === facts.billKey)?.partnerId;
  const usual = PARTNERS.find(({ partnerId }) => partnerId === asked) ?? PARTNERS[0];
  const partner = isCrowd || chance.oneIn(2) ? usual : chance.pick(PARTNERS);
  const isUnknown = !isCrowd && chance.oneIn(14);
  const productCode = !isCrowd && chance.oneIn(30) ? "999999" : facts.productCode;
  const product = SIM_PRODUCTS.get(productCode) ?? null;
  const given = quotes.filter((each) => each.billKey === facts.billKey && each.partnerId === partner.partnerId);
  const quote = given.length === 0 ? undefined : chance.pick(given);
  const original: Planned = {
    ...{ atMs: chance.below(spanMs + 1), family: "payment", partner, product, productCode, traxId },
    billNumber: isUnknown ? "0021008499999" : facts.billNumber,
    amount: amountFor(chance, facts, product?.rule ?? null, quote, isCrowd),
    feeAmount: chance.oneIn(15) ? 0n : FEE,
    bit61: quote !== undefined && !chance.oneIn(3) ? quote.bit61 : facts.billNumber,
    isFresh: !chance.oneIn(25),
    deadlineMs: chance.pick(isCrowd ? [1_000, 8_000] : [150, 400, 1_000, 3_000, 8_000]),
    repeatsMax: chance.between(0, 3),
  };
  const near = (): number =>
    Math.max(0, original.atMs + chance.pick([0, 0, 1, chance.below(20), chance.below(spanMs + 1), -1]));
  const story = [original];
  for (let repeats = chance.pick(isCrowd ? [0, 0, 0, 1] : [0, 0, 1, 1, 2, 4]); repeats > 0; repeats -= 1) {
    story.push({ ...original, atMs: near(), isFresh: !chance.oneIn(15) });
  }
  if (chance.oneIn(isCrowd ? 2 : 4)) {
    const changed = chance.pick([
      { amount: original.amount + 1_000n },
      { feeAmount: original.feeAmount + 1n },
      { billNumber: "0021008400000" },
      { billNumber: "0021008400001" },
    ]);
    for (let forged = chance.pick([1, 1, 2, 3]); forged > 0; forged -= 1) {
      story.push({ ...original, ...changed, atMs: near() });
    }
  }
  for (let reversals = chance.pick([0, 0, 0, 1, 2, 3]); reversals > 0; reversals -= 1) {
    const changed = chance.oneIn(10) ? { amount: original.amount + 1n } : {};
    story.push({
      ...original,
      ...changed,
      family: "reversal",
      isFresh: true,
      atMs: near() + chance.pick([0, 0, 0, 5, spanMs]),
    });
  }
  return story;
}

function amountFor(
  chance: Chance,
  facts: BillFacts,
  rule: Rule | null,
  quote: QuoteRow | undefined,
  isCrowd: boolean,
): bigint {
  if (!isCrowd && chance.oneIn(14)) return BigInt(chance.pick([0, 1, 777]));
  if (quote !== undefined && !chance.oneIn(4)) return quote.amount;
  if (rule === null || rule.kind === "whole") return facts.totalAmount;
  return BigInt(chance.pick([2_000, 3_000, 3_000, 5_000, 6_000])) + (chance.oneIn(6) ? facts.totalAmount : 0n);
}
