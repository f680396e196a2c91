import { z } from "zod";
import { matchRulesSchema } from "./settlement-rules";

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

/**
 * One way only to read any text: each token starts with a letter of its own, and has no neighbour of the same letter. With
 * YYYY beside YY, 40 letters Y took ten thousand ways, 80 for ever.
 */
const DATE_FORM_CHARACTERS = /^(?:YY|M{1,3}(?!M)|D{1,2}(?!D)|H{1,2}(?!H)|h{1,2}(?!h)|mm|ss|SSS|A|Z|[ \-/.:T_,])+$/;
/** Tokens of a date's form; everything else in it stands for itself. */
const dateForm = z
  .string()
  .max(40)
  .regex(
    DATE_FORM_CHARACTERS,
    "is made of YYYY, YY, MMM, MM, M, DD, D, HH, H, hh, h, mm, ss, SSS, A, Z and of blanks and - / . : T _ ,",
  );
const dayForm = dateForm.refine(
  (form) => form.includes("YY") && form.includes("M") && form.includes("D"),
  "must hold a year, a month and a day",
);
/** Of a business date, which has no zone. */
const calendarForm = dayForm
  .refine((form) => faultOfDateForm(form) === null, { error: (issue) => faultOfDateForm(String(issue.input)) ?? "" })
  .refine((form) => !form.includes("Z"), "is of a business date, which has no zone: Z has no place here");

/** A token of one letter takes one digit or two, so that another number cannot follow at once. */
const OPEN_WIDTH_BEFORE_NUMBER = /(?:(?<!M)M|(?<!D)D|(?<!H)H|(?<!h)h)(?=[YMDHhmsS])/g;

/** What contradicts itself in a form of date and time; null: nothing. */
export function faultOfDateForm(form: string): string | null {
  const [has12, has24, hasHalf] = [form.includes("h"), form.includes("H"), form.includes("A")];
  if (has12 && has24) return "has both hours of 24 (HH, H) and of 12 (hh, h)";
  if (has12 && !hasHalf) return "has hours of 12 (hh, h), and no A for AM or PM";
  if (hasHalf && !has12) return "has A for AM or PM, and no hours of 12 (hh, h)";
  if (/Z./.test(form)) return "has signs behind Z, which must be the last";
  for (const { 0: token, index } of form.matchAll(OPEN_WIDTH_BEFORE_NUMBER)) {
    if (form[index + 1] !== token) return `has a number at once behind ${token}, which is one digit or two`;
  }
  return null;
}

const cutOff = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, "must be hh:mm, up to 24:00");
const texts = z.array(z.string().min(1).max(40)).max(50);

/** Lines that a control record may count beside those of payments. */
const CONTROL_COUNTS = ["title", "opening", "header", "trailer", "left-out"] as const;

/** A line at the start or the end of a file that is no payment, and tells what the file should hold. */
const controlRecord = z.strictObject({
  /** How such a line begins; no line of a payment may. */
  startsWith: z.string().min(1).max(40),
  /** Number of lines of payments. */
  count: place.nullable().default(null),
  /** Lines that `count` holds as well. */
  countsAlso: z.array(z.enum(CONTROL_COUNTS)).max(5).default([]),
  /** Sum of the amounts as they stand in the file, in their form. */
  amount: place.nullable().default(null),
  fee: place.nullable().default(null),
  /** Sum of the switch's own charges. */
  charge: place.nullable().default(null),
  /** Sums of the payments alone, and of what is taken back alone. */
  paidAmount: place.nullable().default(null),
  reversedAmount: place.nullable().default(null),
  /** signed: what is taken back lowers `amount`, `fee` and `charge`; absolute: it raises them. */
  sums: z.enum(["signed", "absolute"]).default("signed"),
  /** The date that the file is for. */
  date: z.strictObject({ at: place, form: calendarForm }).nullable().default(null),
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
  dateForm: calendarForm.default("YYYYMMDD"),
  /** How many days before the date of the name the business was: 1 where the name bears the day of sending. */
  daysBefore: z.int().min(0).max(7).default(0),
  /** Values of {ca} that are ours; empty: any. */
  ca: texts.default([]),
  /** Product code by {product}, in capitals. What is not here must itself be a product code. */
  products: z.record(z.string().max(40), productCode).default({}),
});

