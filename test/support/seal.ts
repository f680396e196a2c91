import { randomBytes } from "node:crypto";
import { postPayments } from "../../src/flows";
import { addSealKey, openSealer, type Sealer, type SealerOptions } from "../../src/ledger";
import { createSecretBox, type Db, deadlineIn, systemClock } from "../../src/platform";
import {
  catalogOf,
  fill,
  paymentItem,
  paymentMessage,
  telkomBill,
  TEST_KEYS,
  testDb,
  testPosting,
  transact,
} from "./builders";
import type { TestDatabase } from "./services";

export const SECRETS = createSecretBox(TEST_KEYS);

/** Makes the next signing key, as the owner would. */
export async function newSealKey(database: TestDatabase): Promise<string> {
  const owner = testDb(database.ownerUrl, 1);
  try {
    const made = await transact(owner, (tx) => addSealKey(tx, SECRETS, randomBytes(32), new Date().toISOString()));
    return made.keyId;
  } finally {
    await owner.close();
  }
}

/** A sealer that works when it is told to, with the service's own rights. */
export function testSealer(db: Db, options: Partial<SealerOptions> = {}): Sealer {
  return openSealer({
    ...{ db, clock: systemClock, secrets: SECRETS, intervalMs: null, checkpointIntervalMs: 0, targets: [] },
    onFault: (fault) => {
      throw fault;
    },
    ...options,
  });
}

/** Products, partner, and so many bills that can be paid. */
export async function fillWithBills(database: TestDatabase, count: number): Promise<string[]> {
  const billNumbers = Array.from({ length: count }, (_, index) => `0021${String(100_000_000 + index)}`);
  await fill(
    database,
    billNumbers.map((billNumber) => telkomBill({ billNumber })),
  );
  return billNumbers;
}

/** Pays these bills in one group. @returns the traxIds */
export async function payBills(db: Db, billNumbers: readonly string[]): Promise<string[]> {
  const catalog = await catalogOf(db);
  const items = billNumbers.map((billNumber) => paymentItem(catalog, paymentMessage({ billNumber })));
  const answers = await postPayments(testPosting(db), items, deadlineIn(systemClock, 15_000));
  const wrong = answers.filter(({ outcome }) => outcome !== "APPROVED");
  if (wrong.length > 0) throw new Error(`${wrong.length} payments were not approved: ${wrong[0]?.outcome}`);
  return items.map(({ message }) => message.traxId);
}
