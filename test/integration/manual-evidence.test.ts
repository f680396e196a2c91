import { openHandDesk, type PaymentItem, postPayments } from "../../src/flows";
import { buildProof, restoreLostAttempts, trackDivergences } from "../../src/ledger";
import { AUDIT_LISTINGS, type AuditReader, type Listing, openReader, readDossier, readPage } from "../../src/ops";
import { type Db, deadlineIn, randomIds, systemClock } from "../../src/platform";
import { catalogOf, paymentItem, paymentMessage, testDb, testPosting, transact } from "../support/builders";
import { fillWithBills, newSealKey, testSealer } from "../support/seal";
import { createTestDatabase, type TestDatabase } from "../support/services";

describe("a manual payment that the switch's message followed", () => {
  let database: TestDatabase;
  let db: Db;
  let reader: AuditReader;
  let item: PaymentItem;
  const traxId = (): string => item.message.traxId;

  beforeAll(async () => {
    database = await createTestDatabase();
    const [billNumber = ""] = await fillWithBills(database, 1);
    db = testDb(database.appUrl, 4);
    const catalog = await catalogOf(db);
    item = paymentItem(catalog, paymentMessage({ billNumber }));
    const { partner, message } = item;
    const request = { ...message, partnerId: partner.partnerId };
    const desk = openHandDesk({ catalog, clock: systemClock, ids: randomIds });
    await newSealKey(database);
    await transact(db, (tx) => desk.advise(tx, request));
    await postPayments(testPosting(db), [item], deadlineIn(systemClock, 8_000));
    await transact(db, (tx) => desk.reverse(tx, request));
    await testSealer(db).drain();
    reader = openReader({
      ...{ url: database.auditorUrl, poolMax: 1, clock: systemClock },
      onFault: (fault) => {
        throw fault;
      },
    });
  });
  afterAll(async () => {
    await reader.close();
    await db.close();
    await database.drop();
  });

  it.each<[string, Record<string, string>]>([
    ["payments", {}],
    ["payments", { traxId: "" }],
    ["journal-entries", { traxId: "" }],
    ["postings", { traxId: "" }],
  ])("is listed once by the audit listing %s under %p", async (name, asked) => {
    const listing = AUDIT_LISTINGS.find((each) => each.name === name) as Listing;
    const filters = "traxId" in asked ? { traxId: traxId() } : {};
    const question = { filters, limit: 100, order: "asc" as const, cursor: null };
    const page = await reader.ask({ timeoutMs: 20_000 }, (tx) => readPage(tx, systemClock, listing, question, 5_000));
    if ("problem" in page) throw new Error(page.problem);
    const keys = page.rows.map((row) => `${String(row["entryId"])} ${String(row["lineNo"] ?? "")}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toHaveLength(name === "postings" ? 6 : 2);
    if (name !== "payments") return;
    expect(page.rows.map((row) => row["family"])).toEqual(["manual-payment", "manual-reversal"]);
  });

  it("is proven with all that is stored under the traxId", async () => {
    const proof = await transact(db, (tx) => buildProof(tx, traxId(), null));
    const named = JSON.stringify(proof);
    for (const family of ["manual-payment", "manual-reversal", "payment"]) {
      expect(named).toContain(`reply:1:${family}:${traxId()}`);
    }
  });

  it("is shown with each of its keys by the dossier", async () => {
    const options = { withPersonal: false, layoutOf: () => null };
    const dossier = await transact(db, (tx) => readDossier(tx, traxId(), options));
    expect(dossier?.keys.map(({ registry }) => registry["family"])).toEqual([
      "manual-payment",
      "payment",
      "manual-reversal",
    ]);
  });

  it("leaves no attempt to be written again but that of the message, and no divergence once it is taken back", async () => {
    const span = [Date.now() - 60_000, Date.now() + 60_000] as const;
    expect(await transact(db, (tx) => restoreLostAttempts(tx, ...span))).toBe(1);
    const { opened } = await transact(db, (tx) => trackDivergences(tx, ...span));
    expect(opened).toEqual([]);
  });
});
