import { down, up } from "../../migrations/019-manual-postings";
import { openHandDesk, type PaymentItem, postPayments } from "../../src/flows";
import { manualRow } from "../../src/flows/manual-row";
import { postReversal } from "../../src/flows/post-reversal";
import { buildProof, restoreLostAttempts, trackDivergences } from "../../src/ledger";
import { AUDIT_LISTINGS, type AuditReader, type Listing, openReader, readDossier, readPage } from "../../src/ops";
import { maskMessage } from "../../src/ops/audit/personal";
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
    const keys = page.rows.map((row) => JSON.stringify([row["entryId"], row["lineNo"]]));
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

  it("keeps what a late message is answered by when names are masked", () => {
    const row = JSON.parse(manualRow(90_000n)) as Record<string, unknown>;
    expect(maskMessage(null, row)).toEqual(row);
  });

  it("leaves no attempt to be written again but that of the message, and no divergence once it is taken back", async () => {
    const span = [Date.now() - 60_000, Date.now() + 60_000] as const;
    expect(await transact(db, (tx) => restoreLostAttempts(tx, ...span))).toBe(1);
    const { opened } = await transact(db, (tx) => trackDivergences(tx, ...span));
    expect(opened).toEqual([]);
  });
});

describe("rows from before manual postings had keys of their own", () => {
  const BY_HAND = '{"terminal":"BYHAND  ","bit61":""}';
  let database: TestDatabase;
  let db: Db;
  let owner: Db;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = testDb(database.appUrl, 2);
    owner = testDb(database.ownerUrl, 1);
  });
  afterAll(async () => {
    await db.close();
    await owner.close();
    await database.drop();
  });

  it("stay as they are and are what a repeat gets, also those that operators had brought about", async () => {
    const billNumbers = await fillWithBills(database, 3);
    const catalog = await catalogOf(db);
    const [accepted, byHand, declined] = billNumbers.map((billNumber, at) =>
      paymentItem(catalog, paymentMessage(at === 2 ? { billNumber, amount: "1" } : { billNumber })),
    ) as [PaymentItem, PaymentItem, PaymentItem];
    const reversal = { ...accepted, message: { ...accepted.message, transactionType: "51" } };
    const soon = () => deadlineIn(systemClock, 8_000);
    const pay = () => postPayments(testPosting(db), [accepted, byHand, declined], soon());
    const bodies = (await pay()).map(({ body }) => body);
    const reversed = await postReversal(testPosting(db), reversal, soon());
    await owner.knex.raw(
      `alter table trax disable trigger trax_append_only;
       update trax set reply_body = '${BY_HAND}', channel = '0000' where trax_id = '${byHand.message.traxId}';
       alter table trax enable trigger trax_append_only;`,
    );
    await down(owner.knex);
    await up(owner.knex);
    expect((await pay()).map(({ outcome, isReplay, body }) => [outcome, isReplay, body])).toEqual([
      ["REVERSED", false, expect.any(String)],
      ["APPROVED", true, BY_HAND],
      ["BAD_AMOUNT", true, bodies[2]],
    ]);
    const again = await postReversal(testPosting(db), reversal, soon());
    expect(again).toMatchObject({ isReplay: true, body: reversed.body });
  });
});
