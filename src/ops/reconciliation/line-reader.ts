import { businessDateOf, type LineStatus, placesOf, type SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { dateReader, type LocalTime, splitDelimited, Unreadable } from "../../wire";
import { lineAmounts, type ToldAmounts } from "./line-amounts";
import {
  BadColumn,
  type Column,
  type ColumnOf,
  columnsBy,
  type KeyForm,
  keyIn,
  meaningIn,
  read,
  refuse,
  UnreadableLine,
} from "./line-columns";

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
  /** What was added to a net amount. */
  readonly charge: bigint;
  /** Amounts as they stand in the file, for control totals. */
  readonly told: ToldAmounts;
}

/** A line of somebody else, in a file for several. */
export interface OthersLine {
  /** Whose it is, as it stands in the file. */
  readonly owner: string;
  /** null: its amounts cannot be read. */
  readonly told: ToldAmounts | null;
}

/** What is known of a file before its first line. */
export interface FileContext {
  /** Names of the columns, when a header gives them. */
  readonly header: readonly string[] | null;
  /** null: not known, when a profile is only tried. */
  readonly settlementDate: string | null;
  /** Products that the file covers; empty: any. */
  readonly productCodes: readonly string[];
}

const DAY_MS = 86_400_000;
const ZONE_HOURS = { "Asia/Jakarta": 7, "Asia/Makassar": 8, "Asia/Jayapura": 9, UTC: 0 } as const;
const [TRAX_MAX, BILL_MAX] = [32, 50];

/**
 * A reader of lines by a profile.
 *
 * @throws Fault when the header has not the columns that the profile names
 */
export function lineReader(
  profile: SettlementProfile,
  context: FileContext,
): (line: string) => LineValues | OthersLine | UnreadableLine {
  assertColumns(profile, context.header);
  const { format } = profile;
  const columnOf = columnsBy(context.header);
  const width = format.kind === "fixed" ? null : (format.columnCount ?? context.header?.length ?? null);
  const othersOf = othersReader(profile, columnOf);
  const valuesOf = valuesReader(profile, context, columnOf);
  return (line) => {
    let values: readonly string[] = [];
    if (format.kind === "fixed") {
      if (line.length !== format.width)
        return new UnreadableLine(`has ${line.length} characters, expected ${format.width}`);
    } else {
      const split = splitDelimited(line, format.delimiter, format.quoted);
      if (split instanceof Unreadable) return new UnreadableLine(split.reason);
      if (width !== null && split.length !== width)
        return new UnreadableLine(`has ${split.length} columns, expected ${width}`);
      values = split;
    }
    try {
      return othersOf?.(line, values) ?? valuesOf(line, values);
    } catch (error) {
      if (error instanceof BadColumn) return error.found;
      throw error;
    }
  };
}

/** A reader of lines of others; null from it: the line is ours. */
function othersReader(
  profile: SettlementProfile,
  columnOf: ColumnOf,
): ((line: string, values: readonly string[]) => OthersLine | null) | null {
  const { owner } = profile.columns;
  const column = columnOf("owner", owner?.at);
  if (owner === null || column === null) return null;
  const ours = new Set(owner.ours);
  const amountsOf = lineAmounts(profile, columnOf);
  return (line, values) => {
    const found = column.cut(line, values).trim();
    if (found === "") refuse(column, "is empty: whose line is it?");
    if (ours.has(found)) return null;
    try {
      return { owner: found, told: amountsOf(line, values, null).told };
    } catch (error) {
      if (error instanceof BadColumn) return { owner: found, told: null };
      throw error;
    }
  };
}

