import { createHash } from "node:crypto";
import openapi from "../../src/http/openapi.json";
import { fill } from "../support/builders";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { askRecon, type ReconReply, type ReconRequest, reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY, dayOf } from "../support/settlement-days";
import {
  bookPayments,
  bookPostings,
  FULL_HEADER,
  FULL_PROFILE,
  fullLine,
  settlementDesk,
} from "../support/settlement-files";

jest.setTimeout(120_000);

const truth = { amount: 30_000n, feeAmount: 5_000n, minute: 600 };
const day = dayOf([
  { ...truth, damage: "none" },
  { ...truth, damage: "amount-differs" },
  { ...truth, damage: "missing-in-file" },
  { ...truth, damage: "fee-differs" },
]);
const FILE = `${[FULL_HEADER, ...day.lines.map(fullLine), "broken"].join("\n")}\n`;
/** The name, and the token and address that it came from. */
const BY_ANI: unknown = expect.stringMatching(/^ani \(api:desk of ani\/[0-9a-f]{8}@[0-9a-f.:]+\)$/);
const NOBODY = "00000000-0000-4000-8000-000000000000";

describe("a day of settlement over HTTP, by two people", () => {
  let database: TestDatabase;
  let host: HostProcess;
  let [ani, budi]: string[] = [];
  let fileId: number;
  const answered: { readonly what: string; readonly reply: ReconReply }[] = [];
  const as = async (token: string | undefined, what: string, request: ReconRequest = {}): Promise<ReconReply> => {
    const reply = await askRecon(host.url, token ?? null, what, request);
    answered.push({ what, reply });
    return reply;
  };
  const upload = (file: string | Buffer, query: Record<string, string> = {}): Promise<ReconReply> =>
    as(ani, "POST /files", { file, query: { profile: "full", fileName: "day.csv", date: DAY, ...query } });
  const itemOf = async (itemClass: string): Promise<string> => {
    const { data } = await as(ani, "GET /exceptions", { query: { class: itemClass, state: "all" } });
    return String(data[0]?.["itemId"]);
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    const desk = settlementDesk(database);
    await desk.saveProfile("full", FULL_PROFILE);
    desk.close();
    await bookPayments(database, day.payments);
    await bookPostings(database);
    host = await startHostProcess(database, { settings: { SEAL: "false" } });
    [ani, budi] = await Promise.all([reconToken(database, "ani"), reconToken(database, "Budi")]);
  });
  afterAll(async () => {
    host.child.kill("SIGTERM");
    await host.ended;
    await database.drop();
  });

  it("says who is asking", async () => {
    const { body } = await as(ani, "GET ");
    expect(body).toMatchObject({ token: { person: "ani", scopes: ["recon:read", "recon:maker", "recon:checker"] } });
  });

  it("lists, shows and checks profiles", async () => {
    expect((await as(ani, "GET /profiles")).data).toMatchObject([{ code: "full", version: 1, files: 0 }]);
    const shown = await as(ani, "GET /profiles/full");
    expect(shown.body).toMatchObject({
      code: "full",
      version: 1,
      stored: FULL_PROFILE,
      profile: { header: "columns" },
    });
    expect((await as(ani, "GET /profiles/nobody")).body).toEqual({
      type: "urn:biller:problem:unknown_profile",
      title: "There is no such profile",
      status: 404,
      detail: "there is no settlement profile nobody",
      code: "unknown_profile",
      error: "there is no settlement profile nobody",
    });
    expect((await as(ani, "POST /profiles/check", { json: FULL_PROFILE })).body).toMatchObject({ isValid: true });
    const bad = await as(ani, "POST /profiles/check", { json: { ...FULL_PROFILE, header: "none", rules: 1 } });
    expect(bad.body).toMatchObject({ isValid: false, profile: null });
    expect(JSON.stringify(bad.body["problems"])).toContain("rules");
  });

  it("takes a file once, whoever sends it again, and says what it could not read", async () => {
    const first = await upload(FILE);
    expect([first.status, first.body]).toEqual([
      201,
      {
        ...{ outcome: "imported", profile: "full", fileId: expect.any(Number), fileName: "day.csv", version: 1 },
        ...{
          settlementDate: DAY,
          productCodes: [],
          lines: 4,
          badLines: 1,
          supersededBy: null,
          supplementOf: null,
          remarks: [],
          replaced: null,
        },
        amount: String(day.lines.reduce((sum, { amount }) => sum + amount, 0n)),
        fee: String(day.lines.reduce((sum, { feeAmount }) => sum + (feeAmount ?? 0n), 0n)),
        ...{ sha256: createHash("sha256").update(FILE).digest("hex"), bytes: FILE.length },
        controlTotals: { agree: true, fault: null },
        rejected: [{ lineNo: 5, reason: expect.stringContaining("column"), raw: "broken" }],
        allRejected: expect.stringMatching(/^\/recon\/v1\/files\/[0-9]+\/lines\?class=unreadable$/),
      },
    ]);
    fileId = first.body["fileId"] as number;
    const second = await upload(FILE, { fileName: "another-name.csv" });
    expect([second.status, second.body]).toMatchObject([200, { outcome: "known", fileId, rejected: [{ lineNo: 5 }] }]);
    const both = await Promise.all([upload(FILE), upload(FILE)]);
    expect(both.map(({ status, body }) => [status, body["outcome"]])).toEqual([
      [200, "known"],
      [200, "known"],
    ]);
  });

  it("refuses a changed file of the name until it is confirmed", async () => {
    const changed = FILE.replace("broken", "broken,too");
    const refused = await upload(changed);
    expect([refused.status, refused.body]).toMatchObject([
      409,
      {
        code: "settlement_file_changed",
        error: expect.stringContaining("this one can become version 2: with confirm=true it does"),
      },
    ]);
    const wrong = await upload(changed, { sha256: "0".repeat(64) });
    expect([wrong.status, wrong.body["code"]]).toEqual([422, "sha256"]);
    const sha256 = createHash("sha256").update(changed).digest("hex");
    const taken = await upload(changed, { confirm: "true", sha256 });
    expect([taken.status, taken.body]).toMatchObject([201, { version: 2, replaced: fileId }]);
    const again = await upload(changed, { confirm: "true" });
    expect([again.status, again.body]).toMatchObject([200, { outcome: "known", version: 2 }]);
    fileId = taken.body["fileId"] as number;
    const { data } = await as(ani, "GET /files", { query: { profile: "full", order: "asc" } });
    expect(data.map((each) => [each["version"], each["supersededBy"], each["importedBy"]])).toEqual([
      [1, fileId, BY_ANI],
      [2, null, BY_ANI],
    ]);
    expect((await as(ani, `GET /files/${fileId}`)).body).toMatchObject({ fileId, version: 2, profile: "full" });
    expect((await as(ani, "GET /files/999999")).status).toBe(404);
  });

  it("runs a date, again without a change, and tries other rules without keeping anything", async () => {
    const json = { profile: "full", date: DAY };
    const first = await as(ani, "POST /runs", { json });
    expect([first.status, first.body]).toMatchObject([
      200,
      { settlementDate: DAY, isDryRun: false, summary: { lines: 4, badLines: 1, matched: 1 } },
    ]);
    const second = await as(ani, "POST /runs", { json });
    expect([second.body["summary"], second.body["changes"]]).toEqual([first.body["summary"], []]);
    const rules = [{ kind: "bill", name: "try", fields: ["amount"], daysApart: 1 }];
    const dry = await as(ani, "POST /dry-runs", { json: { ...json, rules } });
    expect([dry.status, dry.body]).toMatchObject([200, { isDryRun: true, summary: { lines: 4 } }]);
    const bad = await as(ani, "POST /dry-runs", { json: { ...json, rules: [{ kind: "no such" }] } });
    expect([bad.status, bad.body["code"]]).toEqual([422, "rules"]);
    const { data } = await as(ani, "GET /runs", { query: { profile: "full" } });
    expect(data.map((run) => run["startedBy"])).toEqual([BY_ANI, BY_ANI]);
    const { body } = await as(ani, `GET /runs/${String(first.body["runId"])}`);
    expect(body).toMatchObject({ runId: first.body["runId"], summary: { matched: 1 }, rules: [] });
    const none = await as(ani, "POST /runs", { json: { ...json, date: "2026-01-01" } });
    expect([none.status, none.body["code"]]).toEqual([404, "no_settlement_file"]);
  });

  it("shows lines page by page, and why one did not match", async () => {
    const seen: unknown[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { limit: "1", order: "asc", ...(cursor === null ? {} : { cursor }) };
      const { status, body, data }: ReconReply = await as(ani, `GET /files/${fileId}/lines`, { query });
      expect(status).toBe(200);
      seen.push(...data.map((line) => [line["lineNo"], line["class"]]));
      cursor = body["next"] as string | null;
    } while (cursor !== null);
    expect(seen).toEqual([
      [2, "matched"],
      [3, "amount-differs"],
      [4, "fee-differs"],
      [5, "unreadable"],
    ]);
    const { data } = await as(ani, `GET /files/${fileId}/lines`, { query: { class: "amount-differs" } });
    expect(data).toMatchObject([{ lineNo: 3, difference: "1", differingFields: ["amount"], tried: expect.any(Array) }]);
    const unread = await as(ani, `GET /files/${fileId}/lines`, { query: { class: "unreadable" } });
    expect(unread.data).toMatchObject([{ lineNo: 5, raw: "broken,too", fault: expect.any(String) }]);
    expect((await as(ani, "GET /findings", { query: { state: "open" } })).data).toHaveLength(3);
    const byTrax = await as(ani, "GET /lines", { query: { traxId: String(data[0]?.["traxId"]) } });
    expect(byTrax.data).toHaveLength(2);
  });

  it("pages through the queue by due time, filtered", async () => {
    const all = await as(ani, "GET /exceptions");
    expect(all.data.map((item) => String(item["class"])).toSorted()).toEqual([
      "amount-differs",
      "fee-differs",
      "missing-in-file",
      "unreadable-line",
    ]);
    const seen: unknown[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { limit: "1", ...(cursor === null ? {} : { cursor }) };
      const { body, data }: ReconReply = await as(ani, "GET /exceptions", { query });
      seen.push(...data.map((item) => item["itemId"]));
      cursor = body["next"] as string | null;
    } while (cursor !== null);
    expect(seen).toEqual(all.data.map((item) => item["itemId"]));
    const count = async (query: Record<string, string>) => (await as(ani, "GET /exceptions", { query })).data.length;
    expect(await count({ amountMin: "30001" })).toBe(1);
    expect(await count({ amountMax: "30000" })).toBe(3);
    expect(await count({ overdue: "true" })).toBe(0);
    // The line of the version that was replaced.
    expect(await count({ state: "closed" })).toBe(1);
    expect(await count({ businessFrom: DAY, businessTo: DAY })).toBe(4);
    expect(await count({ businessTo: "2026-01-01" })).toBe(0);
    const { body } = await as(ani, `GET /exceptions/${await itemOf("amount-differs")}`);
    expect(body).toMatchObject({ history: [], why: { differingFields: ["amount"], difference: "1" } });
    expect(body).not.toHaveProperty("dueKey");
    expect((await as(ani, `GET /exceptions/${NOBODY}`)).body).toMatchObject({ code: "no_exception" });
  });

  it("keeps owners, notes and carrying, each once however often it is sent", async () => {
    const item = await itemOf("amount-differs");
    for (let n = 0; n < 2; n += 1) {
      const owned = await as(ani, `PUT /exceptions/${item}/owner`);
      expect([owned.status, owned.body["owner"]]).toEqual([200, "ani"]);
    }
    const headers = { "idempotency-key": "note-0000001" };
    const note = { json: { text: "asked the switch — ünïcode" }, headers };
    const notes = await Promise.all([1, 2, 3].map(() => as(ani, `POST /exceptions/${item}/notes`, note)));
    expect(notes.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(notes.map(({ text }) => text)).size).toBe(1);
    expect(notes.filter(({ headers: sent }) => sent.get("x-replayed") === "true")).toHaveLength(2);
    const other = await as(ani, `POST /exceptions/${item}/notes`, { json: { text: "something else" }, headers });
    expect([other.status, other.body["code"]]).toEqual([422, "key_reused"]);
    // Another person's keys are their own.
    const theirs = await as(budi, `POST /exceptions/${item}/notes`, { json: { text: "seen" }, headers });
    expect(theirs.status).toBe(200);
    const past = await as(ani, `POST /exceptions/${item}/carry`, { json: { until: "2026-01-01", reason: "later" } });
    expect([past.status, past.body["code"]]).toEqual([422, "not_possible"]);
    expect((await as(ani, `POST /exceptions/${item}/carry`, { json: { reason: "later" } })).status).toBe(200);
    const closed = await as(ani, `POST /exceptions/${item}/close`, { json: { reason: "no matter" } });
    expect([closed.status, closed.body["code"]]).toEqual([422, "not_possible"]);
    const { body } = await as(budi, `GET /exceptions/${item}`);
    expect((body["history"] as { kind: string; actor: string }[]).map(({ kind, actor }) => [kind, actor])).toEqual([
      ["assigned", "ani"],
      ["note", "ani"],
      ["note", "Budi"],
      ["carried", "ani"],
    ]);
    expect((await as(ani, "GET /exceptions", { query: { owner: "ani" } })).data).toHaveLength(1);
  });

  it("moves money by two people, and never by one", async () => {
    const item = await itemOf("amount-differs");
    const path = `POST /exceptions/${item}/proposals`;
    const json = { action: "accept", account: "settlement-difference", reason: "agreed with the switch" };
    expect((await as(ani, path, { json: { ...json, account: undefined } })).body).toMatchObject({
      code: "account",
      error: expect.stringContaining("a difference of 1 rupiah needs an account"),
    });
    const impossible = await as(ani, path, { json: { ...json, action: "advise", account: undefined } });
    expect([impossible.status, impossible.body["code"]]).toEqual([422, "not_possible"]);
    const headers = { "idempotency-key": "propose-00001" };
    const [first, second] = [await as(ani, path, { json, headers }), await as(ani, path, { json, headers })];
    expect([first.status, second.status, second.text === first.text]).toEqual([201, 201, true]);
    expect((await as(ani, path, { json })).body).toMatchObject({ code: "proposed" });
    const proposal = String(first.body["proposalId"]);

    const own = await as(ani, `POST /proposals/${proposal}/approve`);
    expect([own.status, own.body["code"]]).toEqual([403, "same_person"]);
    // The same person by another token, in capitals: still the same person.
    const capitals = await reconToken(database, "ANI", ["recon:checker"]);
    expect((await as(capitals, `POST /proposals/${proposal}/approve`)).status).toBe(403);
    const [one, two] = await Promise.all(
      [1, 2].map(() => as(budi, `POST /proposals/${proposal}/approve`, { json: {} })),
    );
    expect([one?.status, two?.status]).toEqual([200, 200]);
    expect([one, two].filter((reply) => reply?.body["isRepeated"] === true)).toHaveLength(1);
    const carla = await reconToken(database, "carla");
    const late = await as(carla, `POST /proposals/${proposal}/approve`);
    expect([late.status, late.body["code"]]).toEqual([409, "decided"]);
    expect((await as(carla, `POST /proposals/${proposal}/refuse`, { json: { note: "no" } })).status).toBe(409);
    const posted = await database.query(
      `select count(*)::int as count from settlement_posting where proposal_id = $1`,
      [proposal],
    );
    expect(posted).toEqual([{ count: 1 }]);
    expect((await as(ani, `GET /proposals/${proposal}`)).body).toMatchObject({
      ...{ decision: "approved", proposedBy: "ani", decidedBy: "Budi", amount: "30001" },
      decidedVia: expect.stringMatching(/^api:desk of Budi\/[0-9a-f]{8}@/),
    });
    const actions = await database.query<{ action: string; actor: string }>(
      `select action, actor from operator_action where action in ('exception.proposed', 'exception.approved')`,
    );
    expect(actions.map(({ action, actor }) => `${action} ${actor.split(" ")[0]}`).toSorted()).toEqual([
      "exception.approved Budi",
      "exception.proposed ani",
    ]);
  });

  it("refuses, withdraws and lists proposals", async () => {
    const item = await itemOf("missing-in-file");
    const propose = async () =>
      String(
        (await as(ani, `POST /exceptions/${item}/proposals`, { json: { action: "write-off", reason: "lost" } })).body[
          "proposalId"
        ],
      );
    const first = await propose();
    expect((await as(ani, "GET /exceptions", { query: { state: "proposed" } })).data).toHaveLength(1);
    expect((await as(budi, `POST /proposals/${first}/withdraw`, { json: { note: "mine?" } })).body).toMatchObject({
      code: "other_person",
    });
    expect((await as(budi, `POST /proposals/${first}/refuse`)).status).toBe(422);
    const refused = await as(budi, `POST /proposals/${first}/refuse`, { json: { note: "look again" } });
    expect([refused.status, refused.body]).toMatchObject([
      200,
      { isRepeated: false, proposal: { decision: "refused" } },
    ]);
    const second = await propose();
    expect((await as(ani, `POST /proposals/${second}/withdraw`, { json: { note: "mistaken" } })).status).toBe(200);
    const third = await propose();
    expect((await as(ani, "GET /proposals", { query: { state: "waiting" } })).data).toMatchObject([
      { proposalId: third },
    ]);
    expect((await as(ani, "GET /proposals", { query: { item } })).data).toHaveLength(3);
    expect((await as(budi, `POST /proposals/${third}/approve`, { json: { note: "fine" } })).status).toBe(200);
    expect((await as(budi, `POST /proposals/${NOBODY}/approve`)).body).toMatchObject({ code: "no_proposal" });
  });

  it("posts matched lines once, clears them by the bank's credit, and shows what is left", async () => {
    const json = { profile: "full", date: DAY };
    const settled = await as(ani, "POST /settlements", { json });
    expect([settled.status, settled.data]).toMatchObject([200, [{ fileId, lines: 1, amount: "35000" }]]);
    expect((await as(ani, "POST /settlements", { json })).data).toMatchObject([{ fileId, lines: 0, amount: "0" }]);
    const ageing = await as(ani, "GET /ageing");
    expect(ageing.data.map((row) => row["account"])).toContain("bank-in-transit");
    const credit = { amount: "35000", date: DAY, reference: "BCA 1" };
    const headers = { "idempotency-key": "credit-BCA-1" };
    const made = await as(ani, "POST /bank-credits", { json: credit, headers });
    expect(made.status).toBe(201);
    expect((await as(ani, "POST /bank-credits", { json: credit, headers })).text).toBe(made.text);
    expect((await as(ani, "POST /bank-credits", { json: credit })).body).toMatchObject({ code: "proposed" });
    expect((await as(budi, `POST /proposals/${String(made.body["proposalId"])}/approve`)).status).toBe(200);
    expect((await as(ani, "POST /bank-credits", { json: credit })).body).toMatchObject({ code: "bank_credit" });
  });

  it("closes a day, again with the same bytes, and hands them and reports out", async () => {
    const first = await as(budi, `POST /days/${DAY}/close`);
    expect([first.status, first.body]).toMatchObject([201, { outcome: "closed", businessDate: DAY, closedBy: "Budi" }]);
    const again = await as(budi, `POST /days/${DAY}/close`);
    expect([again.status, again.body["sha256"]]).toEqual([200, first.body["sha256"]]);
    const bytes = await as(ani, `GET /days/${DAY}/body`);
    expect(createHash("sha256").update(bytes.bytes).digest("hex")).toBe(first.body["sha256"]);
    expect(bytes.headers.get("content-digest")).toBe(
      `sha-256=:${createHash("sha256").update(bytes.bytes).digest("base64")}:`,
    );
    for (const [format, start] of [
      ["pdf", "%PDF-"],
      ["xlsx", "PK"],
      ["csv", "\ufeffBagian|\ufeffSection"],
      ["json", "\\{"],
    ] as const) {
      for (const lang of ["id", "en"]) {
        const report = await as(ani, `GET /days/${DAY}/report`, { query: { format, lang } });
        expect(report.status).toBe(200);
        expect(report.text).toMatch(new RegExp(`^(${start})`));
        expect(report.headers.get("content-disposition")).toBe(`attachment; filename="day-${DAY}.${format}"`);
      }
    }
    const csv = await as(ani, `GET /days/${DAY}/report`, {
      query: { format: "csv", lang: "en", separator: "semicolon" },
    });
    expect(csv.bytes.toString()).toMatch(/^\ufeffSection;Item;/);
    expect((await as(ani, `GET /days/${DAY}/report`, { query: { separator: "tab" } })).status).toBe(400);
    expect((await as(ani, "GET /days")).data).toMatchObject([{ businessDate: DAY, sha256: first.body["sha256"] }]);
    expect((await as(ani, `GET /days/${DAY}`)).body).toMatchObject({ day: { businessDate: DAY } });
    const open = await as(budi, "POST /days/2099-01-01/close");
    expect([open.status, open.body["code"]]).toEqual([409, "day_open"]);
    expect((await as(ani, "GET /days/2026-01-01/body")).status).toBe(404);
  });

  it("corrects a line that could not be read by a supplement, after its file was settled", async () => {
    const content = `${FULL_HEADER}\n${fullLine({ ...day.lines[0]!, traxId: "X", billNumber: "9" })}\n`;
    const bare = await upload(content, { fileName: "corrected.csv", date: "", supplementOf: String(fileId) });
    expect([bare.status, bare.body["code"]]).toEqual([400, "question"]);
    const query = { fileName: "corrected.csv", supplementOf: String(fileId) };
    const none = await upload(content, query);
    expect([none.status, none.body["code"]]).toEqual([422, "supplement"]);
    const stray = await upload(content, { fileName: "corrected.csv", forLines: "5" });
    expect(stray.status).toBe(400);
    const taken = await upload(content, { ...query, forLines: "5" });
    expect([taken.status, taken.body]).toMatchObject([201, { supplementOf: fileId, lines: 1 }]);
    expect((await as(ani, "GET /exceptions", { query: { class: "unreadable-line" } })).data).toEqual([]);
  });

  it("refuses the lines of one date for another, until somebody takes them", async () => {
    const content = `${FULL_HEADER}\n${fullLine(day.lines[0]!)}\n`;
    expect((await upload(content, { fileName: "one.csv", date: "2026-11-10" })).status).toBe(201);
    const again = await upload(content, { fileName: "one.csv", date: "2026-11-11" });
    expect([again.status, again.body]).toMatchObject([
      409,
      { code: "settlement_file_repeated", error: expect.stringContaining("with acceptSameContent=true") },
    ]);
    const taken = { fileName: "one.csv", date: "2026-11-11", acceptSameContent: "true" };
    expect((await upload(content, taken)).status).toBe(201);
  });

  it("expects files, opens a closed date again by two people, and closes it without a file by two people", async () => {
    const json = { profile: "full", product: "020013", days: "weekdays", from: "2026-12-01" };
    expect((await as(ani, "GET /expectations")).data).toEqual([]);
    const set = await as(ani, "PUT /expectations", { json });
    expect([set.status, set.body]).toMatchObject([
      201,
      { version: 1, expectation: { dueTime: "09:00", setBy: "ani" } },
    ]);
    expect((await as(ani, "PUT /expectations", { json })).body).toMatchObject({ version: 1, isNew: false });
    const late = await as(ani, "PUT /expectations", { json: { ...json, from: DAY } });
    expect([late.status, late.body["code"]]).toEqual([422, "expectation"]);
    expect((await as(ani, "GET /expectations", { query: { profile: "full" } })).data).toHaveLength(1);

    const reason = { reason: "a file came late" };
    const open = await as(ani, `POST /days/${DAY}/reopenings`, { json: reason });
    expect([open.status, open.body]).toMatchObject([201, { days: [{ businessDate: DAY, version: 1 }] }]);
    const proposal = String(open.body["proposalId"]);
    expect((await as(ani, `POST /proposals/${proposal}/approve`)).body).toMatchObject({ code: "same_person" });
    expect((await as(budi, `POST /proposals/${proposal}/approve`)).body).toMatchObject({
      done: `open again: ${DAY}; close them in this order`,
    });
    expect((await as(ani, `GET /days/${DAY}`)).status).toBe(404);
    expect((await as(ani, `GET /days/${DAY}`, { query: { version: "1" } })).body).toMatchObject({
      version: 1,
      reopened: { reason: "a file came late", approvedBy: "Budi" },
    });
    expect((await as(ani, `GET /days/${DAY}`, { query: { version: "2" } })).status).toBe(404);
    const expected = await as(ani, "PUT /expectations", { json: { profile: "full", product: "020013", from: DAY } });
    expect(expected.status).toBe(201);
    // The file of the date covers all products.
    const none = await as(ani, `POST /days/${DAY}/without-files`, { json: reason });
    expect([none.status, none.body["code"]]).toEqual([422, "not_possible"]);
    expect((await as(ani, "POST /runs", { json: { profile: "full", date: DAY } })).status).toBe(200);
    const closed = await as(budi, `POST /days/${DAY}/close`, { json: { first: true } });
    expect([closed.status, closed.body]).toMatchObject([201, { version: 2, day: { replaces: { version: 1 } } }]);
    expect((await as(ani, "GET /days", { query: { order: "asc" } })).data).toMatchObject([
      { version: 1, reopeningApprovedBy: "Budi" },
      { version: 2, reopenedAt: null },
    ]);
  });

  it("has answered what its description says", () => {
    const undescribed = answered.flatMap(({ what, reply: { status, body, data } }) => {
      const [method = "", path = ""] = what.split(" ");
      const answer = operationOf(method, path).responses?.[status];
      if (answer === undefined) return [`${what}: ${status}`];
      const properties = answer.content?.["application/json"]?.schema.properties ?? {};
      // Refusals share one description; files are described by their type.
      if (status >= 300 || Object.keys(properties).length === 0) return [];
      const rows = properties["data"]?.items?.properties ?? {};
      return [
        ...Object.keys(body).filter((name) => !Object.hasOwn(properties, name)),
        ...Object.keys(data[0] ?? {}).filter((name) => !Object.hasOwn(rows, name)),
      ].map((name) => `${what}: ${name}`);
    });
    expect(answered.length).toBeGreaterThan(80);
    expect(undescribed).toEqual([]);
  });

  it("lets a token do what it is for, and keeps all that was asked", async () => {
    const reader = await reconToken(database, "rini", ["recon:read"]);
    const maker = await reconToken(database, "mira", ["recon:maker"]);
    const checker = await reconToken(database, "citra", ["recon:checker"]);
    for (const [token, what, status] of [
      [null, "GET /files", 401],
      ["biller_audit_nonsense", "GET /files", 401],
      [reader, "GET /files", 200],
      [reader, "POST /runs", 403],
      [reader, `POST /proposals/${NOBODY}/approve`, 403],
      [maker, "GET /files", 403],
      [maker, `POST /proposals/${NOBODY}/approve`, 403],
      [maker, `POST /days/${DAY}/close`, 403],
      [checker, `PUT /exceptions/${NOBODY}/owner`, 403],
      [checker, `POST /proposals/${NOBODY}/approve`, 404],
    ] as const) {
      expect([what, (await askRecon(host.url, token, what)).status]).toEqual([what, status]);
    }
    await expect(reconToken(database, "", ["recon:maker"])).rejects.toThrow(/audit_token_person/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const reads = await database.query<{ route: string; http_status: number; token_name: string }>(
      `select route, http_status, token_name from audit_read where route = '/recon/v1/runs' and http_status = 403`,
    );
    expect(reads).toEqual([{ route: "/recon/v1/runs", http_status: 403, token_name: "desk of rini" }]);
  });
});

interface Described {
  readonly properties?: Readonly<Record<string, { readonly items?: Described }>>;
}
interface Operation {
  readonly responses?: Readonly<Record<number, { readonly content?: Readonly<Record<string, { schema: Described }>> }>>;
}

/** The description of an address; names and numbers stand where the description has a parameter. */
function operationOf(method: string, path: string): Operation {
  const parts = `/recon/v1${path}`.split("/");
  const paths = openapi.paths as unknown as Record<string, Record<string, Operation>>;
  const fits = (template: string): boolean => {
    const wanted = template.split("/");
    return wanted.length === parts.length && wanted.every((each, at) => each.startsWith("{") || each === parts[at]);
  };
  const found = Object.keys(paths).filter((template) => fits(template.replace(/\/$/, "")));
  const exact = found.find((template) => !template.includes("{")) ?? found[0] ?? "";
  return paths[exact]?.[method.toLowerCase()] ?? {};
}
