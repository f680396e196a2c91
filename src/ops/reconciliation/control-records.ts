import type { ControlRecord, Place, SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { amountReader, dateReader, PLAIN_AMOUNTS, splitDelimited, Unreadable } from "../../wire";
import type { ToldAmounts } from "./line-amounts";
import { cutAt, whereOf } from "./line-columns";
import { dayText } from "./line-reader";
import { rawOf } from "./shown-text";

/** What a control record says. */
export interface ControlValues {
  readonly lineNo: number;
  readonly record: ControlRecord;
  readonly count: bigint | null;
  readonly amount: bigint | null;
  readonly fee: bigint | null;
  readonly charge: bigint | null;
  readonly paidAmount: bigint | null;
  readonly reversedAmount: bigint | null;
  readonly date: string | null;
}

/** Lines of a file that are none of payments, as far as control records may count them. */
export type OtherLines = Readonly<Record<ControlRecord["countsAlso"][number], number>>;

/** Sums of one kind of amount: of all, and of those below zero. */
class SignedSum {
  signed = 0n;
  #belowZero = 0n;

  add(value: bigint): void {
    if (value === 0n) return;
    this.signed += value;
    if (value < 0n) this.#belowZero += value;
  }

  get absolute(): bigint {
    return this.signed - 2n * this.#belowZero;
  }
}

/** Sums of a file as its control records have them. Whole rupiah. */
export class ControlSums {
  lines = 0;
  badLines = 0;
  #reversed = 0n;
  readonly #amount = new SignedSum();
  readonly #fee = new SignedSum();
  readonly #charge = new SignedSum();

  add({ isTakenBack, amount, fee, charge }: ToldAmounts): void {
    this.lines += 1;
    this.#amount.add(amount);
    this.#fee.add(fee);
    this.#charge.add(charge);
    if (isTakenBack) this.#reversed += amount < 0n ? -amount : amount;
  }

  /** Lines whose amounts cannot be read, or are not wanted. */
  addBad(): void {
    this.lines += 1;
    this.badLines += 1;
  }

  /** Lines of payments that have been added up already, none of them below zero. */
  addPlain({ lines, amount, fee }: { readonly lines: number; readonly amount: bigint; readonly fee: bigint }): void {
    this.lines += lines;
    this.#amount.add(amount);
    this.#fee.add(fee);
  }

  /** What a record says that is not so, each in one sentence. */
  faultsOf(values: ControlValues, others: OtherLines): string[] {
    const { record, lineNo } = values;
    const sumOf = (sum: SignedSum): bigint => (record.sums === "signed" ? sum.signed : sum.absolute);
    const counted = record.countsAlso.reduce((count, name) => count + others[name], this.lines);
    const also = record.countsAlso.length === 0 ? "" : ` (with ${record.countsAlso.join(", ")})`;
    const bad = this.badLines === 0 ? "" : ` (without ${this.badLines} bad lines)`;
    const all: readonly (readonly [what: string, told: bigint | null, found: bigint, remark: string])[] = [
      ["lines", values.count, BigInt(counted), also],
      ["as the sum of amounts", values.amount, sumOf(this.#amount), bad],
      ["as the sum of fees", values.fee, sumOf(this.#fee), bad],
      ["as the sum of charges", values.charge, sumOf(this.#charge), bad],
      ["as the sum of payments", values.paidAmount, this.#amount.absolute - this.#reversed, bad],
      ["as the sum of what is taken back", values.reversedAmount, this.#reversed, bad],
    ];
    return all.flatMap(([what, told, found, remark]) =>
      told === null || told === found ? [] : [`line ${lineNo} says ${told} ${what}, the file has ${found}${remark}`],
    );
  }
}

/** A reader of control records of a profile. @throws Fault when one cannot be read */
export function controlReader(
  profile: SettlementProfile,
  record: ControlRecord,
): (text: string, name: string, lineNo: number) => ControlValues {
  const readAmount = amountReader(profile.amounts, "sum");
  const readCount = amountReader(PLAIN_AMOUNTS);
  return (text, name, lineNo) => {
    const { format } = profile;
    const split = format.kind === "fixed" ? [] : splitDelimited(text, format.delimiter, format.quoted);
    if (split instanceof Unreadable) throw new Fault("settlement_file", `${name} in line ${lineNo}: ${split.reason}`);
    const value = <T>(at: Place | null, what: string, reader: (cell: string) => T | Unreadable): T | null => {
      if (at === null) return null;
      const cell = cutAt(at, null)(text, split);
      const found = reader(cell);
      if (!(found instanceof Unreadable)) return found;
      const where = `${whereOf(at, null)}: "${rawOf(cell, 60)}"`;
      throw new Fault("settlement_file", `${name} in line ${lineNo}: its ${what} ${found.reason} (${where})`);
    };
    const { date } = record;
    const day = date === null ? null : value(date.at, "date", dateReader(date.form));
    return {
      lineNo,
      record,
      count: value(record.count, "count", readCount),
      amount: value(record.amount, "sum of amounts", readAmount),
      fee: value(record.fee, "sum of fees", readAmount),
      charge: value(record.charge, "sum of charges", readAmount),
      paidAmount: value(record.paidAmount, "sum of payments", readAmount),
      reversedAmount: value(record.reversedAmount, "sum of what is taken back", readAmount),
      date: day === null ? null : dayText(day),
    };
  };
}
