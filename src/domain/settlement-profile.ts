import { z } from "zod";
import { laidOver } from "./laid-over";
import { SETTLEMENT_PRESETS, type SettlementPreset } from "./settlement-presets";

/**
 * Where a value stands in a line: the number of its column, from 1; the name of its column, when the file names them; or
 * offset (from 0) and width, in characters, in a file of fixed widths.
 */
const place = z.union([
  z.int().min(1).max(500),
  z.string().min(1).max(100),
  z.tuple([z.int().min(0).max(60_000), z.int().min(1).max(1_000)]),
]);

/** Place of a value. */
export type Place = z.infer<typeof place>;

/** YYYY is YY twice. One way only to read any text: with YYYY beside YY, 40 letters Y took ten thousand ways, 80 for ever. */
const DATE_FORM_CHARACTERS = /^(?:YY|MMM?(?!M)|DD|HH|mm|ss|SSS|[ \-/.:T_,])+$/;
/** Tokens of a date's form; everything else in it stands for itself. */
const dateForm = z
  .string()
  .max(40)
  .regex(DATE_FORM_CHARACTERS, "is made of YYYY, YY, MMM, MM, DD, HH, mm, ss, SSS and of blanks and - / . : T _ ,");
const dayForm = dateForm.refine(
  (form) => form.includes("YY") && form.includes("MM") && form.includes("DD"),
  "must hold a year, a month and a day",
);

const cutOff = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, "must be hh:mm, up to 24:00");
const texts = z.array(z.string().min(1).max(40)).max(50);

/** A line at the start or the end of a file that is no payment, and tells what the file should hold. */
const controlRecord = z.strictObject({
  /** How such a line begins; no line of a payment may. */
  startsWith: z.string().min(1).max(40),
  /** Number of lines of payments. */
  count: place.nullable().default(null),
  /** Sum of the amounts as they stand in the file, in their form. */
  amount: place.nullable().default(null),
  fee: place.nullable().default(null),
  /** The date that the file is for. */
  date: z.strictObject({ at: place, form: dayForm }).nullable().default(null),
});

const productCode = z.string().regex(/^[0-9A-Za-z]{6}$/, "must be six letters or digits");

const fileName = z.strictObject({
  /** `{ca}`, `{product}`, `{date}` and `{any}` stand for what differs; the rest must be as it is. Case does not matter. */
  pattern: z
    .string()
    .max(120)
    .refine((pattern) => pattern.split("{date}").length === 2, "must hold {date}, once")
    .refine(
      (pattern) => /^(?:\{(?:ca|product|date|any)\}|[^{}/\\])+$/.test(pattern),
      "knows {ca}, {product}, {date}, {any}",
    ),
  dateForm: dayForm.default("YYYYMMDD"),
  /** How many days before the date of the name the business was: 1 where the name bears the day of sending. */
  daysBefore: z.int().min(0).max(7).default(0),
  /** Values of {ca} that are ours; empty: any. */
  ca: texts.default([]),
  /** Product code by {product}, in capitals. What is not here must itself be a product code. */
  products: z.record(z.string().max(40), productCode).default({}),
});

const ruleName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be small letters, digits and -")
  .refine((name) => name !== "traxid", "is taken");
const daysApart = z.int().min(0).max(31).default(0);

/** A rule for lines that their traxId did not match. They are tried in order, after the traxId. */
const matchRule = z.discriminatedUnion("kind", [
  /** One line, one payment of the same bill. */
  z.strictObject({
    kind: z.literal("bill"),
    name: ruleName,
    /** What must be equal beside the bill number. What is left out may differ, and makes the class. */
    fields: z.array(z.enum(["productCode", "amount", "feeAmount"])).default(["productCode", "amount"]),
    daysApart,
    /** How far apart the times may be; null: any. */
    minutesApart: z.int().min(0).max(44_640).nullable().default(null),
  }),
  /** All lines of one file about one bill and business date, that add up to one payment. */
  z.strictObject({ kind: z.literal("lines-to-payment"), name: ruleName, daysApart }),
  /** One line that is the sum of all payments of one bill on one business date. */
  z.strictObject({ kind: z.literal("payments-to-line"), name: ruleName, daysApart }),
]);

/** One declared rule. */
export type MatchRule = z.infer<typeof matchRule>;

/** The rules of a profile, in the order in which they are tried. */
export const matchRulesSchema = z
  .array(matchRule)
  .max(20)
  .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, "two rules have the same name");

