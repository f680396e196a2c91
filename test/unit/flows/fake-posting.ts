import { type Bill, dialectSchema, DEFAULT_RESULT_CODES } from "../../../src/domain";
import { compileProduct, type PaymentItem, PRODUCTS } from "../../../src/flows";
import { type Db, deadlineIn, type Statement, systemClock, type Tx } from "../../../src/platform";

/** A row as the driver gives it. */
type Row = Record<string, unknown>;

/** What goes wrong with one transaction, counted from the first. */
export interface Mishap {
  /** Thrown instead of beginning. */
  readonly atBegin?: Error;
  /** What somebody else does between our reading and our writing. */
  readonly beforeAppend?: () => void;
  /** Runs after the work and before the commit: what somebody else did meanwhile, or a throw. */
  readonly beforeCommit?: () => void | Promise<void>;
  /** Thrown after the commit took effect. */
  readonly afterCommit?: Error;
}

/** The three tables that a posting reads and writes, in memory: one transaction after the other, all of it or nothing. */
export function fakeBooks(bills: readonly Bill[]) {
  const state = { bills: new Map(bills.map((bill) => [bill.billKey, bill])), trax: new Map<string, Row>(), entries: 0 };
  const mishaps: Mishap[] = [];
  /** The traxIds of every append that was tried, in order. */
  const appends: string[][] = [];
  let transactions = 0;

  const statements: Record<string, (staged: typeof state, values: readonly unknown[]) => Row[]> = {
    ledger_read_trax: (staged, [partnerIds, traxIds]) =>
      (traxIds as string[]).flatMap((traxId, index) => {
        const row = staged.trax.get(`${(partnerIds as number[])[index]}:${traxId}`);
        return row === undefined ? [] : [{ ...row, ordinal: index + 1 }];
      }),
    store_read_bills: (staged, [keys]) => (keys as string[]).flatMap((key) => rowOf(staged.bills.get(key))),
    store_read_quotes: () => [],
    store_open_exceptions: () => [],
    store_claim_bills: (staged, [keys, expected, versions, paid]) =>
      (keys as string[]).flatMap((key, index) => {
        const bill = staged.bills.get(key);
        if (bill === undefined || bill.version !== (expected as number[])[index]) return [];
        const claimed = { version: (versions as number[])[index] ?? 0, paidAmount: (paid as bigint[])[index] ?? 0n };
        staged.bills.set(key, { ...bill, ...claimed });
        return [{ bill_key: key }];
      }),
    // The unique key also sees what others committed since this transaction read it.
    ledger_append: (staged, values) => {
      mishaps[transactions - 1]?.beforeAppend?.();
      return append(staged, state.trax, values, appends);
    },
  };

  const db = {
    async withTransaction<T>(_deadline: unknown, work: (tx: Tx) => Promise<T>): Promise<T> {
      const mishap = mishaps[transactions] ?? {};
      transactions += 1;
      if (mishap.atBegin !== undefined) throw mishap.atBegin;
      const staged = { bills: new Map(state.bills), trax: new Map(state.trax), entries: state.entries };
      const run = async (statement: Statement, values: readonly unknown[]): Promise<Row[]> => {
        const answer = statements[statement.name];
        if (answer === undefined) throw new Error(`the books know no statement ${statement.name}`);
        return answer(staged, values);
      };
      const value = await work({ run } as Tx);
      await mishap.beforeCommit?.();
      Object.assign(state, staged);
      if (mishap.afterCommit !== undefined) throw mishap.afterCommit;
      return value;
    },
  } as unknown as Db;
  return { db, state, mishaps, appends, transactions: () => transactions };
}

/** A traxId that no append survives, as a value that PostgreSQL refuses. */
export const POISON = "POISON";

