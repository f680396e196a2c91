import { z } from "zod";
import { type ProductRules, productRulesSchema } from "../domain";
import type { ColumnSpec, CustomerDataMapping, GroupSpec, Layout } from "../wire";

/** First column of a field as a spec sheet states it, counted from 0; in a group, from the start of its member. */
interface Placed {
  readonly at?: number;
}
export type PlacedColumn = ColumnSpec & Placed;
export type PlacedGroup = Omit<GroupSpec, "fields"> & Placed & { readonly fields: readonly PlacedColumn[] };

/** A layout as people write it: places may be stated, and `width` is that of the longest record. */
export type PlacedLayout = Omit<Layout, "fields" | "tail"> & {
  readonly fields: readonly (PlacedColumn | PlacedGroup)[];
  readonly tail?: readonly PlacedColumn[];
};

/** The messages whose bit61 a product may describe. */
export const BIT61_MESSAGES = ["inquiryReply", "inquiryRequest", "paymentRequest", "paymentReply"] as const;
export type Bit61Message = (typeof BIT61_MESSAGES)[number];

/** Layouts of bit61 by message. What is left out echoes the inquiry's reply. */
export type Bit61Layouts = { readonly inquiryReply: PlacedLayout } & {
  readonly [message in Exclude<Bit61Message, "inquiryReply">]?: PlacedLayout;
};

/** Where a member's column of a repeated group comes from; `details.<name>{n}` is the detail numbered as the item is. */
export type MemberSource =
  | "reference"
  | "amount"
  | "number"
  | `details.${string}{n}`
  | { readonly text: string }
  | { readonly template: string };

/**
 * Where a value comes from: a path into what is known of the bill (`billNumber`, `customerName`, `amount`, `feeAmount`,
 * `minAmount`, `maxAmount`, `itemCount`, `details.<name>`), a constant, the items still owed (one member each), their
 * number, a sum of rupiah values, or a text joined from other values.
 */
export type ValueSource =
  | string
  | { readonly text: string }
  | { readonly each: "items"; readonly fields: Readonly<Record<string, MemberSource>> }
  | { readonly count: "items" }
  | { readonly sum: readonly string[] }
  | { readonly template: string };

/** A product as data: what the business says, and how it looks on the wire. */
export interface ProductDefinition {
  readonly rules: z.input<typeof productRulesSchema>;
  /** One layout stands for the inquiry's reply. */
  readonly bit61: PlacedLayout | Bit61Layouts;
  /** Template of bit48; a constant when it names no field. */
  readonly bit48: string;
  readonly customerData: CustomerDataMapping;
  /** Some products carry customerId beside customerData as well. */
  readonly isCustomerIdOutside?: boolean;
  /** What is done with values that bit61 cannot hold as they are; default `transliterate`. */
  readonly nonAscii?: "transliterate" | "refuse";
  /** By name of a field of bit61, or of a value that bit48, customerData or another value shows. */
  readonly values: Readonly<Record<string, ValueSource>>;
}

/** A product that ships with the host: plain data, as a file or a database row would hold it. */
export interface ShippedProduct {
  readonly productCode: string;
  readonly name: string;
  readonly definition: ProductDefinition;
}

const VALUE_NAME = /^[A-Za-z][A-Za-z0-9]{0,39}$/;
const SOURCE_PATH =
  /^(billNumber|customerName|amount|feeAmount|minAmount|maxAmount|itemCount|details\.[A-Za-z0-9]{1,40})$/;
const MEMBER_PATH = /^(reference|amount|number|details\.[A-Za-z0-9]{1,38}\{n\})$/;

const MEMBER_SOURCES = "must be reference, amount, number, details.<name>{n}, {text} or {template}";
const VALUE_SOURCES =
  "must be billNumber, customerName, amount, feeAmount, minAmount, maxAmount, itemCount, details.<name>, {text}, {each}, " +
  "{count}, {sum} or {template}";

const constant = z.strictObject({ text: z.string().regex(/^[ -~]*$/, "must be printable ASCII") });
const joined = z.strictObject({ template: z.string() });
const memberSource = z.union([z.string().regex(MEMBER_PATH, MEMBER_SOURCES), constant, joined], {
  error: MEMBER_SOURCES,
});
const valueSource = z.union(
  [
    z.string().regex(SOURCE_PATH, VALUE_SOURCES),
    constant,
    z.strictObject({ each: z.literal("items"), fields: z.record(z.string(), memberSource) }),
    z.strictObject({ count: z.literal("items") }),
    z.strictObject({ sum: z.array(z.string()).min(1, "must name at least one value") }),
    joined,
  ],
  { error: VALUE_SOURCES },
);

function definitionSchema<L extends z.ZodType, C extends z.ZodType>(layouts: L, customerData: C) {
  return z.strictObject({
    rules: productRulesSchema,
    bit61: layouts,
    bit48: z.string(),
    customerData,
    isCustomerIdOutside: z.boolean().default(false),
    nonAscii: z.enum(["transliterate", "refuse"]).default("transliterate"),
    values: z.record(z.string().regex(VALUE_NAME, "must be a letter and then up to 39 letters or digits"), valueSource),
  });
}

