import { auditToken, askAudit, type AuditReply } from "../support/audit";
import { fill, inquiryMessage, newTraxId, paymentMessage, telkomBill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { addMerchant, billingRequest, callBilling } from "../support/merchants";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

const PATHS = ["/payments", "/journal-entries", "/postings", "/attempts", "/exceptions", "/key-changes", "/reads"];
/** Nothing has happened there in this test. */
const EMPTY = ["/settlement-files", "/settlement-lines", "/reconciliation-findings", "/blocks"];
const BILLS = Array.from({ length: 30 }, (_, index) => `00210084580${String(index).padStart(2, "0")}`);

describe("the audit API", () => {
  let database: TestDatabase;
  let host: TestHost;
  let token: string;
  const outcomes = new Set<unknown>();
  const paid: string[] = [];
  const declined: string[] = [];
  const ask = (path: string, query: Record<string, string> | string = {}): Promise<AuditReply> =>
    askAudit(host.url, token, path, query);
  // A token may ask so often only: each test has one of its own.
  beforeEach(async () => {
    token = await auditToken(database);
  });
  /** Follows `next` to the end. */
  async function all(path: string, query: Record<string, string>): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = [];
    let next: string | null = null;
    for (let page = 0; page < 100; page++) {
      const reply: AuditReply = await ask(path, { ...query, ...(next === null ? {} : { cursor: next }) });
      if (reply.status !== 200) throw new Error(`${path} answered ${reply.status}: ${reply.text}`);
      rows.push(...reply.data);
      next = reply.body["next"] as string | null;
      if (next === null) return rows;
    }
    throw new Error("the list does not end");
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [...BILLS.map((billNumber) => telkomBill({ billNumber })), telkomBill()], {
      reply: { paymentBit61: "full" },
    });
    await addMerchant(database);
    host = await startTestHost(database);
    for (const billNumber of BILLS) {
      const shown = await host.send(inquiryMessage({ billNumber, bit61: billNumber }));
      const payment = paymentMessage({ billNumber, bit61: String(shown.fields["bit61"]) });
      outcomes.add((await host.send(payment)).fields["resultCode"]);
      paid.push(String(payment["traxId"]));
    }
    for (let n = 0; n < 12; n++) {
      const refused = paymentMessage({ amount: "1" });
      outcomes.add((await host.send(refused)).fields["resultCode"]);
      declined.push(String(refused["traxId"]));
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 600);
    });
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  it.each(PATHS)("lists %s in pages, each row once, in both directions", async (path) => {
    await ask(path);
    const whole = await all(path, {
      limit: "500",
      order: "asc",
      ...(path === "/reads" ? { to: new Date().toISOString() } : {}),
    });
    expect(whole.length).toBeGreaterThan(path === "/exceptions" ? -1 : 0);
    const until: Record<string, string> = path === "/reads" ? { to: new Date().toISOString() } : {};
    for (const order of ["asc", "desc"]) {
      const rows = await all(path, { limit: "7", order, ...until });
      const inOrder = order === "asc" ? rows : rows.toReversed();
      expect(inOrder.slice(0, whole.length)).toEqual(whole);
      expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(rows.length);
    }
  });

  it("was given something to read", () => {
    expect([...outcomes]).toEqual(["00", "13"]);
  });

  it("finds payments by every filter, alone and together", async () => {
    const sorted = (ids: readonly string[]): string[] => ids.toSorted((a, b) => (a < b ? -1 : 1));
    const find = async (query: Record<string, string>): Promise<string[]> =>
      sorted((await all("/payments", { limit: "20", ...query })).map((row) => String(row["traxId"])));
    expect(await find({})).toEqual(sorted([...paid, ...declined]));
    expect(await find({ outcome: "APPROVED" })).toEqual(sorted(paid));
    expect(await find({ outcome: "BAD_AMOUNT" })).toEqual(sorted(declined));
    expect(await find({ amountMin: "30000", amountMax: "30000" })).toEqual(sorted(paid));
    expect(await find({ amountMax: "29999" })).toEqual(sorted(declined));
    expect(await find({ traxId: paid[3] as string })).toEqual([paid[3]]);
    expect(await find({ bill: `001001:${BILLS[4]}` })).toEqual([paid[4]]);
    expect(await find({ bill: `001001:${BILLS[4]}`, outcome: "BAD_AMOUNT" })).toEqual([]);
    expect(await find({ partner: "bmandiri", product: "001001", family: "payment" })).toHaveLength(42);
    expect(await find({ partner: "nobody" })).toEqual([]);
    expect(await find({ family: "reversal" })).toEqual([]);
    for (const time of ["happened", "recorded"]) {
      const rows = await all("/payments", { order: "asc" });
      const at = String(rows[20]?.[`${time}At`]);
      const before = await find({ time, to: at });
      const after = await find({ time, from: at });
      expect(before.length).toBeGreaterThan(0);
      expect(sorted([...before, ...after])).toEqual(sorted([...paid, ...declined]));
      expect(rows.filter((row) => String(row[`${time}At`]) < at)).toHaveLength(before.length);
    }
    const [day] = (await ask("/payments", { limit: "1" })).data;
    const businessDate = String(day?.["businessDate"]);
    expect(await find({ businessFrom: businessDate, businessTo: businessDate })).toHaveLength(42);
    expect(await find({ businessTo: "2020-01-01" })).toEqual([]);
  });

  it("shows an entry with its postings, found by payment, bill or its own name", async () => {
    const [entry] = (await ask("/journal-entries", { traxId: paid[0] as string })).data;
    expect(entry).toMatchObject({
      kind: "payment",
      partner: "bmandiri",
      traxId: paid[0],
      amount: "30000",
      feeAmount: "5000",
      postings: [
        { lineNo: 1, account: "due-from-switch", side: "debit", amount: "35000" },
        { lineNo: 2, account: "bill-collections", side: "credit", amount: "30000" },
        { lineNo: 3, account: "fee-earned", side: "credit", amount: "5000" },
      ],
    });
    expect((await ask("/journal-entries", { bill: `001001:${BILLS[0]}` })).data).toEqual([entry]);
    expect((await ask("/journal-entries", { entryId: String(entry?.["entryId"]) })).data).toEqual([entry]);
    expect((await ask("/postings", { entryId: String(entry?.["entryId"]) })).data).toHaveLength(3);
    expect((await ask("/postings", { traxId: paid[0] as string, side: "debit" })).data).toHaveLength(1);
    expect(await all("/postings", { account: "fee-earned", limit: "4" })).toHaveLength(30);
    expect((await ask("/journal-entries", { kind: "settlement" })).data).toEqual([]);
  });

  it("sums balances as of an instant of either time", async () => {
    const rows = await all("/journal-entries", { order: "asc" });
    const balanceOf = async (query: Record<string, string>): Promise<unknown> =>
      (await ask("/balances", { account: "due-from-switch", ...query })).data[0]?.["balance"];
    expect(await balanceOf({})).toBe(String(30 * 35_000));
    for (const time of ["happened", "recorded"]) {
      const at = String(rows[9]?.[`${time}At`]);
      const count = rows.filter((row) => String(row[`${time}At`]) <= at).length;
      expect(await balanceOf({ time, at })).toBe(String(count * 35_000));
    }
    expect(await balanceOf({ businessTo: "2020-01-01" })).toBe("0");
    const { body } = await ask("/trial-balance");
    expect(body).toMatchObject({ debits: String(30 * 35_000), credits: String(30 * 35_000), isBalanced: true });
  });

  it("keeps the time something happened apart from the time it was recorded", async () => {
    // Taken in before midnight, written after it.
    const id = "018cc251-f400-7000-8000-000000000001";
    await database.query(
      `with e as (insert into journal_entry (entry_id, bill_key, business_date, kind, partner_id, trax_id, product_code,
           bill_number, amount, fee_amount, channel, happened_at, recorded_at)
         values ($1, '001001:9', '2024-01-01', 'payment', 1, 'LATE', '001001', '9', 7, 0, '6017', '2024-01-01T00:00:00Z',
                 '2024-01-01T00:00:05Z'))
       insert into posting select $1::uuid, n, '001001:9', '2024-01-01', 'suspense', s, 7
         from (values (1, 'debit'), (2, 'credit')) l(n, s)`,
      [id],
    );
    const at = "2024-01-01T00:00:02Z";
    const debitsAt = async (time: string): Promise<unknown> =>
      (await ask("/balances", { account: "suspense", at, time })).data[0]?.["debits"];
    expect([await debitsAt("happened"), await debitsAt("recorded")]).toEqual(["7", "0"]);
    const find = async (time: string, from: string, to: string): Promise<number> =>
      (await ask("/journal-entries", { time, from, to })).data.length;
    expect(await find("happened", "2024-01-01T00:00:00Z", at)).toBe(1);
    expect(await find("recorded", "2024-01-01T00:00:00Z", at)).toBe(0);
    expect(await find("recorded", at, "2024-01-01T00:00:06Z")).toBe(1);
  });

  it("tells everything about one payment, as JSON and as text", async () => {
    const { body } = await ask(`/payments/${paid[0]}/dossier`);
    const [key] = body["keys"] as Record<string, unknown>[];
    expect(body).toMatchObject({ traxId: paid[0], isMasked: false, source: "primary" });
    expect(key).toMatchObject({
      registry: { family: "payment", outcome: "APPROVED", amount: "30000" },
      entries: [{ kind: "payment", amount: "30000" }],
      exceptions: [],
      bill: { paidAmount: "30000", customerName: "BUDI SANTOSO" },
    });
    expect(key?.["quotes"]).toHaveLength(1);
    const { bit61, body: bytes } = (key ?? {})["reply"] as {
      bit61: { text: string; columns: { name: string; offset: number; raw: string }[] };
      body: string;
    };
    expect(JSON.parse(bytes)).toMatchObject({ resultCode: "00", bit61: bit61.text });
    expect(bit61.columns.map(({ raw }) => raw).join("")).toBe(bit61.text);
    expect(bit61.columns.find(({ name }) => name === "customerName")).toMatchObject({
      offset: 89,
      raw: "BUDI SANTOSO".padEnd(30),
    });
    expect((body["timeline"] as { what: string }[]).map(({ what }) => what)).toEqual(
      expect.arrayContaining(["quote", "request", "payment decided", "journal entry (payment)"]),
    );
    const text = await ask(`/payments/${paid[0]}/dossier`, { format: "text" });
    expect(text.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(text.text).toMatch(/WHAT HAPPENED[\s\S]*debit due-from-switch 35000[\s\S]*89 {3}30 {2}customerName/);
    const never = await ask(`/payments/${newTraxId()}/dossier`);
    expect([never.status, never.body["error"]]).toEqual([404, "nothing is known of this traxId"]);
    expect((await ask(`/payments/${declined[0]}/dossier`)).body).toMatchObject({ keys: [{ entries: [] }] });
  });

  it("shows in a dossier what the merchant was told", async () => {
    const { fields } = await callBilling(`${host.url}/billing/create`, { body: billingRequest() });
    const common = {
      productCode: "900001",
      billNumber: String(fields["billing_id"]),
      bit61: String(fields["billing_id"]),
    };
    const payment = paymentMessage({ ...common, amount: "50000", feeAmount: "0" });
    expect((await host.send(payment)).fields["resultCode"]).toBe("00");
    const { body } = await ask(`/payments/${payment["traxId"]}/dossier`);
    const [key] = body["keys"] as { callbacks: Record<string, unknown>[] }[];
    expect(key?.callbacks).toMatchObject([{ kind: "payment.accepted", merchant: "1041" }]);
  });

  it("masks names unless the token may see persons, everywhere and at any depth", async () => {
    const plain = await auditToken(database, ["ledger", "payments"]);
    for (const format of ["json", "text"]) {
      const { text, status } = await askAudit(host.url, plain, `/payments/${paid[0]}/dossier`, { format });
      expect(status).toBe(200);
      expect(text).not.toMatch(/BUDI|SANTOSO|8825220158/);
      expect(text).toContain("0021008458000");
    }
    const { body } = await askAudit(host.url, plain, `/payments/${paid[0]}/dossier`);
    const [key] = body["keys"] as { reply: { bit61: { text: string } } }[];
    expect(key?.reply.bit61.text).toHaveLength(134);
  });

  it.each([
    ...[...PATHS, ...EMPTY, "", "/balances", "/trial-balance", "/payments/x/dossier", "/payments/x/proof"],
    ...["/exports/x", "/payments/export", "/settlement-lines/export"],
  ])("answers nobody without a token: %s", async (path) => {
    const old = await auditToken(database, undefined, { days: 1 });
    await database.query(`alter table audit_token disable trigger all`);
    await database.query(
      `update audit_token set expires_at = now() - interval '1 second'
          where token_hash = sha256(convert_to($1, 'UTF8'))`,
      [old],
    );
    await database.query(`alter table audit_token enable trigger all`);
    for (const wrong of [null, "x", old, `${token}x`, token.slice(0, -1), token.toUpperCase()]) {
      const reply = await askAudit(host.url, wrong, path);
      // Once an address has been wrong too often it is told to wait.
      expect([401, 429]).toContain(reply.status);
      expect(JSON.stringify(reply.body)).not.toContain("data");
    }
  });
});

