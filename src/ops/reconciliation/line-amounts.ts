import { amountBeforeCharge, type SettlementProfile } from "../../domain";
import { amountReader } from "../../wire";
import { type Column, type ColumnOf, meaningIn, read, refuse } from "./line-columns";

/** Amounts of a line as its file has them, for control totals; below zero where they take something back. */
export interface ToldAmounts {
  readonly amount: bigint;
  readonly fee: bigint;
  readonly charge: bigint;
  /** Whether the line takes a payment back, by sign, column or direction; not by its status. */
  readonly isTakenBack: boolean;
}

/** Amounts of a line. Whole rupiah, none below zero. */
export interface LineAmounts {
  /** As the books have it: without the fee, and before the switch's own charge. */
  readonly amount: bigint;
  readonly feeAmount: bigint | null;
  /** What was added to a net amount. */
  readonly charge: bigint;
  readonly told: ToldAmounts;
}

type Amounts = (line: string, values: readonly string[], productCode: string | null) => LineAmounts;
type Signed = (line: string, values: readonly string[]) => { readonly value: bigint; readonly isTakenBack: boolean };

/** A reader of the amounts of a line. It throws BadColumn for what cannot be read. */
export function lineAmounts({ columns, amounts }: SettlementProfile, columnOf: ColumnOf): Amounts {
  const readAmount = amountReader(amounts);
  const signed = signedAmount({ columns, amounts }, columnOf, readAmount);
  const fee = columnOf("feeAmount", columns.feeAmount);
  const chargeColumn = columnOf("charge", columns.charge);
  const { includeFee, charge: rates } = amounts;
  const products = new Map(Object.entries(rates?.products ?? {}));
  return (line, values, productCode) => {
    const { value, isTakenBack } = signed(line, values);
    const net = absolute(value);
    const feeText = fee === null ? "" : fee.cut(line, values).trim();
    const toldFee = fee === null || feeText === "" ? null : read(fee, feeText, readAmount);
    const charged = chargeColumn === null ? 0n : chargeIn(chargeColumn, line, values, readAmount);
    if (fee !== null && toldFee !== null && toldFee < 0n && value >= 0n)
      refuse(fee, "is negative, and amount is not", feeText);
    if (chargeColumn !== null && charged < 0n !== value < 0n && charged !== 0n)
      refuse(chargeColumn, "has another sign than amount", chargeColumn.cut(line, values));
    let charge = absolute(charged);
    if (rates !== null) {
      const rate = products.get(productCode ?? "") ?? rates;
      charge = amountBeforeCharge(net, rate, rates.rounding) - net;
    }
    const feeAmount = toldFee === null ? null : absolute(toldFee);
    const gross = net + charge;
    if (includeFee && fee !== null) {
      if (feeAmount === null || toldFee === null) return refuse(fee, "is empty, and amount holds it");
      if (feeAmount > gross) refuse(fee, "is more than amount", feeText);
      if (feeAmount > 0n && toldFee < 0n !== value < 0n)
        refuse(fee, "has another sign than amount, which holds it", feeText);
    }
    // Where a sign says what is taken back, sums are of what is written; where a column says it, it makes the sign.
    const isTurned = isTakenBack && amounts.negative === null;
    const written = toldFee ?? 0n;
    return {
      amount: includeFee ? gross - (feeAmount ?? 0n) : gross,
      feeAmount,
      charge,
      told: isTurned
        ? { amount: -value, fee: -written, charge: -charged, isTakenBack }
        : { amount: value, fee: written, charge: charged, isTakenBack },
    };
  };
}

function chargeIn(
  column: Column,
  line: string,
  values: readonly string[],
  readAmount: ReturnType<typeof amountReader>,
): bigint {
  const text = column.cut(line, values).trim();
  return text === "" ? 0n : read(column, text, readAmount);
}

function signedAmount(
  { columns, amounts }: Pick<SettlementProfile, "columns" | "amounts">,
  columnOf: ColumnOf,
  readAmount: ReturnType<typeof amountReader>,
): Signed {
  const amount = columnOf("amount", columns.amount);
  const direction = columnOf("direction", columns.direction?.at);
  if (amount === null) {
    const [paid, reversed] = [
      columnOf("paidAmount", columns.paidAmount),
      columnOf("reversedAmount", columns.reversedAmount),
    ];
    return twoColumns(paid as Column, reversed as Column, readAmount);
  }
  if (direction !== null && columns.direction !== null) {
    const { paid, reversed } = columns.direction;
    const directionOf = meaningIn(direction, { paid, reversed });
    return (line, values) => ({
      value: read(amount, amount.cut(line, values), readAmount),
      isTakenBack: directionOf(line, values) === "reversed",
    });
  }
  const isOtherSide = amounts.negative?.means === "paid";
  return (line, values) => {
    const value = read(amount, amount.cut(line, values), readAmount);
    return { value, isTakenBack: isOtherSide ? value > 0n : value < 0n };
  };
}

/** Credit and debit in columns of their own: one of them is empty or zero. */
function twoColumns(paid: Column, reversed: Column, readAmount: ReturnType<typeof amountReader>): Signed {
  return (line, values) => {
    const [paidText, reversedText] = [paid.cut(line, values).trim(), reversed.cut(line, values).trim()];
    if (paidText === "" && reversedText === "") refuse(paid, "is empty, and so is reversedAmount");
    const came = paidText === "" ? 0n : read(paid, paidText, readAmount);
    const went = reversedText === "" ? 0n : read(reversed, reversedText, readAmount);
    if (came > 0n && went > 0n) refuse(reversed, "has an amount, and so has paidAmount", reversedText);
    return went > 0n ? { value: went, isTakenBack: true } : { value: came, isTakenBack: false };
  };
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
