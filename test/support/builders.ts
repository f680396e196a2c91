import { createHash, randomInt } from "node:crypto";
import { createSecretBox, openDb, type Db, deadlineIn, randomIds, systemClock, type Tx } from "../../src/platform";
import { type Catalog, loadCatalog, type PaymentItem, PRODUCTS } from "../../src/flows";
import { importBills, type ImportedBill, insertPartner, saveProduct } from "../../src/store";
import type { TestDatabase } from "./services";

/** Signs as PROTOCOL.md says, written out here so that the product's own code is not its own judge. */
export function sign(message: Readonly<Record<string, string>>, password: string): string {
  const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
  const { userName, productCode, channel, terminal, transactionType, billNumber, traxId, timeStamp } = message;
  return hex(
    `${userName}${productCode}${channel}${terminal}${transactionType}${billNumber}${traxId}${hex(`${timeStamp}${password}`)}`,
  );
}

export const PARTNER = { userName: "bmandiri", password: "demo-password" } as const;
export const TEST_KEYS = [["test", Buffer.alloc(32, 7)]] as const;

type Message = Record<string, string>;

let traxCounter = randomInt(1, 1_000_000_000);

/** A traxId that no other test uses. */
export function newTraxId(): string {
  traxCounter += 1;
  return `T${process.pid}${traxCounter}`;
}

/** A signed payment of the whole bill of `telkomBill()`; what a test cares about is handed in. */
export function paymentMessage(changes: Message = {}, password: string = PARTNER.password): Message {
  const message: Message = {
    userName: PARTNER.userName,
    productCode: "001001",
    channel: "6017",
    terminal: "T0800004",
    terminalName: "T0800004        ",
    terminalLocation: "T0800004        ",
    transactionType: "50",
    billNumber: "0021008457003",
    amount: "000000030000",
    feeAmount: "5000",
    bit61: "0021008457003",
    traxId: newTraxId(),
    timeStamp: "20-03-2023 10: 40: 40",
    addInfo1: "",
    addInfo2: "",
    addInfo3: "",
    ...changes,
  };
  return { ...message, signature: changes["signature"] ?? sign(message, password) };
}

/** A signed inquiry. */
export function inquiryMessage(changes: Message = {}): Message {
  return paymentMessage({ transactionType: "38", amount: "0", feeAmount: "0", ...changes });
}

/** A Telkom bill with three items of 10000, fee 5000, as an import brings it. */
export function telkomBill(changes: Partial<ImportedBill> = {}): ImportedBill {
  const billNumber = changes.billNumber ?? "0021008457003";
  return {
    billKey: `001001:${billNumber}`,
    productCode: "001001",
    billNumber,
    feeAmount: 5_000n,
    customerName: "BUDI SANTOSO",
    details: { kodeDivre: "02", kodeDatel: "0001", npwp: "8825220158" },
    dueAtMs: null,
    items: ["304A", "305A", "306A"].map((reference) => ({ reference, amount: 10_000n })),
    ...changes,
  };
}

/** A pool for a test database, with the service's own rights unless told otherwise. */
export function testDb(url: string, poolMax = 4, statementTimeoutMs = 5_000): Db {
  return openDb({
    url,
    poolMax,
    applicationName: "test",
    statementTimeoutMs,
    lockTimeoutMs: 3_000,
    connectTimeoutMs: 2_000,
    clock: systemClock,
  });
}

/** Runs work in one transaction with a generous deadline. */
export function transact<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.withTransaction(deadlineIn(systemClock, 15_000), work);
}

/** Both shipped products, the demo partner, and these bills. */
export async function fill(
  database: TestDatabase,
  bills: readonly ImportedBill[],
  dialect: Record<string, unknown> = {},
): Promise<void> {
  const db = testDb(database.ownerUrl, 2);
  const secrets = createSecretBox(TEST_KEYS);
  try {
    await transact(db, async (tx) => {
      for (const product of PRODUCTS) await saveProduct(tx, product);
      const productCodes = PRODUCTS.map(({ productCode }) => productCode);
      await insertPartner(tx, { ...PARTNER, name: "test partner", productCodes, dialect }, secrets);
      if (bills.length > 0) await importBills(tx, bills);
    });
  } finally {
    await db.close();
  }
}

/** The catalog as a host would load it. */
export function catalogOf(db: Db): Promise<Catalog> {
  return transact(db, (tx) => loadCatalog(tx, createSecretBox(TEST_KEYS)));
}

/** A payment that has passed the door, for tests of the posting itself. */
export function paymentItem(catalog: Catalog, message: Message, leftMs = 8_000): PaymentItem {
  const partner = catalog.partners.get(message["userName"] ?? "");
  if (partner === undefined) throw new Error("the test's partner is not in the catalog");
  const { amount, feeAmount, ...rest } = message as Record<string, string> & { amount: string; feeAmount: string };
  return {
    partner,
    product: catalog.products.get(message["productCode"] ?? "") ?? null,
    message: {
      ...(rest as unknown as PaymentItem["message"]),
      amountText: amount,
      feeAmountText: feeAmount,
      amount: BigInt(amount),
      feeAmount: BigInt(feeAmount),
    },
    receivedAtMs: Date.now(),
    deadline: deadlineIn(systemClock, leftMs),
    isFresh: true,
  };
}

export const testPosting = (db: Db) => ({ db, clock: systemClock, ids: randomIds, reach: () => {} });