/** A sign that fills a value up to its width, and that the books do not have. */
const strip = z.strictObject({
  sign: z.string().regex(/^[\x21-\x7e]$/, "must be one sign of ASCII; blanks are always left out"),
  side: z.enum(["left", "right"]),
});
const padTo = (width: number) => z.int().min(1).max(width).nullable().default(null);

/** A place alone, or with what makes its value the one of the books: first `strip`, then `padTo`. */
const traxIdColumn = z.union([
  place.transform((at) => ({ at, strip: null, padTo: null })),
  z.strictObject({ at: place, strip: strip.nullable().default(null), padTo: padTo(32) }),
]);

const columns = z.strictObject({
  /** strip, padTo: as in `billNumber`. */
  traxId: traxIdColumn.nullable().default(null),
  productCode: place.nullable().default(null),
  /**
   * padTo: width that shorter numbers are filled up to with zeros on the left, as the books have them. strip: a sign that
   * the file fills numbers up with, on which side. A value that is nothing but that sign is empty.
   */
  billNumber: z
    .strictObject({ at: place, strip: strip.nullable().default(null), padTo: padTo(32) })
    .nullable()
    .default(null),
  amount: place.nullable().default(null),
  /** In place of `amount`: two columns, credit and debit, one of which has an amount in each line. */
  paidAmount: place.nullable().default(null),
  reversedAmount: place.nullable().default(null),
  feeAmount: place.nullable().default(null),
  /** What the switch has kept of the amount: the amount of the books is `amount` and this together. */
  charge: place.nullable().default(null),
  /** A column whose texts say whether money comes or is taken back (credit and debit), where amounts have no sign. */
  direction: z
    .strictObject({ at: place, paid: texts.min(1), reversed: texts.min(1) })
    .nullable()
    .default(null),
  /**
   * A column that says whose line it is, in a file for several. Lines of others are left out and counted as a remark.
   * totalsCover: whether the control totals are those of our lines or of all.
   */
  owner: z
    .strictObject({ at: place, ours: texts.min(1), totalsCover: z.enum(["ours", "all"]).default("all") })
    .nullable()
    .default(null),
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
  businessDate: z.strictObject({ at: place, form: calendarForm }).nullable().default(null),
  /** Texts that mean paid, reversed and failed; another text is a bad line. Without this column everything is paid. */
  status: z
    .strictObject({ at: place, paid: texts.min(1), reversed: texts.default([]), failed: texts.default([]) })
    .nullable()
    .default(null),
});

const rate = {
  /** Rupiah of each payment. */
  fixed: z.int().min(0).max(999_999_999).default(0),
  /** Per cent of the amount of the books, as a text: "0.7". */
  percent: z
    .string()
    .regex(/^[0-4]?[0-9](?:\.[0-9]{1,3})?$/, 'must be a text such as "0.7", below 50')
    .default("0"),
};

const amounts = z.strictObject({
  thousands: z.enum(["", ".", ",", " "]).default(""),
  decimals: z.enum(["", ".", ","]).default(""),
  /** Digits behind the decimal sign; they must be zeros, as there is nothing below a rupiah. */
  decimalPlaces: z.int().min(0).max(4).default(0),
  /** How many of the last digits are decimals without a sign before them; they must be zeros. */
  impliedDecimals: z.int().min(0).max(4).default(0),
  /** Text before the digits, such as Rp. */
  prefix: z.string().max(5).default(""),
  /** Text behind the digits, such as ,- */
  suffix: z.string().max(5).default(""),
  /** How negative amounts are written, and what one means; null: there is none. */
  negative: z
    .strictObject({
      written: z
        .array(z.enum(["leading-minus", "trailing-minus", "parentheses"]))
        .min(1)
        .max(3),
      /** paid: a file from the other side, in which payments are negative, and what is positive takes one back. */
      means: z.enum(["reversed", "failed", "paid"]).default("reversed"),
    })
    .nullable()
    .default(null),
  /** The amount column holds amount and fee together. */
  includeFee: z.boolean().default(false),
  /**
   * What the switch keeps of each amount where no column says it; the file's amounts are net. products: another charge
   * by product code.
   */
  charge: z
    .strictObject({
      ...rate,
      rounding: z.enum(["half-up", "down", "up"]).default("half-up"),
      products: z.record(productCode, z.strictObject(rate)).default({}),
    })
    .nullable()
    .default(null),
});

