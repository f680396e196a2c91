import { billKeyOf, outstandingOf } from "../../domain";
import { compileProduct, loadCatalog, postPayments, PRODUCTS } from "../../flows";
import { deadlineIn, Fault, randomIds, systemClock } from "../../platform";
import {
  findItemConflicts,
  importBills,
  insertPartner,
  readBills,
  readProducts,
  recordOperatorAction,
} from "../../store";
import { decodeRequest } from "../../wire";
import { operatorName } from "../operator-name";
import { saveShippedProducts } from "../shipped-product";
import { buildMessage } from "../switch-client";
import type { DatabaseContext } from "../with-database";
import { DEMO_PAID, DEMO_PARTNER, demoBills } from "./data";

const SEED_TIMEOUT_MS = 30_000;

/**
 * Puts the demo's partner, products and bills into the database. May be repeated: what is there is left alone. Bills that
 * the demo shows as paid are paid by real payments, so that the books agree with the bills.
 *
 * @returns one line saying what was done
 */
export async function seedDemo({ transact, db, secrets }: DatabaseContext): Promise<string> {
  const bills = demoBills();
  const summary = await transact(async (tx) => {
    const stored = new Set((await readProducts(tx)).map(({ productCode }) => productCode));
    for (const { productCode, name, definition } of PRODUCTS) {
      if (!stored.has(productCode)) compileProduct(productCode, name, definition);
    }
    await saveShippedProducts(
      tx,
      PRODUCTS.map(({ productCode }) => productCode),
    );
    const isNew = (await insertPartner(tx, { ...DEMO_PARTNER, dialect: {} }, secrets)) !== null;
    const conflicts = await findItemConflicts(tx, bills);
    if (conflicts.length > 0) {
      throw new Fault("seed_conflict", `demo bills are already there with other amounts: ${conflicts[0]?.billKey}`);
    }
    const imported = await importBills(tx, bills);
    if (isNew || imported.billsCreated + imported.billsChanged + imported.itemsCreated > 0) {
      const detail = `${isNew ? "the demo's partner, " : ""}${imported.billsCreated} bills`;
      const object = `partner:${DEMO_PARTNER.userName}`;
      await recordOperatorAction(tx, { actor: operatorName(), action: "demo.seed", object, detail });
    }
    return imported;
  });
  const { catalog, toPay } = await transact(async (tx) => ({
    catalog: await loadCatalog(tx, secrets),
    toPay: await readBills(
      tx,
      DEMO_PAID.map(({ billNumber }) => billKeyOf("001001", billNumber)),
    ),
  }));

  const partner = catalog.partners.get(DEMO_PARTNER.userName);
  const product = catalog.products.get("001001");
  if (partner === undefined || product === undefined) throw new Fault("seed", "the demo's partner is not active");
  const deadline = deadlineIn(systemClock, SEED_TIMEOUT_MS);
  const items = DEMO_PAID.flatMap(({ billNumber, traxId }) => {
    const bill = toPay.get(billKeyOf("001001", billNumber));
    if (bill === undefined || bill.paidAmount > 0n) return [];
    const message = buildMessage(
      {
        ...DEMO_PARTNER,
        productCode: "001001",
        transactionType: "50",
        billNumber,
        amount: String(outstandingOf(bill)),
        feeAmount: String(bill.feeAmount),
        bit61: billNumber,
        traxId,
      },
      systemClock.nowMicros(),
    );
    const decoded = decodeRequest(message);
    if (!decoded.ok || decoded.message.amount === null || decoded.message.feeAmount === null) {
      throw new Fault("seed", "a demo payment is malformed");
    }
    const { amount, feeAmount } = decoded.message;
    return [
      {
        partner,
        product,
        message: { ...decoded.message, amount, feeAmount },
        receivedAtMs: systemClock.nowMs(),
        deadline,
        isFresh: true,
      },
    ];
  });
  if (items.length > 0) {
    await postPayments({ db, clock: systemClock, ids: randomIds, reach: () => {} }, items, deadline);
  }
  return summary.billsCreated + items.length === 0
    ? "demo data: already there"
    : `demo data: ${summary.billsCreated} bills, ${items.length} of them paid, partner ${DEMO_PARTNER.userName}`;
}
