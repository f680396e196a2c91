import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type Bill, billKeyOf, dueOf, sumRupiah } from "../domain";
import { messageOf } from "../platform";
import { type ColumnSpec, type CompiledLayout, firstNonPrintable, type LayoutValues, parseAmount } from "../wire";
import type { Product } from "./product-definition";
import { BIT61_MESSAGES } from "./product-schema";

const digits = z.string().regex(/^[0-9]{1,12}$/, "must be whole rupiah as digits, at most 12");
const text = z.string();
const memberValues = z.record(text, text);

/** One example of the spec sheet. What it gives must agree: a bill makes values, values make texts, texts read back. */
export const sampleSchema = z
  .strictObject({
    name: text.optional().describe("for people, and for fault messages"),
    message: z.enum(BIT61_MESSAGES).default("inquiryReply").describe("whose bit61 this is"),
    bit61: text.optional().describe("the text, byte for byte"),
    values: z
      .record(text, z.union([text, z.array(memberValues)]))
      .optional()
      .describe("by field name; rupiah as digits, a group as a list of members"),
    bill: z
      .strictObject({
        billNumber: text,
        customerName: text.default(""),
        feeAmount: digits.optional(),
        details: z.record(z.string().regex(/^[A-Za-z0-9]{1,40}$/), text).default({}),
        items: z.array(z.strictObject({ reference: text, amount: digits })).default([]),
        paidAmount: digits.optional(),
      })
      .optional()
      .describe("a bill as it would be imported, oldest item first"),
    bit48: text.optional(),
    customerData: z.record(text, z.unknown()).optional(),
  })
  .refine(({ bit61, values, bill }) => [bit61, values, bill].some((given) => given !== undefined), {
    error: "gives none of bit61, values and bill",
  })
  .refine(({ message, bill }) => bill === undefined || message === "inquiryReply" || message === "paymentReply", {
    error: "a bill makes replies only: inquiryReply or paymentReply",
  });

/** A sample as it stands in a product's file. */
export type ProductSample = z.input<typeof sampleSchema>;
type Sample = z.output<typeof sampleSchema>;

/** Where a product's samples and its definition disagree; each line begins with the sample's place. */
export function faultsOfSamples(product: Product, samples: readonly Sample[]): string[] {
  return samples.flatMap((sample, index) => {
    const path = `samples[${index}]${sample.name === undefined ? "" : ` ${sample.name.slice(0, 40)}`}`;
    return faultsOfSample(product, sample).map((fault) => `${path}: ${fault}`);
  });
}

function faultsOfSample(product: Product, sample: Sample): string[] {
  const given = product.layouts[sample.message];
  // Requests and payments without a layout of their own bring back what the inquiry's reply said.
  const layout = given ?? product.layout;
  const faults: string[] = [];
  const read = sample.bit61 === undefined ? null : readBack(layout, sample.bit61, faults);
  const wished = sample.values === undefined ? null : typedValues(layout, sample.values, faults);
  if (faults.length > 0) return faults;
  try {
    const made = sample.bill === undefined ? null : valuesOfBill(product, sample.bill);
    if (read !== null && wished !== null) faults.push(...differences("bit61 says", wished, read));
    if (made !== null && wished !== null) faults.push(...differences("the bill makes", wished, made));
    const known = made ?? { ...read, ...wished };
    const isWhole = made !== null || layout.fieldNames.every((name) => name in known);
    if (sample.bit61 !== undefined && isWhole) faults.push(...faultsOfText(layout, sample.bit61, known));
    if (sample.bit48 !== undefined) {
      faults.push(...differs("bit48", sample.bit48, product.bit48.render(known)));
    }
    if (sample.customerData !== undefined) {
      faults.push(...faultsOfCustomerData(sample.customerData, product.customerData(known)));
    }
    if (made === null && sample.bit61 === undefined && isWhole) layout.encode(known);
  } catch (error) {
    faults.push(messageOf(error));
  }
  return faults;
}

/** Reads a bit61 and writes what was read again: the same text must come out. */
function readBack(layout: CompiledLayout, bit61: string, faults: string[]): LayoutValues | null {
  const at = firstNonPrintable(bit61);
  if (at !== -1) faults.push(`bit61: the character at ${at} is not printable ASCII`);
  const decoded = layout.decode(bit61);
  if (!decoded.ok) {
    const column = layout.trace(bit61).find(({ problem }) => problem !== null);
    const where = column === undefined ? "" : ` (first unreadable: ${column.name}, offset ${column.offset})`;
    faults.push(`bit61: ${decoded.error.message}${where}`);
    return null;
  }
  faults.push(...faultsOfText(layout, bit61, decoded.values, !decoded.hasTail));
  return decoded.values;
}

