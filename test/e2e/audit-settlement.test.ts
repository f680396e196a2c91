import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildProof } from "../../src/ledger";
import { runReconciliation } from "../../src/ops";
import type { Db } from "../../src/platform";
import { askAudit, auditToken, type AuditReply } from "../support/audit";
import { newTraxId, PARTNER, paymentMessage, telkomBill, testDb, transact, fill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { newSealKey, testSealer } from "../support/seal";
import { FULL_HEADER, FULL_PROFILE, settlementDesk } from "../support/settlement-files";

const BILLS = Array.from({ length: 6 }, (_, index) => `00210084590${String(index).padStart(2, "0")}`);

describe("settlement, seals and proofs in the audit API", () => {
  const dir = mkdtempSync(join(tmpdir(), "biller-audit-proof-"));
  let database: TestDatabase;
  let host: TestHost;
  let db: Db;
  let token: string;
  let day: string;
  let fileId: number;
  let keyId: string;
  const paid: string[] = [];
  const ask = (path: string, query: Record<string, string> = {}): Promise<AuditReply> =>
    askAudit(host.url, token, path, query);
  const find = async (path: string, query: Record<string, string>): Promise<Record<string, unknown>[]> => {
    const reply = await ask(path, query);
    if (reply.status !== 200) throw new Error(`${path} answered ${reply.status}: ${reply.text}`);
    return reply.data;
  };
  const lineNos = async (query: Record<string, string>): Promise<unknown[]> =>
    (await find("/settlement-lines", { order: "asc", ...query })).map((row) => row["lineNo"]);

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      BILLS.map((billNumber) => telkomBill({ billNumber })),
    );
    db = testDb(database.appUrl);
    host = await startTestHost(database, { settings: { SEAL: "false" } });
    for (const billNumber of BILLS) {
      const payment = paymentMessage({ billNumber });
      await host.send(payment);
      paid.push(String(payment["traxId"]));
    }
    const [row] = await database.query<{ day: string }>(`select business_date::text as day from trax limit 1`);
    day = row?.day ?? "";
    const desk = settlementDesk(database);
    await desk.saveProfile("full", { ...FULL_PROFILE });
    const line = (n: number, changes: { trax?: string; amount?: string; product?: string } = {}): string =>
      [
        ...[changes.trax ?? paid[n], changes.product ?? "001001", BILLS[n], changes.amount ?? "30000", "5000"],
        ...[`${day} 10:00:00`, day, "paid"],
      ].join();
    // The header is line 1; the fifth payment is not spoken of.
    const lines = [line(0), line(1), line(2, { amount: "31000" }), line(3, { product: "" }), "x,y"];
    const stranger = line(5, { trax: "STRANGER", amount: "77" }).replace(String(BILLS[5]), "9999999999999");
    const outcome = await desk.import("day.csv", `${[FULL_HEADER, ...lines, stranger].join("\n")}\n`, { date: day });
    fileId = outcome.file.fileId;
    await runReconciliation({
      ...{ databaseUrl: database.appUrl, profileCode: "full", settlementDate: day, isDryRun: false },
      ...{ redecidesDeclared: false, by: "test (test)" },
    });
    desk.close();
  });
  beforeEach(async () => {
    token = await auditToken(database);
  });
  afterAll(async () => {
    await host.stop();
    await db.close();
    await database.drop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("lists files with their digest, and refuses none of their versions", async () => {
    expect(await find("/settlement-files", {})).toMatchObject([
      {
        ...{ fileId, fileName: "day.csv", version: 1, partner: PARTNER.userName, settlementDate: day, lines: 6 },
        ...{ badLines: 1, supersededBy: null, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      },
    ]);
    expect(await find("/settlement-files", { state: "superseded" })).toEqual([]);
    expect(await find("/settlement-files", { settlementFrom: "2099-01-01" })).toEqual([]);
  });

  it("finds lines by file, traxId, bill, entry, class and amount, and says what they stand for", async () => {
    const all = await find("/settlement-lines", { order: "asc" });
    expect(all.map(({ lineNo, class: found }) => [lineNo, found])).toEqual([
      [2, "matched"],
      [3, "matched"],
      [4, "amount-differs"],
      [5, "matched"],
      [6, "unreadable"],
      [7, "missing-here"],
    ]);
    const [entry] = await find("/journal-entries", { traxId: String(paid[0]) });
    expect(all[0]).toMatchObject({
      ...{ fileId, fileName: "day.csv", traxId: paid[0], amount: "30000", feeAmount: "5000", rule: "traxId" },
      ...{ entryId: entry?.["entryId"], isSuperseded: false, businessDate: day, status: "paid" },
    });
    expect(await lineNos({ file: String(fileId) })).toEqual([2, 3, 4, 5, 6, 7]);
    expect(await lineNos({ file: String(fileId + 1) })).toEqual([]);
    expect(await lineNos({ traxId: String(paid[2]) })).toEqual([4]);
    expect(await lineNos({ traxId: "STRANGER" })).toEqual([7]);
    expect(await lineNos({ bill: `001001:${BILLS[1]}` })).toEqual([3]);
    expect(await lineNos({ bill: `001001:${BILLS[3]}` })).toEqual([5]);
    expect(await lineNos({ bill: `020013:${BILLS[1]}` })).toEqual([]);
    expect(await lineNos({ entryId: String(entry?.["entryId"]) })).toEqual([2]);
    expect(await lineNos({ class: "matched", amountMin: "30000" })).toEqual([2, 3, 5]);
    expect(await lineNos({ settlementFrom: day, settlementTo: day, profile: "full" })).toHaveLength(6);
    const pages: unknown[] = [];
    for (let next: string | null = ""; next !== null;) {
      const cursor: Record<string, string> = next === "" ? {} : { cursor: next };
      const { body, data } = await ask("/settlement-lines", { limit: "2", ...cursor });
      pages.push(...data);
      next = body["next"] as string | null;
    }
    expect(pages.toReversed()).toEqual(all);
  });

  it("finds what did not agree, of both sides", async () => {
    const open = await find("/reconciliation-findings", { state: "open" });
    expect(open.map((row) => row["class"]).toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
      ...["amount-differs", "missing-here", "missing-in-file", "missing-in-file"],
    ]);
    expect(await find("/reconciliation-findings", { class: "amount-differs" })).toMatchObject([
      { fileId, lineNo: 4, traxId: paid[2], difference: "1000", amount: "31000", settlementDate: day },
    ]);
    const missing = await find("/reconciliation-findings", { class: "missing-in-file", file: String(fileId) });
    expect(missing).toEqual([]);
    const ours = await find("/reconciliation-findings", { class: "missing-in-file" });
    expect(new Set(ours.map((row) => row["traxId"]))).toEqual(new Set([paid[4], paid[5]]));
    expect(await find("/reconciliation-findings", { state: "replaced" })).toEqual([]);
    const at = String(ours[0]?.["foundAt"]);
    expect(await find("/reconciliation-findings", { to: at, limit: "500" })).not.toContainEqual(ours[0]);
    expect(await find("/reconciliation-findings", { from: at })).toContainEqual(ours[0]);
  });

  it("finds entries that no payment made by their bill, with their postings", async () => {
    const entryId = "01990000-0000-7000-8000-000000000001";
    await database.query(
      `with e as (insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code,
           bill_number, amount, fee_amount, channel, happened_at)
         values ($1, '001001:77', $2::date, 'correction', 1, 'CORR-1', '001001', '77', 7, 0, '6017', now()))
       insert into posting select $1::uuid, n, '001001:77', $2::date, 'suspense', s, 7
         from (values (1, 'debit'), (2, 'credit')) l(n, s)`,
      [entryId, day],
    );
    for (const query of [{ bill: "001001:77" }, { traxId: "CORR-1" }] as Record<string, string>[]) {
      expect(await find("/journal-entries", query)).toMatchObject([{ entryId, kind: "correction" }]);
      expect(await find("/postings", query)).toHaveLength(2);
    }
  });

  it("says why there is no proof yet", async () => {
    const [early, never] = [await ask(`/payments/${paid[0]}/proof`), await ask(`/payments/${newTraxId()}/proof`)];
    expect([early.status, early.headers.get("retry-after"), early.body["error"]]).toEqual([
      ...[409, "5", "stored but not sealed yet: ask again in a few seconds"],
    ]);
    expect([never.status, never.body["error"]]).toEqual([404, "nothing is stored under this traxId"]);
    const { body } = await ask(`/payments/${paid[0]}/dossier`);
    expect(body).toMatchObject({ proof: `/audit/v1/payments/${paid[0]}/proof`, keys: [{ isSealed: false }] });
    expect((await ask(`/payments/${paid[0]}/proof`, { partner: "nobody" })).status).toBe(404);
    expect((await ask(`/payments/${paid[0]}/proof`, { nonsense: "1" })).status).toBe(400);
    expect((await askAudit(host.url, await auditToken(database, ["payments"]), `/payments/x/proof`)).status).toBe(403);
  });

  it("lists blocks that hang together, with key and checkpoint", async () => {
    keyId = await newSealKey(database);
    const sealer = testSealer(db, { leavesMax: 5 });
    await sealer.drain();
    await sealer.checkpoint();
    const blocks = await find("/blocks", { order: "asc" });
    expect(blocks.map(({ blockNo }) => blockNo)).toEqual(blocks.map((_, index) => index + 1));
    expect(blocks.length).toBeGreaterThan(2);
    for (const [index, block] of blocks.entries()) {
      expect(block).toMatchObject({ keyId, previousHash: blocks[index - 1]?.["blockHash"] ?? "0".repeat(64) });
      const { header, blockHash } = block as { header: string; blockHash: string };
      expect(createHash("sha256").update(header).digest("hex")).toBe(blockHash);
      expect(header).toContain(`root 64 ${String(block["root"])}\n`);
    }
    const last = blocks.at(-1) ?? {};
    const marked = await find("/blocks", { checkpoint: "true" });
    expect(marked).toEqual([last]);
    expect(last["checkpoint"]).toContain(`blockHash 64 ${String(last["blockHash"])}\n`);
    expect(await find("/blocks", { checkpoint: "false" })).toHaveLength(blocks.length - 1);
    expect(await find("/blocks", { block: "1" })).toEqual([blocks[0]]);
    expect(await find("/blocks", { key: keyId })).toHaveLength(blocks.length);
    expect(await find("/blocks", { key: "ed25519-0000000000000000" })).toEqual([]);
    expect(await find("/blocks", { to: String(blocks[0]?.["sealedAt"]) })).toEqual([]);
    expect(await find("/key-changes", { whose: "ledger" })).toMatchObject([{ what: "signing key added", keyId }]);
  });

  it("hands out the proof of the command line, which the stand-alone verifier accepts, masked too", async () => {
    const { body } = await ask(`/payments/${paid[0]}/proof`);
    const ours = await transact(db, (tx) => buildProof(tx, String(paid[0]), null));
    expect(body).toEqual(JSON.parse(JSON.stringify(ours)));
    const plain = await auditToken(database, ["payments", "ledger"]);
    const masked = await askAudit(host.url, plain, `/payments/${paid[0]}/proof`);
    expect(masked.text).not.toMatch(/BUDI|SANTOSO/);
    for (const [name, text] of [["whole", JSON.stringify(body)] as const, ["masked", masked.text] as const]) {
      const file = join(dir, `${name}.json`);
      writeFileSync(file, text);
      const verifier = join(__dirname, "..", "..", "verify", "verify.mjs");
      const { stdout } = await promisify(execFile)(process.execPath, [verifier, file, "--key", keyId]);
      expect(stdout).toMatch(/OK: everything agrees\.\s*$/);
    }
  });
});