const FALLBACK_RULES = { billNumber: { minLength: 1, maxLength: 20 }, rule: { kind: "closed" }, itemsMax: 1 };

/** What of a definition can be used while the rest of it is wrong: so that all its faults are found at once. */
export function usableParts(definition: unknown): {
  readonly parts: Pick<ProductDefinition, "values" | "bit48" | "customerData">;
  readonly rules: ProductRules;
  /** Names of values that are given, though wrongly. */
  readonly wrongValues: ReadonlySet<string>;
} {
  const given = (typeof definition === "object" && definition !== null ? definition : {}) as Partial<
    Record<keyof ProductDefinition, unknown>
  >;
  const rules = productRulesSchema.safeParse(given.rules);
  const values = typeof given.values === "object" && given.values !== null ? Object.entries(given.values) : [];
  const right = values.filter(([name, source]) => VALUE_NAME.test(name) && valueSource.safeParse(source).success);
  const rightNames = new Set(right.map(([name]) => name));
  return {
    parts: {
      values: Object.fromEntries(right) as ProductDefinition["values"],
      bit48: typeof given.bit48 === "string" ? given.bit48 : "",
      customerData: Array.isArray(given.customerData) ? (given.customerData as CustomerDataMapping) : [],
    },
    rules: rules.success ? rules.data : productRulesSchema.parse(FALLBACK_RULES),
    wrongValues: new Set(values.map(([name]) => name).filter((name) => !rightNames.has(name))),
  };
}

/** Checks everything but the wire's own parts, whose compilers name their faults better. */
export const envelopeSchema = definitionSchema(
  z.looseObject({}, { error: "must be a layout, or an object with the layout of inquiryReply" }),
  z.array(z.looseObject({})),
);

const width = z.int().min(1).max(999);
const character = z.string().regex(/^[ -~]$/);
const placed = { at: z.int().min(0).optional().describe("first column, from 0; in a group, from its member's start") };
const named = {
  name: z.string().regex(VALUE_NAME),
  width,
  inferred: z.literal(true).optional().describe("the spec sheet does not say this width or place"),
  note: z.string().optional(),
  ...placed,
};
const column = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("text"),
    ...named,
    align: z.enum(["left", "right"]).optional(),
    pad: character.optional(),
    overflow: z.enum(["refuse", "cut"]).optional(),
  }),
  z.strictObject({ kind: z.literal("digits"), ...named }),
  z.strictObject({
    kind: z.literal("rupiah"),
    ...named,
    width: width.max(18),
    pad: z.enum([" ", "0"]).optional(),
    blankIsZero: z.literal(true).optional(),
  }),
  z.strictObject({
    kind: z.literal("filler"),
    width,
    char: character.optional(),
    note: z.string().optional(),
    ...placed,
  }),
]);
const group = z.strictObject({
  kind: z.literal("group"),
  name: z.string().regex(VALUE_NAME),
  count: z.string().regex(VALUE_NAME).describe("name of an earlier digits field that holds the number of members"),
  min: z.int().min(0).max(99).optional(),
  max: z.int().min(1).max(99),
  order: z.enum(["as-listed", "reversed"]),
  fields: z.array(column),
  note: z.string().optional(),
  ...placed,
});
const layout = z.strictObject({
  name: z.string(),
  source: z.string().describe("where the table comes from, for people"),
  fields: z.array(z.union([column, group])),
  tail: z.array(column).optional().describe("columns at the end that may be absent altogether"),
  maxWidth: z.int().min(1).max(9_999).optional(),
  width: z.int().min(1).max(9_999).optional().describe("declared width: every group full, the tail present"),
});
const customerDataField = z.union([
  z.strictObject({
    name: z.string().regex(VALUE_NAME),
    from: z.string().regex(VALUE_NAME),
    whenBlank: z.enum(["text", "absent"]).optional(),
  }),
  z.strictObject({ name: z.string().regex(VALUE_NAME), text: z.string() }),
]);
const customerData = z.array(
  z.union([
    customerDataField,
    z.strictObject({ name: z.string().regex(VALUE_NAME), fields: z.array(customerDataField) }),
    z.strictObject({
      each: z.string().regex(VALUE_NAME).describe("name of a group"),
      name: z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,39}\{n\}$/),
      order: z.enum(["as-listed", "reversed"]),
      fields: z.array(customerDataField),
    }),
  ]),
);
const layouts = z.strictObject({
  inquiryReply: layout,
  inquiryRequest: layout.optional(),
  paymentRequest: layout.optional(),
  paymentReply: layout.optional(),
});

/** The whole shape of a definition, the wire's parts included: for publication. What it accepts may still have faults. */
export const publishedDefinitionSchema = definitionSchema(z.union([layout, layouts]), customerData);