/** How a kind of settlement file is laid out, and how its lines are matched. */
export const settlementProfileSchema = z
  .strictObject({
    /** userName of the partner whose payments the file is about. */
    partner: z.string().min(1).max(100),
    /** Products that the file is about where its name does not say; empty: all of the partner. */
    productCodes: z.array(productCode).max(200).default([]),
    encoding: z.enum(["utf-8", "latin1"]).default("utf-8"),
    format: z.discriminatedUnion("kind", [
      z.strictObject({
        kind: z.literal("delimited"),
        delimiter: z.enum([",", ";", "|", "\t"]),
        /** Quoted values may hold the delimiter, and the quote itself doubled; never the end of a line. */
        quoted: z.boolean().default(true),
        /** How many columns a line has; null: as many as the header, or any. */
        columnCount: z.int().min(1).max(500).nullable().default(null),
      }),
      z.strictObject({
        kind: z.literal("fixed"),
        /** Characters of a line without its end. */
        width: z.int().min(1).max(60_000),
      }),
    ]),
    /** A first line of control values. */
    opening: controlRecord.nullable().default(null),
    /** Whether a line names the columns. */
    header: z.enum(["none", "columns"]).default("none"),
    /** A last line of control values. */
    trailer: controlRecord.nullable().default(null),
    columns: z.strictObject({
      traxId: place.nullable().default(null),
      productCode: place.nullable().default(null),
      /** padTo: width that shorter numbers are filled up to with zeros on the left, as the books have them. */
      billNumber: z
        .strictObject({ at: place, padTo: z.int().min(1).max(32).nullable().default(null) })
        .nullable()
        .default(null),
      amount: place,
      feeAmount: place.nullable().default(null),
      /** When the customer paid. */
      paidAt: z
        .strictObject({
          at: place,
          form: dayForm,
          time: z.strictObject({ at: place, form: dateForm }).nullable().default(null),
        })
        .nullable()
        .default(null),
      /** The business date where a column has it; else it follows from paidAt and the cut-off, else from the file's date. */
      businessDate: z.strictObject({ at: place, form: dayForm }).nullable().default(null),
      /** Texts that mean paid, reversed and failed; another text is a bad line. Without this column everything is paid. */
      status: z
        .strictObject({ at: place, paid: texts.min(1), reversed: texts.default([]), failed: texts.default([]) })
        .nullable()
        .default(null),
    }),
    /** Text in `productCode`'s column -> product code; what is not here is taken as it is. */
    products: z.record(z.string().max(40), productCode).default({}),
    amounts: z
      .strictObject({
        thousands: z.enum(["", ".", ",", " "]).default(""),
        decimals: z.enum(["", ".", ","]).default(""),
        /** Digits behind the decimal sign; they must be zeros, as there is nothing below a rupiah. */
        decimalPlaces: z.int().min(0).max(4).default(0),
        /** Text before the digits, such as Rp. */
        prefix: z.string().max(5).default(""),
        /** The amount column holds amount and fee together. */
        includeFee: z.boolean().default(false),
      })
      .prefault({}),
    zone: z.enum(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "UTC"]).default("Asia/Jakarta"),
    /** Local time of Jakarta from which payments belong to the next business date. */
    cutOff: cutOff.default("24:00"),
    fileName: fileName.nullable().default(null),
    rules: matchRulesSchema.default([]),
  })
  .superRefine((profile, context) => {
    for (const [path, at] of placesOf(profile)) {
      const fault = faultOfPlace(at, profile.format, profile.header === "columns" && !/^(opening|trailer)/.test(path));
      if (fault !== null) context.addIssue({ code: "custom", path: path.split("."), message: fault });
    }
    const { columns, amounts, rules, opening, trailer } = profile;
    const fail = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: path.split("."), message });
    if (columns.traxId === null && columns.billNumber === null) fail("columns", "needs traxId or billNumber");
    if (columns.billNumber === null && rules.length > 0) fail("rules", "need the column billNumber");
    if (amounts.includeFee && columns.feeAmount === null) fail("amounts.includeFee", "needs the column feeAmount");
    if (amounts.thousands !== "" && amounts.thousands === amounts.decimals)
      fail("amounts.decimals", "is the same sign as thousands");
    if ((amounts.decimals === "") !== (amounts.decimalPlaces === 0))
      fail("amounts.decimalPlaces", "goes together with decimals");
    if (profile.format.kind === "fixed" && profile.header === "columns")
      fail("header", "a file of fixed widths names no columns");
    if (opening !== null && opening.startsWith === trailer?.startsWith)
      fail("trailer.startsWith", "is the same as that of opening");
    const texts = [columns.status?.paid, columns.status?.reversed, columns.status?.failed].flatMap(
      (list) => list ?? [],
    );
    if (new Set(texts).size < texts.length) fail("columns.status", "gives two meanings to one text");
  });

