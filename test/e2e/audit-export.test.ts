import { createHash } from "node:crypto";
import { get } from "node:http";
import { unzipSync } from "fflate";
import { parse } from "csv-parse/sync";
import { askAudit, auditToken } from "../support/audit";
import { fill, paymentMessage, telkomBill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { createTestDatabase, type TestDatabase } from "../support/services";

const ROWS = 25_000;

describe("exports", () => {
  let database: TestDatabase;
  let host: TestHost;
  let token: string;
  async function download(path: string, query = ""): Promise<{ bytes: Buffer; headers: Headers }> {
    const response = await fetch(`${host.url}/audit/v1${path}/export?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    return { bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers };
  }
  async function manifestOf(headers: Headers): Promise<Record<string, unknown>> {
    return (await askAudit(host.url, token, `/exports/${headers.get("x-export-id")}`)).body;
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill()]);
    host = await startTestHost(database);
    await host.send(paymentMessage());
    await database.query(
      `insert into attempt (attempt_id, received_at, partner_id, outcome, result_code, http_status, is_replay, is_delivered,
                            duration_ms, note)
       select gen_random_uuid(), now() - interval '1 hour' + n * interval '1 millisecond', 1, 'BAD_AUTH', '05', 200, false,
              true, 1, (array['=1+1', '+cmd|'' /C calc''!A0', '-2+3', '@SUM(A1)', E'\\t=1', E'\\r=1', 'a,b', 'say "x"', 'plain',
                              E'two\\nlines', ' =1', '＝1'])[1 + n % 12]
         from generate_series(1, ${ROWS}) n`,
    );
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    token = await auditToken(database);
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  it("writes CSV that is whole, has no formula in it, and whose manifest fits it", async () => {
    const { bytes, headers } = await download("/attempts", "outcome=BAD_AUTH");
    expect(headers.get("content-disposition")).toMatch(/^attachment; filename="attempts-\d{8}T\d{6}Z\.csv"$/);
    const rows = parse<Record<string, string>>(bytes, { columns: true });
    expect(rows).toHaveLength(ROWS);
    expect(rows.map((row) => row["receivedAt"])).toEqual(
      rows.map((row) => row["receivedAt"]).toSorted((a = "", b = "") => (a < b ? -1 : 1)),
    );
    expect(new Set(rows.map((row) => row["note"]))).toEqual(
      new Set([
        ...["'=1+1", "'+cmd|' /C calc'!A0", "'-2+3", "'@SUM(A1)", "'\t=1", "'\r=1"],
        ...["a,b", 'say "x"', "plain", "two\nlines", "' =1", "'＝1"],
      ]),
    );
    expect(rows.flatMap((row) => Object.values(row)).filter((cell) => /^\s*[=+@＝]/.test(cell))).toEqual([]);
    const manifest = await manifestOf(headers);
    expect(manifest).toMatchObject({
      ...{ listing: "attempts", format: "csv", rows: ROWS, bytes: bytes.length, isComplete: true },
      ...{ filter: { outcome: "BAD_AUTH" }, sha256: createHash("sha256").update(bytes).digest("hex") },
    });
  });

  it("writes NDJSON with every amount as digits", async () => {
    const { bytes, headers } = await download("/journal-entries", "format=ndjson");
    const lines = bytes.toString().trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ amount: "30000", postings: [{ amount: "35000" }, {}, {}] });
    expect(await manifestOf(headers)).toMatchObject({ rows: 1, isComplete: true });
    expect((await download("/payments", "format=ndjson&outcome=NONE")).bytes).toHaveLength(0);
  });

  it("writes a workbook whose texts are texts and whose amounts are numbers", async () => {
    const { bytes, headers } = await download("/attempts", "format=xlsx&outcome=BAD_AUTH");
    const files = unzipSync(bytes);
    expect(Object.keys(files).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      "[Content_Types].xml",
      "_rels/.rels",
      "xl/_rels/workbook.xml.rels",
      "xl/workbook.xml",
      "xl/worksheets/sheet1.xml",
    ]);
    const sheet = Buffer.from(files["xl/worksheets/sheet1.xml"] ?? []).toString();
    expect(sheet.match(/<row>/g)).toHaveLength(ROWS + 1);
    expect(sheet).not.toMatch(/<f[ >]/);
    expect(sheet).toContain('<c t="inlineStr"><is><t xml:space="preserve">=1+1</t></is></c>');
    expect(await manifestOf(headers)).toMatchObject({ rows: ROWS, format: "xlsx" });
    const entries = Buffer.from(
      unzipSync((await download("/postings", "format=xlsx")).bytes)["xl/worksheets/sheet1.xml"] ?? [],
    );
    expect(entries.toString()).toContain("<c><v>35000</v></c>");
  });

  it("stops asking the database when whoever asked has gone, and says so in its manifest", async () => {
    const exportId = await new Promise<string>((resolve, reject) => {
      const request = get(
        `${host.url}/audit/v1/attempts/export?format=ndjson`,
        { headers: { authorization: `Bearer ${token}` } },
        (response) => {
          response.once("data", () => {
            request.destroy();
            resolve(String(response.headers["x-export-id"]));
          });
        },
      );
      request.on("error", reject);
    });
    await new Promise((resolve) => {
      setTimeout(resolve, 1_000);
    });
    const { status, body } = await askAudit(host.url, token, `/exports/${exportId}`);
    expect([status, body["isComplete"]]).toEqual([200, false]);
    expect(body["rows"]).toBeLessThan(ROWS);
    const [running] = await database.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where application_name = 'biller-audit' and state = 'active'`,
    );
    expect(running?.n).toBe(0);
  });

  it("lets one token export twice at a time and not more, and shows a manifest to its own token only", async () => {
    const open = async () =>
      fetch(`${host.url}/audit/v1/attempts/export`, { headers: { authorization: `Bearer ${token}` } });
    const replies = await Promise.all([open(), open(), open(), open()]);
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429]);
    const whole = replies.find(({ status }) => status === 200);
    await Promise.all(replies.map((each) => each.arrayBuffer()));
    const exportId = whole?.headers.get("x-export-id") ?? "";
    const [stranger, chief] = [
      await auditToken(database, ["export"]),
      await auditToken(database, ["export", "operations"]),
    ];
    expect((await askAudit(host.url, stranger, `/exports/${exportId}`)).status).toBe(404);
    expect((await askAudit(host.url, chief, `/exports/${exportId}`)).status).toBe(200);
    expect((await open()).status).toBe(200);
  });
});
