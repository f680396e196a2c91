import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { sleep } from "../../src/platform";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/platform/embedded";
import { migrateToLatest } from "../../src/platform/migrate";
import { askAudit, type AuditReply, auditToken } from "../support/audit";
import { fill, inquiryMessage, paymentMessage, telkomBill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { onServer, type TestDatabase } from "../support/services";
import { makeStandby, type Standby } from "../support/standby";

jest.setTimeout(120_000);

const BILLS = Array.from({ length: 12 }, (_, index) => `00210084590${String(index).padStart(2, "0")}`);

/** A primary and a streaming standby of their own, since one is paused and killed. */
describe("the audit API on a streaming standby", () => {
  const dir = mkdtempSync(join(tmpdir(), "biller-replica-"));
  const bills = [...BILLS];
  let primary: EmbeddedPostgres;
  let standby: Standby;
  let database: TestDatabase;
  let host: TestHost;
  let token: string;
  const ask = (path: string, query: Record<string, string> = {}): Promise<AuditReply> =>
    askAudit(host.url, token, path, query);
  const onStandby = (text: string): Promise<pg.QueryResult> => onServer(standby.urlOf(primary.superuserUrl), text);

  async function pay(): Promise<string> {
    const billNumber = bills.pop() ?? "";
    const shown = await host.send(inquiryMessage({ billNumber, bit61: billNumber }));
    const payment = paymentMessage({ billNumber, bit61: String(shown.fields["bit61"]) });
    expect((await host.send(payment)).fields["resultCode"]).toBe("00");
    return String(payment["traxId"]);
  }
  const isShown = async (traxId: string): Promise<boolean> => (await ask("/payments", { traxId })).data.length === 1;
  const recordedAt = async (traxId: string): Promise<number> => {
    const rows = await database.query<{ at: Date }>("select recorded_at as at from trax where trax_id = $1", [traxId]);
    return rows[0]?.at.getTime() ?? 0;
  };

  beforeAll(async () => {
    chmodSync(dir, 0o755);
    const primaryDir = join(dir, "primary");
    primary = await startEmbeddedPostgres({ dataDir: primaryDir, log: () => {} });
    await migrateToLatest(primary.ownerUrl, { log: () => {} });
    database = {
      ...{ name: "biller", superuserUrl: primary.superuserUrl, ownerUrl: primary.ownerUrl },
      ...{ appUrl: primary.appUrl, auditorUrl: primary.auditorUrl, drop: () => Promise.resolve() },
      query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
        (await onServer(primary.superuserUrl, text, values)).rows as Row[],
    };
    await fill(
      database,
      bills.map((billNumber) => telkomBill({ billNumber })),
      { reply: { paymentBit61: "full" } },
    );
    standby = await makeStandby(primary, primaryDir, join(dir, "standby"));
    await standby.start();
    host = await startTestHost(database, { settings: { AUDIT_DATABASE_URL: standby.urlOf(primary.auditorUrl) } });
    token = await auditToken(database);
  });
  afterAll(async () => {
    await host.stop();
    await standby.stop();
    await primary.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("answers from the standby, says so in every answer, and records each read on the primary", async () => {
    const traxId = await pay();
    await standby.caughtUp();
    expect((await onStandby("select pg_is_in_recovery() as is_standby")).rows).toEqual([{ is_standby: true }]);
    const paths = ["", "/payments", "/journal-entries", "/postings", "/attempts", "/exceptions", "/key-changes"].concat(
      ...["/operator-actions", "/reads", "/blocks", "/balances", "/trial-balance", `/payments/${traxId}/dossier`],
    );
    for (const path of paths) {
      const { status, body } = await ask(path);
      expect({ path, status, source: body["source"] }).toEqual({ path, status: 200, source: "replica" });
      expect(body).toMatchObject({ asOf: expect.any(String) as string, completeUntil: expect.any(String) as string });
      expect(body["lagSeconds"]).toBeLessThan(30);
    }
    expect(await isShown(traxId)).toBe(true);
    await sleep(500);
    const reads = await database.query<{ route: string }>("select route from audit_read where http_status = 200");
    expect(reads.map(({ route }) => route)).toEqual(expect.arrayContaining(paths.map((path) => `/audit/v1${path}`)));
    await standby.caughtUp();
    expect((await ask("/reads")).data.length).toBeGreaterThan(paths.length - 1);
  });

  it("does not claim to be younger than it is while replay is paused", async () => {
    const before = await pay();
    await standby.caughtUp();
    await onStandby("select pg_wal_replay_pause()");
    const unseen = await pay();
    await sleep(1_500);
    const { body } = await ask("/payments", { traxId: unseen });
    expect(body["data"]).toEqual([]);
    expect(body["lagSeconds"]).toBeGreaterThanOrEqual(1.4);
    expect(Date.parse(String(body["asOf"]))).toBeLessThan(await recordedAt(unseen));
    expect(Date.parse(String(body["asOf"]))).toBeGreaterThanOrEqual((await recordedAt(before)) - 1);
    await sleep(1_000);
    const later = await ask("/trial-balance");
    expect(later.body["lagSeconds"]).toBeGreaterThanOrEqual(Number(body["lagSeconds"]) + 0.9);
    expect(later.body["asOf"]).toBe(body["asOf"]);
    await onStandby("select pg_wal_replay_resume()");
    await standby.caughtUp();
    expect(await isShown(unseen)).toBe(true);
    expect((await ask("/payments")).body["lagSeconds"]).toBeLessThan(10);
  });

  it("refuses clearly when the standby is gone, while payments and readiness go on, and answers when it is back", async () => {
    await standby.stop("SIGKILL");
    for (const path of ["/payments", "/trial-balance", ""]) {
      const { status, body } = await ask(path);
      expect({ path, status }).toEqual({ path, status: 503 });
      expect(body["error"]).toBe("the database that audit questions are answered from does not answer now");
    }
    const paid = await pay();
    const ready = await fetch(`${host.url}/readyz`);
    expect({ status: ready.status, text: await ready.text() }).toMatchObject({ status: 200 });
    await sleep(500);
    const [refused] = await database.query<{ count: bigint }>(
      "select count(*) from audit_read where http_status = 503 and row_count = 0",
    );
    expect(refused?.count).toBe(3n);
    await standby.start();
    await standby.caughtUp();
    expect(await isShown(paid)).toBe(true);
  });

  it("is as old as its last data after a restart out of sight of its primary", async () => {
    // Nobody commits behind the checkpoint, so nothing is replayed at the restart that would say how old the data is.
    await host.stop();
    await onServer(primary.superuserUrl, "checkpoint");
    await standby.caughtUp();
    await onStandby("checkpoint");
    await standby.stop();
    standby.loseSight();
    host = await startTestHost(database, { settings: { AUDIT_DATABASE_URL: standby.urlOf(primary.auditorUrl) } });
    const unseen = await pay();
    await sleep(1_200);
    await standby.start();
    expect((await onStandby("select pg_last_xact_replay_timestamp() as at")).rows).toEqual([{ at: null }]);
    const { body } = await ask("/payments", { traxId: unseen });
    expect(body).toMatchObject({ data: [], source: "replica" });
    expect(Date.parse(String(body["asOf"]))).toBeLessThan(await recordedAt(unseen));
    expect(body["lagSeconds"]).toBeGreaterThan(1.2);
  });
});
