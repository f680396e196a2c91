import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { verifySeals } from "../../src/ledger";
import { startBiller } from "../support/command-line";
import { fill, inquiryMessage, paymentMessage, telkomBill, TEST_KEYS, testDb, transact } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { newSealKey, testSealer } from "../support/seal";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

describe("retention", () => {
  let database: TestDatabase;
  let host: TestHost;
  const payment = paymentMessage();
  const biller = (...args: string[]) =>
    startBiller(args, {
      DATABASE_URL: database.appUrl,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
    }).ended;
  const BILL = "001001:0021008457003";

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill(), telkomBill({ billNumber: "0021008457999" })], {
      reply: { paymentBit61: "full" },
    });
    host = await startTestHost(database);
    const shown = await host.send(inquiryMessage());
    await host.send(paymentMessage({ ...payment, bit61: String(shown.fields["bit61"]) }));
    await host.stop();
  });
  afterAll(() => database.drop());

  const personalData = async (): Promise<string> =>
    JSON.stringify(
      await database.query(
        `select (select json_agg(b) from bill b where bill_key = $1) as bill, (select json_agg(q) from quote q where bill_key = $1) as quotes,
                (select json_agg(t) from trax t where bill_key = $1) as trax`,
        [BILL],
      ),
    );

  it("lets nobody change a stored answer without a row that says so", async () => {
    for (const change of [`reply_body = 'x'`, `amount = 1`, `outcome = 'DECLINED'`]) {
      await expect(onServer(database.superuserUrl, `update trax set ${change}`)).rejects.toThrow(/append-only: UPDATE/);
    }
    // A row about other bytes, and one of an earlier transaction, open nothing.
    const remember = (after: string): string =>
      `insert into forgotten_reply select gen_random_uuid(), partner_id, trax_id, family,
         sha256(convert_to(reply_body, 'UTF8')), sha256(convert_to('${after}', 'UTF8')) from trax`;
    await expect(
      onServer(database.superuserUrl, `begin; ${remember("y")}; update trax set reply_body = 'x'; commit`),
    ).rejects.toThrow(/append-only/);
    await onServer(database.superuserUrl, remember("x"));
    await expect(onServer(database.superuserUrl, `update trax set reply_body = 'x'`)).rejects.toThrow(/append-only/);
    await expect(onServer(database.appUrl, remember("x"))).rejects.toThrow(/permission denied/);
    await expect(
      onServer(database.superuserUrl, `begin; ${remember("x")}; update trax set reply_body = 'x', amount = 1; commit`),
    ).rejects.toThrow(/append-only/);
  });

  it("shows what it would do, insists on the number and on a reason, and leaves open bills alone", async () => {
    const before = await personalData();
    expect(before).toContain("BUDI SANTOSO");
    await database.query(
      `update quote set quoted_at = now() - interval '2 days', honoured_until = now() - interval '1 day'`,
    );
    const shown = await biller("retention", "forget", "--customer", "BUDI SANTOSO");
    expect(shown.out).toMatch(
      /0021008457003 +1\n[\s\S]*0021008457999 +0 +it is neither paid nor cancelled[\s\S]*1 to be masked/,
    );
    expect((await biller("retention", "forget")).code).toBe(78);
    expect((await biller("retention", "forget", "--bill", BILL, "--confirm", "1")).code).toBe(78);
    const wrong = await biller("retention", "forget", "--bill", BILL, "--confirm", "2", "--because", "request 17");
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("it would be 1 bills, not 2")]);
    expect((await biller("retention", "forget", "--older-than", "x")).code).toBe(64);
    expect(await personalData()).toContain("BUDI SANTOSO");
    const nobody = await biller("retention", "forget", "--customer", "' or 1=1 --");
    expect(nobody.out).toContain("0 to be masked");
  });

  it("masks names everywhere, keeps amounts and seals, and says who asked for it", async () => {
    await newSealKey(database);
    const app = testDb(database.appUrl, 2);
    const sealer = testSealer(app);
    try {
      await sealer.drain();
      const done = await biller("retention", "forget", "--bill", BILL, "--confirm", "1", "--because", "request 17");
      expect([done.code, done.out]).toEqual([0, expect.stringContaining("1 of 1 bills masked")]);
      const after = await personalData();
      expect(after).not.toMatch(/BUDI|SANTOSO|8825220158/);
      expect(after).toContain("304A");
      const [action] = await database.query(
        `select action, object, detail from operator_action where action = 'personal-data.mask'`,
      );
      expect(action).toEqual({ action: "personal-data.mask", object: `bill:${BILL}`, detail: "request 17" });
      await sealer.drain();
      const verdict = await transact(app, (tx) => verifySeals(tx));
      expect(verdict).toMatchObject({ findings: [], masked: 1 });
      const dossier = await biller("ledger", "dossier", String(payment["traxId"]));
      expect(dossier.out).toMatch(/sealed: reply:1:payment:\S+ in block 1/);
      const again = await biller("retention", "forget", "--bill", BILL);
      expect(again.out).toContain("0 to be masked");
    } finally {
      await sealer.close();
      await app.close();
    }
  });

  it("archives a month, finds every damage, and restores what was archived, line for line", async () => {
    const dir = mkdtempSync(join(tmpdir(), "biller-archive-"));
    try {
      await database.query(`select ensure_month_partitions(1, '2025-03-01')`);
      await database.query(
        `insert into attempt (attempt_id, received_at, partner_id, outcome, result_code, http_status, is_replay, is_delivered,
                              duration_ms, request, note)
         select gen_random_uuid(), '2025-03-02'::timestamptz + n * interval '1 microsecond', 1, 'BAD_AUTH', '05', 200, false, true, 1,
                '{"b": 1, "a": "é\\n"}', E'two\nlines' from generate_series(1, 4500) n`,
      );
      const archived = await biller("retention", "archive", "--table", "attempt", "--month", "2025-03", "--to", dir);
      expect([archived.code, archived.out]).toEqual([
        0,
        expect.stringMatching(/^4500 rows of attempt, 2025-03, SHA-256 /),
      ]);
      const manifest = join(dir, "attempt-2025-03.manifest.json");
      const restored = await biller("retention", "restore", manifest, "--schema", "archive_2025_03");
      expect([restored.code, restored.err]).toEqual([0, ""]);
      const differing = await database.query(
        `(select * from attempt_y2025m03 except select * from archive_2025_03.attempt)
         union all (select * from archive_2025_03.attempt except select * from attempt_y2025m03)`,
      );
      expect(differing).toEqual([]);
      expect((await biller("retention", "restore", manifest, "--schema", "archive_2025_03")).code).toBe(1);
      for (const schema of ["public", "pg_catalog", "a;drop", "A"]) {
        expect((await biller("retention", "restore", manifest, "--schema", schema)).code).toBe(1);
      }
      for (const args of [
        ["attempt", "2025-13"],
        ["attempt", "2019-01"],
        ["attempt", "2099-01"],
        ["trax", "2025-03"],
      ]) {
        const [table = "", month = ""] = args;
        expect((await biller("retention", "archive", "--table", table, "--month", month, "--to", dir)).code).not.toBe(
          0,
        );
      }
      const data = join(dir, "attempt-2025-03.ndjson.gz");
      const bytes = readFileSync(data);
      for (const damaged of [bytes.subarray(0, bytes.length - 50), gzipSync("{}\n"), Buffer.from("x")]) {
        writeFileSync(data, damaged);
        const refused = await biller("retention", "restore", manifest, "--schema", "other");
        expect([refused.code, refused.err]).toEqual([
          1,
          expect.stringMatching(/cannot be read|is not what its manifest says/),
        ]);
      }
      expect(await database.query(`select 1 from pg_namespace where nspname = 'other'`)).toEqual([]);
      expect(
        await database.query(`select action from operator_action where action like 'retention.%' order by recorded_at`),
      ).toEqual([{ action: "retention.archive" }, { action: "retention.restore" }]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }, 60_000);
});