/** A profile with everything filled in. */
export type SettlementProfile = z.infer<typeof settlementProfileSchema>;

type Described = Pick<SettlementProfile, "columns" | "opening" | "trailer">;

/** Every place of a profile, with its path. */
export function placesOf({ columns, opening, trailer }: Described): (readonly [path: string, at: Place])[] {
  const found: (readonly [string, Place | null | undefined])[] = [
    ["columns.traxId", columns.traxId],
    ["columns.productCode", columns.productCode],
    ["columns.billNumber.at", columns.billNumber?.at],
    ["columns.amount", columns.amount],
    ["columns.feeAmount", columns.feeAmount],
    ["columns.paidAt.at", columns.paidAt?.at],
    ["columns.paidAt.time.at", columns.paidAt?.time?.at],
    ["columns.businessDate.at", columns.businessDate?.at],
    ["columns.status.at", columns.status?.at],
    ...(["opening", "trailer"] as const).flatMap((name) => {
      const record = { opening, trailer }[name];
      return [
        [`${name}.count`, record?.count],
        [`${name}.amount`, record?.amount],
        [`${name}.fee`, record?.fee],
        [`${name}.date.at`, record?.date?.at],
      ] as const;
    }),
  ];
  return found.flatMap(([path, at]) => (at === null || at === undefined ? [] : [[path, at] as const]));
}

function faultOfPlace(at: Place, format: SettlementProfile["format"], mayBeNamed: boolean): string | null {
  if (format.kind === "fixed") {
    if (!Array.isArray(at)) return "must be [offset, width] in a file of fixed widths";
    return at[0] + at[1] > format.width ? `ends at ${at[0] + at[1]}, behind the line's width of ${format.width}` : null;
  }
  if (Array.isArray(at)) return "must be a column's number or name in a file with delimiters";
  if (typeof at === "string") return mayBeNamed ? null : "must be a column's number: no header names columns here";
  const { columnCount } = format;
  return columnCount !== null && at > columnCount ? `is behind the last column, ${columnCount}` : null;
}

/** What reading a profile gives: the profile, or everything that is wrong with it, each with its path. */
export type ParsedProfile =
  | { readonly ok: true; readonly profile: SettlementProfile }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads a profile as it is stored: an object that may name a preset, and holds what differs from it. */
export function parseSettlementProfile(given: unknown): ParsedProfile {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { ok: false, faults: ["a profile must be an object"] };
  }
  const { preset, $schema: _schema, ...own } = given as Record<string, unknown>;
  if (preset !== undefined && (typeof preset !== "string" || !Object.hasOwn(SETTLEMENT_PRESETS, preset))) {
    return { ok: false, faults: [`preset: must be one of ${Object.keys(SETTLEMENT_PRESETS).join(", ")}`] };
  }
  const base = preset === undefined ? {} : SETTLEMENT_PRESETS[preset as SettlementPreset];
  const parsed = settlementProfileSchema.safeParse(laidOver(base, own));
  return parsed.success ? { ok: true, profile: parsed.data } : { ok: false, faults: faultsOf(parsed.error) };
}

/** Reads a list of rules, as `recon run --rules` gets it. */
export function parseMatchRules(
  given: unknown,
):
  | { readonly ok: true; readonly rules: readonly MatchRule[] }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const parsed = matchRulesSchema.safeParse(given);
  return parsed.success ? { ok: true, rules: parsed.data } : { ok: false, faults: faultsOf(parsed.error) };
}

function faultsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
}

/** JSON Schema of a profile as it is written in a file, for editors and for people. */
export function settlementProfileJsonSchema(): Record<string, unknown> {
  const own = z.toJSONSchema(settlementProfileSchema, { io: "input" });
  const preset = { type: "string", enum: Object.keys(SETTLEMENT_PRESETS) };
  // With a preset nothing else is required but the partner.
  const { required: _required, ...rest } = own;
  return {
    ...rest,
    title: "Settlement profile",
    properties: { $schema: { type: "string" }, preset, ...(own.properties as Record<string, unknown>) },
    required: ["partner"],
  };
}
