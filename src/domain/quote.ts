/** What an inquiry answered, and until when it is honoured. Amounts in whole rupiah, instants in epoch milliseconds. */
export interface Quote {
  readonly billVersion: number;
  readonly amount: bigint;
  readonly feeAmount: bigint;
  /** The exact bit61 that was sent. */
  readonly bit61: string;
  /** Columns of bit61 before the tail that some clients cut off. */
  readonly bodyWidth: number;
  readonly honouredUntilMs: number;
}

/**
 * The live quote that a payment's bit61 echoes, whole or without its tail; null when there is none. When one text was
 * quoted with several amounts or fees, the one with the payment's own amounts is meant.
 */
export function quoteEchoedBy(
  payment: { readonly bit61: string; readonly amount: bigint; readonly feeAmount: bigint },
  quotes: readonly Quote[],
  nowMs: number,
): Quote | null {
  const echoed = quotes.filter(
    (quote) =>
      nowMs < quote.honouredUntilMs &&
      (payment.bit61 === quote.bit61 || payment.bit61 === quote.bit61.slice(0, quote.bodyWidth)),
  );
  return (
    echoed.find((quote) => quote.amount === payment.amount && quote.feeAmount === payment.feeAmount) ??
    echoed.find((quote) => quote.amount === payment.amount) ??
    echoed[0] ??
    null
  );
}
