import { type CompiledLayout, describeBit61 } from "../../wire";

/** Fields of the switch's messages that say nothing about a person; all others are masked. */
const PLAIN_FIELDS: ReadonlySet<string> = new Set([
  ...["userName", "productCode", "channel", "terminal", "bit41", "terminalName", "terminalLocation", "transactionType"],
  ...[
    "billNumber",
    "amount",
    "feeAmount",
    "traxId",
    "timeStamp",
    "timeStampServer",
    "sysCode",
    "resultCode",
    "resultDesc",
    // What a manual posting keeps for the reply to a late message: an amount.
    "paidBefore",
  ],
]);
/** Columns of bit61 that name a bill and not a person. */
const PLAIN_COLUMNS: ReadonlySet<string> = new Set([
  "billNumber",
  "customerId",
  "kodeDivre",
  "kodeDatel",
  "contractNumber",
]);

/**
 * The same text with every letter and digit gone and its length kept: blanks stay, so that columns can still be told apart.
 */
export function maskText(text: string): string {
  return text.replaceAll(/[^ ]/g, "*");
}

/** A name for people: its first letter and asterisks. */
export function maskName(name: string): string {
  return name.replace(/^(.).*$/su, "$1***");
}

/**
 * bit61 with its personal columns masked, every column at its place. Amounts, counts, the members of groups (what is owed)
 * and the bill's number stay. Without a layout nothing is known about the columns, and all of it is masked.
 */
export function maskBit61(layout: CompiledLayout | null, text: string): string {
  if (layout === null) return maskText(text);
  return describeBit61(layout, text)
    .rows.map(({ name, kind, raw }) => {
      const isPlain = kind === "rupiah" || kind === "filler" || name.includes("[") || PLAIN_COLUMNS.has(name);
      // A count is what the members before it cannot be read without.
      const isCount = kind === "digits" && raw.length <= 2;
      return isPlain || isCount ? raw : kind === "digits" ? raw.replaceAll(/[0-9]/g, "0") : maskText(raw);
    })
    .join("");
}

type Fields = Readonly<Record<string, unknown>>;

/** A message with everything personal masked; bit61 keeps its columns. */
export function maskMessage(layout: CompiledLayout | null, fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (PLAIN_FIELDS.has(name)) return [name, value];
      if (name === "bit61" && typeof value === "string") return [name, maskBit61(layout, value)];
      return [name, maskValue(value)];
    }),
  );
}

/** Texts masked at any depth; numbers written as text are amounts and stay where they stand beside a name. */
function maskValue(value: unknown): unknown {
  if (typeof value === "string") return maskText(value);
  if (Array.isArray(value)) return value.map(maskValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      /amount|nominal|tagihan|nilai/i.test(name) && typeof each === "string" && /^[0-9 ]*$/.test(each)
        ? each
        : maskValue(each),
    ]),
  );
}
