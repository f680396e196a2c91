import { type Bill, type ProductRules } from "../domain";
import { ConfigFault } from "../platform";
import {
  compileCustomerData,
  type CompiledCustomerData,
  type CompiledLayout,
  compileTemplate,
  type CompiledTemplate,
  type Decoded,
  type LayoutValues,
} from "../wire";
import { type Draft, faultsOfDraft, typesOf } from "./product-faults";
import { layoutsOf, placeLayout } from "./product-layout";
import { type Bit61Message, envelopeSchema, type ProductDefinition, usableParts } from "./product-schema";
import { type BillShown, compileValues, MESSAGE_NAMES } from "./product-values";

export type { Bit61Layouts, Bit61Message, ProductDefinition, ShippedProduct, ValueSource } from "./product-schema";
export type { BillShown } from "./product-values";

/** bit61 of a payment's reply, and the values that the rest of the reply shows. */
export interface PaymentReplyParts {
  readonly bit61: string;
  readonly values: LayoutValues;
}

/** A product ready for use. */
export interface Product {
  readonly productCode: string;
  readonly name: string;
  readonly rules: ProductRules;
  /** bit61 of the inquiry's reply. */
  readonly layout: CompiledLayout;
  /** The layouts that the definition gives, by message. */
  readonly layouts: Readonly<Record<Bit61Message, CompiledLayout | null>>;
  readonly bit48: CompiledTemplate;
  readonly customerData: CompiledCustomerData;
  readonly isCustomerIdOutside: boolean;
  /** The values of bit61, bit48 and customerData for a bill that shows these items. */
  valuesOf(bill: Bill, shown: BillShown): LayoutValues;
  /**
   * bit61 of a payment's reply: by a layout of its own when the product has one, otherwise the payment's own bit61.
   * When that cannot be read, what we know ourselves.
   *
   * @param isCut leave the tail of an echoed bit61 off
   */
  paymentReply(received: string, values: LayoutValues, isCut: boolean): PaymentReplyParts;
}

/**
 * Checks a definition and makes it ready for use.
 *
 * @throws ConfigFault naming every fault found in it, each with its path
 */
export function compileProduct(productCode: string, name: string, definition: unknown): Product {
  const { draft, layouts, faults } = draftOf(definition);
  if (draft !== null) faults.push(...faultsOfDraft(draft));
  if (faults.length > 0 || draft === null) throw new ConfigFault(`product ${productCode} is not valid`, faults);
  const { inquiryReply, rules } = draft;
  const source = definition as ProductDefinition;
  const shownNames = [...(layouts.paymentReply?.scalarNames ?? []), ...Object.keys(source.values), ...MESSAGE_NAMES];
  const names = [...new Set([...inquiryReply.scalarNames, ...shownNames])];
  return {
    productCode,
    name,
    rules,
    layout: inquiryReply,
    layouts,
    bit48: compileTemplate(source.bit48, names),
    customerData: compileCustomerData(source.customerData, inquiryReply.layout, names),
    isCustomerIdOutside: source.isCustomerIdOutside ?? false,
    valuesOf: compileValues(source, rules, typesOf(draft)),
    paymentReply: (received, values, isCut) => paymentReplyOf(layouts, inquiryReply, received, values, isCut),
  };
}

type Layouts = Readonly<Record<Bit61Message, CompiledLayout | null>>;

/** The definition as far as it can be taken apart; without a draft when a layout is wrong. */
function draftOf(definition: unknown): { draft: Draft | null; layouts: Layouts; faults: string[] } {
  const parsed = envelopeSchema.safeParse(definition);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  const layouts: Record<Bit61Message, CompiledLayout | null> = {
    inquiryReply: null,
    inquiryRequest: null,
    paymentRequest: null,
    paymentReply: null,
  };
  const bit61 = (definition as { bit61?: unknown } | null | undefined)?.bit61;
  if (typeof bit61 !== "object" || bit61 === null || Array.isArray(bit61)) return { draft: null, layouts, faults };
  const { written, faults: ofMessages } = layoutsOf(bit61 as Record<string, unknown>);
  faults.push(...ofMessages);
  for (const each of written) {
    const placed = placeLayout(each);
    faults.push(...placed.faults);
    layouts[each.message] = placed.compiled;
  }
  const { inquiryReply, paymentReply } = layouts;
  const areLayoutsUsable = written.every(({ message }) => layouts[message] !== null);
  if (inquiryReply === null || !areLayoutsUsable) return { draft: null, layouts, faults };
  const { parts, rules, wrongValues } = usableParts(definition);
  return { draft: { definition: parts, rules, wrongValues, inquiryReply, paymentReply }, layouts, faults };
}

function paymentReplyOf(
  layouts: Layouts,
  inquiryReply: CompiledLayout,
  received: string,
  values: LayoutValues,
  isCut: boolean,
): PaymentReplyParts {
  if (layouts.paymentReply !== null) return { bit61: layouts.paymentReply.encode(values), values };
  const layout = layouts.paymentRequest ?? inquiryReply;
  const read = layout.decode(received);
  if (!read.ok) {
    const bit61 = inquiryReply.encode(values, { cut: isCut });
    return { bit61, values: shownBy(inquiryReply, bit61, values) };
  }
  if (!isCut || !read.hasTail) return { bit61: received, values: merged(layout, read, values) };
  const bit61 = received.slice(0, received.length - layout.tailWidth);
  return { bit61, values: shownBy(layout, bit61, values) };
}

/** What a bit61 says, and of the other values what we know ourselves. */
function shownBy(layout: CompiledLayout, bit61: string, values: LayoutValues): LayoutValues {
  const said = layout.decode(bit61);
  return said.ok ? merged(layout, said, values) : values;
}

function merged(layout: CompiledLayout, said: Extract<Decoded, { ok: true }>, values: LayoutValues): LayoutValues {
  const shown: Record<string, LayoutValues[string]> = { ...values, ...said.values };
  // Columns that the bit61 did not have say nothing, whatever we know ourselves.
  if (!said.hasTail) for (const name of layout.tailNames) delete shown[name];
  return shown;
}
