import { faultOfDateForm, type Place, placesOf, type SettlementProfile } from "./settlement-layout";

/** Takes what is wrong with a profile: the path of the setting, and the words behind it. */
export type NameFault = (path: string, message: string) => void;

/** Names everything in a profile that contradicts itself, although each setting is one by itself. */
export function nameContradictions(profile: SettlementProfile, fail: NameFault): void {
  for (const [path, at] of placesOf(profile)) {
    const fault = faultOfPlace(at, profile.format, profile.header === "columns" && !/^(opening|trailer)/.test(path));
    if (fault !== null) fail(path, fault);
  }
  nameOfColumns(profile, fail);
  nameOfAmounts(profile, fail);
  nameOfLines(profile, fail);
}

function nameOfColumns({ columns, rules }: SettlementProfile, fail: NameFault): void {
  if (columns.traxId === null && columns.billNumber === null) fail("columns", "needs traxId or billNumber");
  if (columns.billNumber === null && rules.length > 0) fail("rules", "need the column billNumber");
  const { amount, paidAmount, reversedAmount, direction, paidAt } = columns;
  if ((paidAmount === null) !== (reversedAmount === null))
    fail("columns", "needs paidAmount and reversedAmount together");
  const hasTwo = paidAmount !== null || reversedAmount !== null;
  if (amount === null && !hasTwo)
    fail("columns.amount", "must be given, or paidAmount and reversedAmount in its place");
  if (amount !== null && hasTwo) fail("columns.amount", "goes not together with paidAmount and reversedAmount");
  if (direction !== null && hasTwo) fail("columns.direction", "goes not together with paidAmount and reversedAmount");
  for (const name of ["direction", "status"] as const) {
    const each = columns[name];
    if (each === null) continue;
    const meant = [...each.paid, ...each.reversed, ...("failed" in each ? each.failed : [])];
    if (new Set(meant).size < meant.length) fail(`columns.${name}`, "gives two meanings to one text");
  }
  if (paidAt !== null) {
    const form = paidAt.time === null ? paidAt.form : `${paidAt.form} ${paidAt.time.form}`;
    const fault = faultOfDateForm(form);
    if (fault !== null) fail("columns.paidAt", `its form ${form} ${fault}`);
  }
}

function nameOfAmounts({ columns, amounts }: SettlementProfile, fail: NameFault): void {
  const { thousands, decimals, decimalPlaces, impliedDecimals, prefix, suffix, negative } = amounts;
  if (amounts.includeFee && columns.feeAmount === null) fail("amounts.includeFee", "needs the column feeAmount");
  if (thousands !== "" && thousands === decimals) fail("amounts.decimals", "is the same sign as thousands");
  if ((decimals === "") !== (decimalPlaces === 0)) fail("amounts.decimalPlaces", "goes together with decimals");
  if (impliedDecimals > 0 && (decimals !== "" || thousands !== ""))
    fail("amounts.impliedDecimals", "goes not together with signs of decimals or thousands");
  if (/[0-9]/.test(suffix)) fail("amounts.suffix", "holds a digit");
  if (suffix !== "" && suffix.trim() !== suffix)
    fail("amounts.suffix", "begins or ends with a blank; they are left out");
  if (negative !== null) {
    const { written } = negative;
    if (new Set(written).size < written.length) fail("amounts.negative.written", "names one way twice");
    if (written.includes("leading-minus") && /[-+]/.test(prefix))
      fail("amounts.negative.written", "has leading-minus, and prefix holds a sign");
    if (written.includes("trailing-minus") && /[-+]/.test(suffix))
      fail("amounts.negative.written", "has trailing-minus, and suffix holds a sign");
    if (written.includes("parentheses") && /[()]/.test(prefix + suffix))
      fail("amounts.negative.written", "has parentheses, and prefix or suffix holds one");
    if (columns.direction !== null) fail("amounts.negative", "goes not together with columns.direction");
    if (columns.paidAmount !== null) fail("amounts.negative", "goes not together with columns.paidAmount");
  }
  if (amounts.charge === null) return;
  if (columns.charge !== null) fail("amounts.charge", "goes not together with columns.charge");
  const rates = [amounts.charge, ...Object.values(amounts.charge.products)];
  if (rates.every(({ fixed, percent }) => fixed === 0 && /^[0.]+$/.test(percent)))
    fail("amounts.charge", "charges nothing: give fixed or percent");
}

function nameOfLines(profile: SettlementProfile, fail: NameFault): void {
  const { columns, opening, trailer, title, header, format, leaveOut, amounts } = profile;
  if (format.kind === "fixed" && header === "columns") fail("header", "a file of fixed widths names no columns");
  if (opening !== null && opening.startsWith === trailer?.startsWith)
    fail("trailer.startsWith", "is the same as that of opening");
  if (title !== null && "untilHeader" in title) {
    if (opening !== null) fail("title.untilHeader", "goes not together with opening");
    const isNamed = placesOf({ columns, opening: null, trailer: null }).some(([, at]) => typeof at === "string");
    if (header !== "columns" || !isNamed) fail("title.untilHeader", "needs header columns, and a column by its name");
  }
  if (profile.footerLines > 0 && trailer === null) fail("footerLines", "needs a trailer before them");
  if (new Set(leaveOut).size < leaveOut.length) fail("leaveOut", "names one text twice");
  for (const [name, record] of [["opening", opening] as const, ["trailer", trailer] as const]) {
    if (record === null) continue;
    const hidden = leaveOut.find((text) => record.startsWith.startsWith(text));
    if (hidden !== undefined) fail("leaveOut", `leaves out the ${name}, which begins with ${record.startsWith}`);
    if (record.countsAlso.length > 0 && record.count === null) fail(`${name}.countsAlso`, "needs count");
    if (new Set(record.countsAlso).size < record.countsAlso.length) fail(`${name}.countsAlso`, "names one thing twice");
    const has = {
      title: title !== null,
      opening: opening !== null,
      header: header === "columns",
      trailer: trailer !== null,
    };
    const missing = record.countsAlso.find((each) => each !== "left-out" && !has[each]);
    if (missing !== undefined) fail(`${name}.countsAlso`, `counts the ${missing}, which the file has not`);
    if (record.countsAlso.includes("left-out") && leaveOut.length === 0)
      fail(`${name}.countsAlso`, "counts what is left out, and leaveOut is empty");
    if (record.charge !== null && columns.charge === null) fail(`${name}.charge`, "needs the column charge");
    const isTwoSided = amounts.negative !== null || columns.direction !== null || columns.paidAmount !== null;
    for (const value of ["paidAmount", "reversedAmount"] as const) {
      if (record[value] !== null && !isTwoSided)
        fail(`${name}.${value}`, "needs amounts.negative, columns.direction, or columns.paidAmount");
    }
  }
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