function append(
  staged: { trax: Map<string, Row>; entries: number },
  committed: ReadonlyMap<string, Row>,
  values: readonly unknown[],
  appends: string[][],
): Row[] {
  const column = (index: number): unknown[] => values[index] as unknown[];
  const traxIds = column(2) as string[];
  appends.push(traxIds);
  if (traxIds.includes(POISON)) throw Object.assign(new Error("poisoned"), { code: "22021", severity: "ERROR" });
  let registered = 0;
  for (const [index, traxId] of traxIds.entries()) {
    const key = `${String(column(0)[index])}:${traxId}`;
    if (staged.trax.has(key) || committed.has(key)) continue;
    const names = { product_code: 4, bill_number: 5, amount: 7, fee_amount: 8, outcome: 10, result_code: 11 };
    const more = { sys_code: 12, reply_body: 13 };
    const row = Object.entries({ ...names, ...more }).map(([name, at]) => [name, column(at)[index]]);
    staged.trax.set(key, Object.fromEntries(row) as Row);
    if (column(16)[index] !== null) staged.entries += 1;
    registered += 1;
  }
  return [{ registered }];
}

function rowOf(bill: Bill | undefined): Row[] {
  if (bill === undefined) return [];
  const { billKey, productCode, billNumber, version, isCancelled, totalAmount, paidAmount, feeAmount } = bill;
  const items = bill.items.map(({ itemNo, reference, amount }) => [itemNo, reference, amount.toString()]);
  return [
    {
      ...{ bill_key: billKey, product_code: productCode, bill_number: billNumber, version, is_cancelled: isCancelled },
      ...{ total_amount: totalAmount, paid_amount: paidAmount, fee_amount: feeAmount },
      ...{ customer_name: bill.customerName, details: bill.details, due_at_ms: bill.dueAtMs, items },
    },
  ];
}

const DIALECT = dialectSchema.parse({});
const PARTNER = {
  ...{ partnerId: 1, userName: "bmandiri", name: "test", productCodes: ["001001"], passwords: [] },
  ...{ dialect: DIALECT, codes: DEFAULT_RESULT_CODES, mayComeFrom: () => true },
};
const [SHIPPED] = PRODUCTS;
if (SHIPPED === undefined) throw new Error("no product ships");
const PRODUCT = compileProduct(SHIPPED.productCode, SHIPPED.name, SHIPPED.definition);

/** Number of the n-th bill that `telkom` makes. */
export const numberOf = (n: number): string => `00210084${String(n).padStart(5, "0")}`;

/** An open bill of one item of 10000 and a fee of 5000. */
export function telkom(n: number): Bill {
  return {
    ...{ billKey: `001001:${numberOf(n)}`, productCode: "001001", billNumber: numberOf(n), version: 1 },
    ...{ isCancelled: false, totalAmount: 10_000n, paidAmount: 0n, feeAmount: 5_000n, customerName: "BUDI" },
    ...{ details: { kodeDivre: "02", kodeDatel: "0001" }, dueAtMs: null },
    items: [{ itemNo: 1, reference: "304A", amount: 10_000n }],
  };
}

/** A payment of the n-th bill that has passed the door. */
export function paying(n: number, traxId: string, changes: { amount?: bigint; leftMs?: number } = {}): PaymentItem {
  const { amount = 10_000n, leftMs = 5_000 } = changes;
  return {
    partner: PARTNER,
    product: PRODUCT,
    receivedAtMs: Date.now(),
    deadline: deadlineIn(systemClock, leftMs),
    isFresh: true,
    message: {
      ...{ userName: "bmandiri", signature: "", productCode: "001001", channel: "6017", terminal: "T0800004" },
      ...{ terminalName: "", terminalLocation: "", transactionType: "50", billNumber: numberOf(n), traxId },
      ...{ timeStamp: "20-03-2023 10: 40: 40", bit61: numberOf(n), addInfo1: "", addInfo2: "", addInfo3: "" },
      ...{ amountText: String(amount), feeAmountText: "5000", amount, feeAmount: 5_000n },
      ...{ terminalField: "terminal", unknownFields: [] },
    },
  };
}