/** Everything that a profile can say. What contradicts itself in it is named elsewhere. */
export const layoutSchema = z.strictObject({
  /** userName of the partner whose payments the file is about. */
  partner: z.string().min(1).max(100),
  /** Products that the file is about where its name does not say; empty: all of the partner. */
  productCodes: z.array(productCode).max(200).default([]),
  /** utf-16: the byte order mark decides, and must be there. */
  encoding: z.enum(["utf-8", "latin1", "utf-16", "utf-16le", "utf-16be"]).default("utf-8"),
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
  /** Lines before everything else: so many, blank ones too; or all, 100 at most, until one names the columns. */
  title: z
    .union([z.strictObject({ lines: z.int().min(1).max(100) }), z.strictObject({ untilHeader: z.literal(true) })])
    .nullable()
    .default(null),
  /** Beginnings of lines that are none of payments, such as subtotals. They are counted as a remark. */
  leaveOut: z.array(z.string().min(1).max(100)).max(50).default([]),
  /** A first line of control values. */
  opening: controlRecord.nullable().default(null),
  /** Whether a line names the columns. */
  header: z.enum(["none", "columns"]).default("none"),
  /** A last line of control values. */
  trailer: controlRecord.nullable().default(null),
  /** How many lines may come behind the trailer, such as a name to sign. None may be one of a payment. */
  footerLines: z.int().min(0).max(50).default(0),
  columns,
  /** Text in `productCode`'s column -> product code; what is not here is taken as it is. */
  products: z.record(z.string().max(40), productCode).default({}),
  amounts: amounts.prefault({}),
  zone: z.enum(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "UTC"]).default("Asia/Jakarta"),
  /** Local time of Jakarta from which payments belong to the next business date. */
  cutOff: cutOff.default("24:00"),
  fileName: fileName.nullable().default(null),
  rules: matchRulesSchema.default([]),
});

/** A profile with everything filled in. */
export type SettlementProfile = z.infer<typeof layoutSchema>;

/** A line of control values. */
export type ControlRecord = NonNullable<SettlementProfile["trailer"]>;

type Described = Pick<SettlementProfile, "columns" | "opening" | "trailer">;

/** Every place of a profile, with its path. */
export function placesOf({ columns: own, opening, trailer }: Described): (readonly [path: string, at: Place])[] {
  const found: (readonly [string, Place | null | undefined])[] = [
    [
      own.traxId === null || own.traxId.strip !== null || own.traxId.padTo !== null
        ? "columns.traxId.at"
        : "columns.traxId",
      own.traxId?.at,
    ],
    ["columns.productCode", own.productCode],
    ["columns.billNumber.at", own.billNumber?.at],
    ["columns.amount", own.amount],
    ["columns.paidAmount", own.paidAmount],
    ["columns.reversedAmount", own.reversedAmount],
    ["columns.feeAmount", own.feeAmount],
    ["columns.charge", own.charge],
    ["columns.direction.at", own.direction?.at],
    ["columns.owner.at", own.owner?.at],
    ["columns.paidAt.at", own.paidAt?.at],
    ["columns.paidAt.time.at", own.paidAt?.time?.at],
    ["columns.businessDate.at", own.businessDate?.at],
    ["columns.status.at", own.status?.at],
  ];
  for (const [name, record] of [["opening", opening] as const, ["trailer", trailer] as const]) {
    for (const value of ["count", "amount", "fee", "charge", "paidAmount", "reversedAmount"] as const) {
      found.push([`${name}.${value}`, record?.[value]]);
    }
    found.push([`${name}.date.at`, record?.date?.at]);
  }
  return found.flatMap(([path, at]) => (at === null || at === undefined ? [] : [[path, at] as const]));
}
