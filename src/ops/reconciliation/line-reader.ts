import { businessDateOf, type LineStatus, type Place, placesOf, type SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { amountReader, dateReader, type LocalTime, splitDelimited, Unreadable } from "../../wire";

/** What a readable line says. Amounts in whole rupiah. */
export interface LineValues {
  readonly traxId: string | null;
  readonly productCode: string | null;
  readonly billNumber: string | null;
  readonly amount: bigint;
  readonly feeAmount: bigint | null;
  readonly businessDate: string;
  /** Milliseconds since the epoch. */
  readonly paidAtMs: number | null;
  readonly status: LineStatus;
  /** Amount and fee as they stand in the file, for control totals. */
  readonly toldAmount: bigint;
}

/** What is known of a file before its first line. */
export interface FileContext {
  /** Names of the columns, when a header gives them. */
  readonly header: readonly string[] | null;
  readonly settlementDate: string;
  /** Products that the file covers; empty: any. */
  readonly productCodes: readonly string[];
}

/** Takes the value at a place out of a line that has been split, or is of fixed width. */
export type Cut = (line: string, values: readonly string[]) => string;

/** A line that cannot be read, for people: which column, and what is wrong with it. */
class BadColumn extends Error {}

const DAY_MS = 86_400_000;
const ZONE_HOURS = { "Asia/Jakarta": 7, "Asia/Makassar": 8, "Asia/Jayapura": 9, UTC: 0 } as const;

/**
 * A reader of lines by a profile.
 *
 * @throws Fault when the header has not the columns that the profile names
 */
export function lineReader(
  profile: SettlementProfile,
  context: FileContext,
): (line: string) => LineValues | Unreadable {
  assertColumns(profile, context.header);
  const { columns, format, amounts } = profile;
  const cut = (at: Place | null | undefined): Cut | null =>
    at === null || at === undefined ? null : cutAt(at, context.header);
  const readAmount = amountReader(amounts);
  const [traxId, productCode, billNumber] = [
    cut(columns.traxId),
    cut(columns.productCode),
    cut(columns.billNumber?.at),
  ];
  const amount = cut(columns.amount) as Cut;
  const feeAmount = cut(columns.feeAmount);
  const readPaidAt = paidAtReader(profile, cut);
  const businessDate = columns.businessDate === null ? null : cut(columns.businessDate.at);
  const readDay = columns.businessDate === null ? null : dateReader(columns.businessDate.form);
  const readStatus = statusReader(profile, cut);
  const dateOf = cutOffReader(profile.cutOff);
  const width = format.kind === "fixed" ? null : (format.columnCount ?? context.header?.length ?? null);
  const padTo = columns.billNumber?.padTo ?? 0;
  const onlyProduct = context.productCodes.length === 1 ? (context.productCodes[0] as string) : null;

  const valuesOf = (line: string, values: readonly string[]): LineValues => {
    const trax = traxId === null ? null : keyText("traxId", traxId(line, values), 32);
    const bill = billNumber === null ? null : keyText("billNumber", billNumber(line, values), 50);
    if (trax === null && bill === null) throw new BadColumn("has neither a traxId nor a bill number");
    const told = valueOf("amount", readAmount(amount(line, values)));
    const feeText = feeAmount === null ? "" : feeAmount(line, values).trim();
    const fee = feeText === "" ? null : valueOf("feeAmount", readAmount(feeText));
    if (amounts.includeFee && fee === null) throw new BadColumn("feeAmount: is empty, and amount holds it");
    if (amounts.includeFee && fee !== null && fee > told) throw new BadColumn("feeAmount: is more than amount");
    const paidAtMs = readPaidAt(line, values);
    const day =
      businessDate === null || readDay === null ? null : valueOf("businessDate", readDay(businessDate(line, values)));
    return {
      traxId: trax,
      productCode: productOf(productCode === null ? "" : productCode(line, values).trim()),
      billNumber: bill === null ? null : bill.padStart(padTo, "0"),
      amount: amounts.includeFee ? told - (fee as bigint) : told,
      feeAmount: fee,
      businessDate: day === null ? (paidAtMs === null ? context.settlementDate : dateOf(paidAtMs)) : dayText(day),
      paidAtMs,
      status: readStatus(line, values),
      toldAmount: told,
    };
  };
  const productOf = (text: string): string | null => {
    const code = text === "" ? onlyProduct : (profile.products[text] ?? text);
    if (code === null) return null;
    if (!/^[0-9A-Za-z]{6}$/.test(code)) throw new BadColumn("productCode: is no product code");
    if (context.productCodes.length > 0 && !context.productCodes.includes(code)) {
      throw new BadColumn(`productCode: ${code} is none that this file is about (${context.productCodes.join(", ")})`);
    }
    return code;
  };
  return (line) => {
    let values: readonly string[] = [];
    if (format.kind === "fixed") {
      if (line.length !== format.width)
        return new Unreadable(`has ${line.length} characters, expected ${format.width}`);
    } else {
      const split = splitDelimited(line, format.delimiter, format.quoted);
      if (split instanceof Unreadable) return split;
      if (width !== null && split.length !== width)
        return new Unreadable(`has ${split.length} columns, expected ${width}`);
      values = split;
    }
    try {
      return valuesOf(line, values);
    } catch (error) {
      if (error instanceof BadColumn) return new Unreadable(error.message);
      throw error;
    }
  };
}

/** Takes a value out of a line by its place. */
export function cutAt(at: Place, header: readonly string[] | null): Cut {
  if (Array.isArray(at)) return (line) => line.slice(at[0], at[0] + at[1]);
  const index = typeof at === "number" ? at - 1 : (header ?? []).indexOf(at);
  return (_line, values) => values[index] ?? "";
}

/** The names of the columns, and that the profile's are among them, each once. */
function assertColumns(profile: SettlementProfile, header: readonly string[] | null): void {
  if (header === null) return;
  const wanted = placesOf(profile).filter(([path]) => path.startsWith("columns."));
  const missing = wanted.flatMap(([, at]) => (typeof at === "string" && !header.includes(at) ? [at] : []));
  const twice = wanted.flatMap(([, at]) =>
    typeof at === "string" && header.indexOf(at) !== header.lastIndexOf(at) ? [at] : [],
  );
  const faults = [
    ...(missing.length === 0 ? [] : [`has no ${missing.join(", ")}`]),
    ...(twice.length === 0 ? [] : [`names ${twice.join(", ")} twice`]),
  ];
  if (faults.length === 0) return;
  const found = header.join(", ").slice(0, 300);
  throw new Fault("settlement_file", `the header ${faults.join(" and ")}; its columns are: ${found}`);
}

function valueOf<T>(column: string, value: T | Unreadable): T {
  if (value instanceof Unreadable) throw new BadColumn(`${column}: ${value.reason}`);
  return value;
}

function keyText(column: string, text: string, maxLength: number): string | null {
  const value = text.trim();
  if (value === "") return null;
  if (value.length > maxLength) throw new BadColumn(`${column}: is longer than ${maxLength} characters`);
  if (!/^[\x21-\x7e]+$/.test(value)) throw new BadColumn(`${column}: holds blanks or signs beyond ASCII`);
  return value;
}

function paidAtReader(
  { columns, zone }: SettlementProfile,
  cut: (at: Place | null | undefined) => Cut | null,
): (line: string, values: readonly string[]) => number | null {
  const { paidAt } = columns;
  const date = cut(paidAt?.at);
  if (paidAt === null || date === null) return () => null;
  const time = cut(paidAt.time?.at);
  const read = dateReader(paidAt.time === null ? paidAt.form : `${paidAt.form} ${paidAt.time.form}`);
  const offsetMs = ZONE_HOURS[zone] * 3_600_000;
  return (line, values) => {
    const text = date(line, values).trim();
    const ofDay = time === null ? "" : time(line, values).trim();
    if (text === "" && ofDay === "") return null;
    const local = valueOf("paidAt", read(time === null ? text : `${text} ${ofDay}`));
    return local.day * DAY_MS + local.ofDayMs - offsetMs;
  };
}

function statusReader(
  { columns }: SettlementProfile,
  cut: (at: Place | null | undefined) => Cut | null,
): (line: string, values: readonly string[]) => LineStatus {
  const { status } = columns;
  const at = cut(status?.at);
  if (status === null || at === null) return () => "paid";
  const meanings = new Map<string, LineStatus>(
    (["paid", "reversed", "failed"] as const).flatMap((meaning) =>
      status[meaning].map((text) => [text, meaning] as const),
    ),
  );
  return (line, values) => {
    const found = meanings.get(at(line, values).trim());
    if (found === undefined) throw new BadColumn("status: is a text whose meaning the profile does not tell");
    return found;
  };
}

/** Business dates; neighbours in a file mostly have the same one, which is then not computed again. */
function cutOffReader(cutOff: string): (epochMs: number) => string {
  const known = new Map<number, string>();
  const [hours = 24, minutes = 0] = cutOff.split(":").map(Number);
  const shiftMs = 7 * 3_600_000 + DAY_MS - (hours * 60 + minutes) * 60_000;
  return (epochMs) => {
    const day = Math.floor((epochMs + shiftMs) / DAY_MS);
    const found = known.get(day) ?? businessDateOf(epochMs, cutOff);
    if (known.size < 1_000) known.set(day, found);
    return found;
  };
}

/** `YYYY-MM-DD` of a local day. */
export function dayText({ day }: Pick<LocalTime, "day">): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