describe("who may ask what", () => {
  let database: TestDatabase;
  let host: TestHost;
  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill()]);
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  it("keeps to the scopes of a token", async () => {
    const ledger = await auditToken(database, ["ledger"]);
    const statusOf = async (path: string): Promise<number> => (await askAudit(host.url, ledger, path)).status;
    expect(await statusOf("/journal-entries")).toBe(200);
    expect(await statusOf("")).toBe(200);
    for (const path of [
      "/payments",
      "/attempts",
      "/reads",
      "/key-changes",
      "/payments/1/dossier",
      "/payments/1/proof",
      "/settlement-files",
      "/settlement-lines",
      "/reconciliation-findings",
      "/blocks/export",
      "/journal-entries/export",
    ]) {
      const reply = await askAudit(host.url, ledger, path);
      expect([path, reply.status]).toEqual([path, 403]);
      expect(reply.body["error"]).toMatch(/^the token lacks the scope (payments|operations|export)/);
    }
  });

  it("ends a token at once when it is revoked", async () => {
    const token = await auditToken(database);
    expect((await askAudit(host.url, token, "/payments")).status).toBe(200);
    await onServer(
      database.ownerUrl,
      `update audit_token set revoked_at = now(), revoked_by = 'test' where token_hash = sha256(convert_to($1, 'UTF8'))`,
      [token],
    );
    expect((await askAudit(host.url, token, "/payments")).status).toBe(401);
  });

  it("keeps no token that could be used, and lets nobody change one", async () => {
    const token = await auditToken(database);
    const [row] = await database.query<{ stored: string }>(
      `select audit_token::text as stored from audit_token limit 1`,
    );
    expect(row?.stored).not.toContain(token.slice(13));
    for (const change of [
      "set scopes = '{personal}'",
      "set expires_at = now() + interval '1 year'",
      "set revoked_at = null",
    ]) {
      await expect(onServer(database.superuserUrl, `update audit_token ${change}`)).rejects.toThrow(
        /only a revocation/,
      );
    }
    await expect(onServer(database.appUrl, `insert into audit_token select * from audit_token`)).rejects.toThrow(
      /permission denied/,
    );
    await expect(onServer(database.auditorUrl, `select token_hash from audit_token`)).rejects.toThrow(
      /permission denied/,
    );
  });

  it("records every question with its filter and its rows, refusals too, and lets nobody take one back", async () => {
    const token = await auditToken(database, ["ledger"], { name: "watched" });
    await host.send(paymentMessage());
    await askAudit(host.url, token, "/journal-entries", { kind: "payment", limit: "3" });
    await askAudit(host.url, token, "/payments");
    await askAudit(host.url, token, "/journal-entries", { kind: "x" });
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    const rows = await database.query(
      `select route, filter, http_status, row_count::int, note from audit_read where token_name = 'watched' order by read_at`,
    );
    expect(rows).toEqual([
      {
        route: "/audit/v1/journal-entries",
        filter: { kind: "payment", limit: 3, order: "desc" },
        http_status: 200,
        row_count: 1,
        note: null,
      },
      {
        route: "/audit/v1/payments",
        filter: {},
        http_status: 403,
        row_count: 0,
        note: "the token lacks the scope payments",
      },
      {
        route: "/audit/v1/journal-entries",
        filter: {},
        http_status: 400,
        row_count: 0,
        note: expect.stringContaining("kind must be one of") as string,
      },
    ]);
    for (const change of ["update audit_read set row_count = 0", "delete from audit_read", "truncate audit_read"]) {
      await expect(onServer(database.ownerUrl, change)).rejects.toThrow(/append-only/);
      await expect(onServer(database.appUrl, change)).rejects.toThrow(/permission denied/);
    }
    expect(host.logs.filter((line) => line["msg"] === "audit read" && line["token"] === "watched")).toHaveLength(3);
    expect(JSON.stringify(host.logs)).not.toContain(token);
  });

  it("answers a token no more than it may ask, and others meanwhile", async () => {
    const [greedy, other] = [await auditToken(database), await auditToken(database)];
    const replies = await Promise.all(Array.from({ length: 300 }, () => askAudit(host.url, greedy, "")));
    const counted = replies.filter(({ status }) => status === 429);
    expect(counted.length).toBeGreaterThan(5);
    expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(60);
    expect(counted[0]?.headers.get("retry-after")).toBe("1");
    expect((await askAudit(host.url, other, "")).status).toBe(200);
  });

  it("cannot write, even if a statement tried", async () => {
    await expect(onServer(database.auditorUrl, `insert into audit_read default values`)).rejects.toThrow(
      /permission denied/,
    );
    const { body } = await askAudit(host.url, await auditToken(database), "/payments");
    expect(body).toMatchObject({ source: "primary", lagSeconds: 0 });
    expect(Date.parse(String(body["asOf"])) - Date.parse(String(body["completeUntil"]))).toBe(90_000);
  });
});