function valuesReader(
  profile: SettlementProfile,
  context: FileContext,
  columnOf: ColumnOf,
): (line: string, values: readonly string[]) => LineValues {
  const { columns } = profile;
  const traxOf = keyReader(columnOf("traxId", columns.traxId?.at), columns.traxId, TRAX_MAX);
  const billOf = keyReader(columnOf("billNumber", columns.billNumber?.at), columns.billNumber, BILL_MAX);
  const keysAt = (["traxId", "billNumber"] as const).flatMap((name) => columnOf(name, columns[name]?.at)?.where ?? []);
  const productOf = productReader(profile, context, columnOf);
  const amountsOf = lineAmounts(profile, columnOf);
  const paidAtOf = paidAtReader(profile, columnOf);
  const day = columnOf("businessDate", columns.businessDate?.at);
  const readDay = dateReader(columns.businessDate?.form ?? "");
  const statusOf = statusReader(profile, columnOf);
  const dateOf = cutOffReader(profile.cutOff);
  return (line, values) => {
    const [traxId, billNumber] = [traxOf(line, values), billOf(line, values)];
    if (traxId === null && billNumber === null) {
      throw new BadColumn(new UnreadableLine(`has neither a traxId nor a bill number (${keysAt.join("; ")})`));
    }
    const productCode = productOf(line, values);
    const { amount, feeAmount, charge, told } = amountsOf(line, values, productCode);
    const paidAtMs = paidAtOf(line, values);
    const dated = paidAtMs === null ? (context.settlementDate ?? "") : dateOf(paidAtMs);
    return {
      traxId,
      productCode,
      billNumber,
      amount,
      feeAmount,
      businessDate: day === null ? dated : dayText(read(day, day.cut(line, values), readDay)),
      paidAtMs,
      status: statusOf(line, values, told.isTakenBack),
      charge,
      told,
    };
  };
}

function keyReader(
  column: Column | null,
  form: KeyForm | null,
  maxLength: number,
): (line: string, values: readonly string[]) => string | null {
  if (column === null || form === null) return () => null;
  return (line, values) => keyIn(column, column.cut(line, values), form, maxLength);
}

function productReader(
  { columns, products }: SettlementProfile,
  { productCodes }: FileContext,
  columnOf: ColumnOf,
): (line: string, values: readonly string[]) => string | null {
  const column = columnOf("productCode", columns.productCode);
  const known = new Map(Object.entries(products));
  const onlyProduct = productCodes.length === 1 ? (productCodes[0] as string) : null;
  if (column === null) return () => onlyProduct;
  return (line, values) => {
    const text = column.cut(line, values).trim();
    const code = text === "" ? onlyProduct : (known.get(text) ?? text);
    if (code === null) return null;
    if (!/^[0-9A-Za-z]{6}$/.test(code)) refuse(column, "is no product code", text);
    if (productCodes.length > 0 && !productCodes.includes(code)) {
      refuse(column, `${code} is none that this file is about (${productCodes.join(", ")})`, text);
    }
    return code;
  };
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

function paidAtReader(
  { columns, zone }: SettlementProfile,
  columnOf: ColumnOf,
): (line: string, values: readonly string[]) => number | null {
  const { paidAt } = columns;
  const date = columnOf("paidAt", paidAt?.at);
  if (paidAt === null || date === null) return () => null;
  const time = columnOf("paidAt", paidAt.time?.at);
  const both = time === null ? date : { ...date, where: `${date.where}; ${time.where}` };
  const reader = dateReader(paidAt.time === null ? paidAt.form : `${paidAt.form} ${paidAt.time.form}`);
  const zoneMinutes = ZONE_HOURS[zone] * 60;
  return (line, values) => {
    const text = date.cut(line, values).trim();
    const ofDay = time === null ? "" : time.cut(line, values).trim();
    if (text === "" && ofDay === "") return null;
    const local = read(both, time === null ? text : `${text} ${ofDay}`, reader);
    return local.day * DAY_MS + local.ofDayMs - (local.offsetMinutes ?? zoneMinutes) * 60_000;
  };
}

function statusReader(
  { columns, amounts }: SettlementProfile,
  columnOf: ColumnOf,
): (line: string, values: readonly string[], isTakenBack: boolean) => LineStatus {
  const { status } = columns;
  const takenBack = amounts.negative?.means === "failed" ? "failed" : "reversed";
  const column = columnOf("status", status?.at);
  if (status === null || column === null) return (_line, _values, isTakenBack) => (isTakenBack ? takenBack : "paid");
  const { paid, reversed, failed } = status;
  const meaningOf = meaningIn(column, { paid, reversed, failed });
  return (line, values, isTakenBack) => {
    const meaning = meaningOf(line, values);
    if (!isTakenBack) return meaning;
    // A taking back that failed leaves the payment as it was, and this line cannot say so.
    if (meaning === "failed") refuse(column, "says failed, and the amount takes back", column.cut(line, values));
    return takenBack;
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