function faultsOfText(layout: CompiledLayout, expected: string, values: LayoutValues, cut = false): string[] {
  const isCut = cut || expected.length === layout.encode(values).length - layout.tailWidth;
  const written = layout.encode(values, { cut: isCut && layout.tailWidth > 0 });
  return differs("bit61", expected, written);
}

function differs(what: string, expected: string, made: string): string[] {
  if (expected === made) return [];
  let at = 0;
  while (at < expected.length && expected[at] === made[at]) at++;
  const shown = (whole: string): string => JSON.stringify(whole.slice(at, at + 30));
  return [`${what}: differs from column ${at} on: expected ${shown(expected)}, made ${shown(made)}`];
}

function faultsOfCustomerData(expected: Sample["customerData"], made: unknown): string[] {
  if (isDeepStrictEqual(expected, made)) return [];
  const [wanted, given] = [expected, made].map((each) => each as Record<string, unknown>) as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(given)])];
  return names
    .filter((name) => !isDeepStrictEqual(wanted[name], given[name]))
    .map((name) => `customerData.${name}: expected ${asText(wanted[name])}, made ${asText(given[name])}`);
}

function differences(who: string, wished: LayoutValues, made: LayoutValues): string[] {
  return Object.entries(wished)
    .filter(([name, value]) => !isDeepStrictEqual(value, made[name]))
    .map(([name, value]) => `values.${name}: expected ${asText(value)}, ${who} ${asText(made[name])}`);
}

function asText(value: unknown): string {
  if (value === undefined) return "nothing";
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === "bigint" ? each.toString() : each));
}

/** Values as the layout types them; names that are no field are reported, but for amounts of the message. */
function typedValues(
  { layout }: CompiledLayout,
  values: NonNullable<Sample["values"]>,
  faults: string[],
): LayoutValues {
  const fields = [...layout.fields, ...(layout.tail ?? [])];
  const typed = Object.entries(values).flatMap(([name, value]): [string, LayoutValues[string]][] => {
    const field = fields.find((each) => each.kind !== "filler" && each.name === name);
    if (name === "amount" || name === "feeAmount" || field !== undefined) {
      if (typeof value === "string" && field?.kind !== "group") return [[name, typedText(name, value, field, faults)]];
      if (typeof value === "object" && field?.kind === "group") {
        return [[name, value.map((member, index) => typedMember(`${name}[${index}]`, member, field.fields, faults))]];
      }
      faults.push(`values.${name}: must be ${field?.kind === "group" ? "a list of members" : "text"}`);
    } else faults.push(`values.${name.slice(0, 40)}: there is no field with this name`);
    return [];
  });
  return Object.fromEntries(typed);
}

function typedMember(
  path: string,
  member: Readonly<Record<string, string>>,
  columns: readonly ColumnSpec[],
  faults: string[],
): LayoutValues {
  const typed = Object.entries(member).flatMap(([name, value]): [string, string | bigint][] => {
    const column = columns.find((each) => each.kind !== "filler" && each.name === name);
    if (column !== undefined) return [[name, typedText(`${path}.${name}`, value, column, faults)]];
    faults.push(`values.${path}: there is no field ${name.slice(0, 40)}`);
    return [];
  });
  return Object.fromEntries(typed);
}

function typedText(
  path: string,
  value: string,
  field: { readonly kind: string } | undefined,
  faults: string[],
): string | bigint {
  if (field !== undefined && field.kind !== "rupiah") return value;
  const amount = parseAmount(value);
  if (amount === null) faults.push(`values.${path}: must be whole rupiah as digits`);
  return amount ?? 0n;
}

/** The values that the inquiry, or the payment of what it shows, is answered with. */
function valuesOfBill(product: Product, given: NonNullable<Sample["bill"]>): LayoutValues {
  const { productCode, rules } = product;
  const items = given.items.map(({ reference, amount }, index) => ({
    itemNo: index + 1,
    reference,
    amount: BigInt(amount),
  }));
  const bill: Bill = {
    billKey: billKeyOf(productCode, given.billNumber),
    productCode,
    billNumber: given.billNumber,
    version: 1,
    isCancelled: false,
    totalAmount: sumRupiah(items.map(({ amount }) => amount)),
    paidAmount: BigInt(given.paidAmount ?? "0"),
    feeAmount: given.feeAmount === undefined ? rules.feeAmount : BigInt(given.feeAmount),
    customerName: given.customerName,
    details: given.details,
    dueAtMs: null,
    items,
  };
  return product.valuesOf(bill, dueOf(bill, rules));
}
