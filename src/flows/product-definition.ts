import { z } from "zod";
import { type Bill, type OutstandingItem, type ProductRules, productRulesSchema } from "../domain";
import { ConfigFault, Fault, messageOf } from "../platform";
import {
  compileCustomerData,
  compileLayout,
  compileTemplate,
  type CompiledCustomerData,
  type CompiledLayout,
  type CompiledTemplate,
  type CustomerDataMapping,
  type GroupSpec,
  type Layout,
  type LayoutValues,
  parseAmount,
  transliterate,
} from "../wire";

/**
 * Where a column's value comes from: a path into what is known of the bill (`billNumber`, `customerName`, `amount`,
 * `feeAmount`, `itemCount`, `details.<name>`), a constant, or the items still owed, one member each (`reference`,
 * `amount`).
 */
export type ValueSource =
  | string
  | { readonly text: string }
  | { readonly each: "items"; readonly fields: Readonly<Record<string, "reference" | "amount">> };

/** A product as data: what the business says, and how it looks on the wire. */
export interface ProductDefinition {
  readonly rules: z.input<typeof productRulesSchema>;
  readonly bit61: Layout;
  /** Template of bit48; a constant when it names no field. */
  readonly bit48: string;
  readonly customerData: CustomerDataMapping;
  /** Some products carry customerId beside customerData as well. */
  readonly isCustomerIdOutside?: boolean;
  readonly values: Readonly<Record<string, ValueSource>>;
}

/** A product that ships with the host: plain data, as a file or a database row would hold it. */
export interface ShippedProduct {
  readonly productCode: string;
  readonly name: string;
  readonly definition: ProductDefinition;
}

/** A product ready for use. */
export interface Product {
  readonly productCode: string;
  readonly name: string;
  readonly rules: ProductRules;
  readonly layout: CompiledLayout;
  readonly bit48: CompiledTemplate;
  readonly customerData: CompiledCustomerData;
  readonly isCustomerIdOutside: boolean;
  /** The values of bit61 (and of the bit48 template) for a bill that shows these items. */
  valuesOf(bill: Bill, shown: BillShown): LayoutValues;
}

/** What of a bill is shown: the items still owed, and their sum. Whole rupiah. */
export interface BillShown {
  readonly items: readonly OutstandingItem[];
  readonly amount: bigint;
  readonly feeAmount: bigint;
}

const SOURCE_PATH = /^(billNumber|customerName|amount|feeAmount|itemCount|details\.[A-Za-z0-9]{1,40})$/;

/** What templates and customerData may show beside the fields of bit61. */
const MESSAGE_NAMES = ["amount", "feeAmount"] as const;

const envelopeSchema = z.strictObject({
  rules: productRulesSchema,
  bit61: z.looseObject({ name: z.string() }),
  bit48: z.string(),
  customerData: z.array(z.looseObject({ name: z.string() })),
  isCustomerIdOutside: z.boolean().default(false),
  values: z.record(
    z.string(),
    z.union([
      z.string().regex(SOURCE_PATH, "names no value of a bill"),
      z.strictObject({ text: z.string() }),
      z.strictObject({ each: z.literal("items"), fields: z.record(z.string(), z.enum(["reference", "amount"])) }),
    ]),
  ),
});

/**
 * Checks a definition and makes it ready for use.
 *
 * @throws ConfigFault naming every fault found in it
 */
export function compileProduct(productCode: string, name: string, definition: unknown): Product {
  const what = `product ${productCode} is not valid`;
  const parsed = envelopeSchema.safeParse(definition);
  if (!parsed.success) {
    throw new ConfigFault(
      what,
      parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    );
  }
  const { rules, bit48, isCustomerIdOutside, values } = parsed.data;
  // Shapes of the wire's own parts are checked by their compilers.
  const source = definition as ProductDefinition;
  try {
    const layout = compileLayout(source.bit61);
    const missing = layout.fieldNames.filter((field) => !(field in values));
    const unknown = Object.keys(values).filter((field) => !layout.fieldNames.includes(field));
    const narrow = source.bit61.fields.filter((field) => field.kind === "group" && field.max < rules.itemsMax);
    if (missing.length > 0 || unknown.length > 0 || narrow.length > 0) {
      throw new ConfigFault(what, [
        ...missing.map((field) => `values: bit61 has a field "${field}" that no value is given for`),
        ...unknown.map((field) => `values: "${field}" is no field of bit61`),
        ...narrow.map(
          (field) => `rules.itemsMax: group "${(field as GroupSpec).name}" of bit61 holds fewer than ${rules.itemsMax}`,
        ),
      ]);
    }
    return {
      productCode,
      name,
      rules,
      layout,
      bit48: compileTemplate(bit48, [...layout.scalarNames, ...MESSAGE_NAMES]),
      customerData: compileCustomerData(source.customerData, source.bit61, MESSAGE_NAMES),
      isCustomerIdOutside,
      valuesOf: (bill, shown) => valuesOf(values, layout.rupiahFields, bill, shown),
    };
  } catch (error) {
    if (error instanceof ConfigFault) throw error;
    throw new ConfigFault(what, [messageOf(error)]);
  }
}

function valuesOf(
  sources: Readonly<Record<string, ValueSource>>,
  rupiahFields: ReadonlySet<string>,
  bill: Bill,
  shown: BillShown,
): LayoutValues {
  const values: Record<string, LayoutValues[string]> = { amount: shown.amount, feeAmount: shown.feeAmount };
  for (const [field, source] of Object.entries(sources)) {
    if (typeof source === "string") {
      const value = valueAt(source, bill, shown);
      values[field] = rupiahFields.has(field) ? asRupiah(field, value) : transliterate(String(value));
    } else if ("text" in source) {
      values[field] = source.text;
    } else {
      const members = Object.entries(source.fields);
      values[field] = shown.items.map((item) =>
        Object.fromEntries(
          members.map(([name, from]) => [name, from === "amount" ? item.outstanding : transliterate(item.reference)]),
        ),
      );
    }
  }
  return values;
}

function valueAt(path: string, bill: Bill, shown: BillShown): string | bigint {
  switch (path) {
    case "billNumber":
      return bill.billNumber;
    case "customerName":
      return bill.customerName;
    case "amount":
      return shown.amount;
    case "feeAmount":
      return shown.feeAmount;
    case "itemCount":
      return String(shown.items.length);
    default: {
      const name = path.slice("details.".length);
      return Object.hasOwn(bill.details, name) ? (bill.details[name] ?? "") : "";
    }
  }
}

/** Amounts kept among a bill's details are digits; none given is nothing owed. */
function asRupiah(field: string, value: string | bigint): bigint {
  if (typeof value === "bigint") return value;
  const amount = value === "" ? 0n : parseAmount(value);
  if (amount === null) throw new Fault("bad_detail", `${field} must be whole rupiah, one to twelve digits`);
  return amount;
}
