import { fill } from "../support/builders";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { askRecon, type ReconReply, type ReconRequest, reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";
import { FULL_HEADER, FULL_PROFILE } from "../support/settlement-files";

jest.setTimeout(120_000);

const NOBODY = "00000000-0000-4000-8000-000000000000";
const LINES = 6;

describe("several exceptions at once, profiles and the due rule over HTTP", () => {
  let database: TestDatabase;
  let host: HostProcess;
  let [ani, budi, reader]: string[] = [];
  let items: string[] = [];
  let batch: string;
  const as = (token: string | undefined, what: string, request: ReconRequest = {}): Promise<ReconReply> =>
    askRecon(host.url, token ?? null, what, request);
  const count = async (text: string): Promise<number> => {
    const [row] = await database.query<{ count: number }>(`select count(*)::int as count from ${text}`);
    return row?.count ?? -1;
  };
  const accept = { action: "accept", account: "suspense", reason: "not ours, being looked into" };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    host = await startHostProcess(database, { settings: { SEAL: "false" } });
    [ani, budi, reader] = await Promise.all([
      reconToken(database, "ani"),
      reconToken(database, "budi"),
      reconToken(database, "cici", ["recon:read"]),
    ]);
  });
  afterAll(async () => {
    host.child.kill("SIGTERM");
    await host.ended;
    await database.drop();
  });

  it("stores a profile once, its change as the next version, and writes down who did it", async () => {
    const set = (definition: unknown, token = ani) => as(token, "PUT /profiles/full", { json: definition });
    const first = await set(FULL_PROFILE);
    expect([first.status, first.body]).toEqual([201, { code: "full", version: 1, isNew: true }]);
    const again = await set(FULL_PROFILE);
    expect([again.status, again.body]).toEqual([200, { code: "full", version: 1, isNew: false }]);
    const bad = await set({ ...FULL_PROFILE, header: "none", rules: 1 });
    expect([bad.status, bad.body["code"]]).toEqual([422, "settlement_profile"]);
    expect(JSON.stringify(bad.body["problems"])).toContain("rules");
    const stranger = await set({ ...FULL_PROFILE, partner: "nobody" });
    expect([stranger.status, stranger.body["code"]]).toEqual([422, "unknown_partner"]);
    expect((await set(FULL_PROFILE, reader)).status).toBe(403);
    expect((await as(ani, "PUT /profiles/No%20Code", { json: FULL_PROFILE })).status).toBe(400);
    const both = await Promise.all([1, 2].map(() => set({ ...FULL_PROFILE, rules: [] })));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 201]);
    expect(
      await database.query(`select actor, object from operator_action where action = 'settlement-profile.set'`),
    ).toEqual(
      Array.from({ length: 2 }, () => ({
        ...{ actor: expect.stringMatching(/^ani \(api:/) as string, object: "settlement-profile:full" },
      })),
    );
  });

  it("tries several dates at once, and keeps nothing", async () => {
    const rows = Array.from(
      { length: LINES },
      (_, n) => `T${n},001001,${String(n).padStart(13, "0")},${30_000 + n},5000,${DAY} 10:00:00,${DAY},paid`,
    );
    const file = `${FULL_HEADER}\n${rows.join("\n")}\n`;
    expect(
      (await as(ani, "POST /files", { file, query: { profile: "full", fileName: "a.csv", date: DAY } })).status,
    ).toBe(201);
    const range = { profile: "full", date: DAY, to: DAY };
    const tried = await as(ani, "POST /dry-runs", { json: range });
    expect(tried.data).toMatchObject([
      {
        settlementDate: DAY,
        isDryRun: true,
        summary: { lines: LINES, findings: [{ class: "missing-here", count: LINES }] },
        changeCount: 0,
      },
    ]);
    expect(await count("reconciliation_run")).toBe(0);
    expect(
      (await as(ani, "POST /dry-runs", { json: { ...range, date: "2026-01-01", to: "2026-01-31" } })).data,
    ).toEqual([]);
    for (const [date, to] of [
      [DAY, "2026-01-01"],
      ["2026-01-01", "2026-02-01"],
    ]) {
      const refused = await as(ani, "POST /dry-runs", { json: { profile: "full", date, to } });
      expect([refused.status, refused.text]).toEqual([422, expect.stringContaining("31 days from date on")]);
    }
  });

  it("proposes for those that can be, tells why not of the others, and repeats under a key", async () => {
    expect((await as(ani, "POST /runs", { json: { profile: "full", date: DAY } })).status).toBe(200);
    items = (await as(ani, "GET /exceptions")).data.map(({ itemId }) => String(itemId));
    expect(items).toHaveLength(LINES);
    const [first = "", second = ""] = items;
    const headers = { "idempotency-key": "bulk-0001" };
    const request = { headers, json: { items: [first, NOBODY, second, first], ...accept } };
    const made = await as(ani, "POST /proposals", request);
    expect([made.status, made.body]).toMatchObject([200, { proposed: 2, failed: 1, hasMore: false }]);
    expect(made.data).toMatchObject([
      { itemId: first, proposalId: expect.any(String) as string, code: null, error: null },
      { itemId: NOBODY, proposalId: null, code: "no_exception" },
      { itemId: second, proposalId: expect.any(String) as string },
    ]);
    const again = await as(ani, "POST /proposals", request);
    expect([again.text, again.headers.get("x-replayed")]).toEqual([made.text, "true"]);
    const third = await as(ani, "POST /proposals", { json: { items: [first, items[2]], ...accept } });
    expect(third.data).toMatchObject([{ code: "proposed", proposalId: null }, { code: null }]);
    expect(await count("exception_proposal")).toBe(3);
    const bare = await as(ani, "POST /proposals", {
      json: { items: [items[3]], action: "accept", reason: "as it is" },
    });
    expect(bare.data).toMatchObject([
      { code: "account", error: expect.stringMatching(/: propose it with an account$/) as string },
    ]);
  });

  it("proposes for what a filter finds and nothing waits for", async () => {
    const json = { filter: { profile: "full", class: "missing-here", amountMin: "30004" }, ...accept };
    const made = await as(ani, "POST /proposals", { json });
    expect([made.status, made.body]).toMatchObject([200, { proposed: 2, failed: 0, hasMore: false }]);
    batch = String(made.body["batchId"]);
    const none = await as(ani, "POST /proposals", { json });
    expect(none.body).toEqual({ batchId: null, proposed: 0, failed: 0, hasMore: false, data: [] });
    expect(await count("exception_proposal")).toBe(5);
  });

  it("approves a batch, tells the same again, and lets nobody approve what is their own", async () => {
    const own = await as(ani, "POST /approvals", { json: { batch } });
    expect(own.body).toMatchObject({
      approved: 0,
      failed: 2,
      data: [{ code: "same_person" }, { code: "same_person" }],
    });
    const done = await as(budi, "POST /approvals", { json: { batch, note: "seen" } });
    expect(done.body).toMatchObject({ approved: 2, failed: 0, hasMore: false });
    expect(done.data).toMatchObject([
      { done: "accepted", entryId: expect.any(String) as string, isRepeated: false, code: null },
      { isRepeated: false },
    ]);
    const again = await as(budi, "POST /approvals", { json: { batch } });
    expect(again.body).toMatchObject({ approved: 2, failed: 0, data: [{ isRepeated: true }, { isRepeated: true }] });
    expect(await count("settlement_posting where kind = 'resolution'")).toBe(2);
  });

  it("approves all that others have proposed, once although it is asked twice at a time", async () => {
    expect((await as(ani, "POST /approvals", { json: { all: true } })).body).toMatchObject({ approved: 0, failed: 0 });
    const named = await as(budi, "POST /approvals", { json: { proposals: [NOBODY] } });
    expect(named.body).toMatchObject({ approved: 0, failed: 1, data: [{ code: "no_proposal" }] });
    const both = await Promise.all([1, 2].map(() => as(budi, "POST /approvals", { json: { all: true } })));
    for (const { status, body } of both) expect([status, body["failed"]]).toEqual([200, 0]);
    expect(await count("settlement_posting where kind = 'resolution'")).toBe(5);
    expect(await count("exception_proposal where decision = 'approved'")).toBe(5);
    expect((await as(budi, "POST /approvals", { json: { batch: NOBODY } })).status).toBe(404);
  });

  it("puts a due rule in force once, and writes down who did it", async () => {
    expect((await as(reader, "GET /due-rule")).body).toMatchObject({ version: 0 });
    const rule = { tiers: [{ from: "0", hours: 48 }] };
    const set = () => as(ani, "PUT /due-rule", { json: rule });
    const both = await Promise.all([set(), set()]);
    expect(both.map(({ status, body }) => [status, body["version"]])).toEqual([
      [200, 1],
      [200, 1],
    ]);
    expect((await as(reader, "GET /due-rule")).body).toEqual({ version: 1, rule });
    const bad = await as(ani, "PUT /due-rule", { json: { tiers: [{ from: "-1", hours: 0.5 }] } });
    expect([bad.status, (bad.body["problems"] as string[]).length]).toEqual([422, expect.any(Number)]);
    expect((await as(reader, "PUT /due-rule", { json: rule })).status).toBe(403);
    expect(await count("operator_action where action = 'exception-due-rule.set' and actor like 'ani (api:%'")).toBe(1);
  });

  it.each([
    ["neither items nor filter", "/proposals", accept, /either items or filter/],
    ["both", "/proposals", { ...accept, items: [NOBODY], filter: {} }, /either items or filter/],
    ["no items", "/proposals", { ...accept, items: [] }, /at least one/],
    ["too many", "/proposals", { ...accept, items: Array.from({ length: 301 }, () => NOBODY) }, /at most 300/],
    ["no UUID", "/proposals", { ...accept, items: ["' or true --"] }, /must be a UUID/],
    ["a link", "/proposals", { ...accept, items: [NOBODY], action: "link" }, /action must be one of/],
    ["an unknown filter", "/proposals", { ...accept, filter: { state: "closed" } }, /state is nothing that is known/],
    ["a bad class", "/proposals", { ...accept, filter: { class: "matched" } }, /filter.class must be one of/],
    ["nothing to approve", "/approvals", {}, /one of proposals, batch and all/],
    ["two ways", "/approvals", { all: true, batch: NOBODY }, /one of proposals, batch and all/],
    ["all: false", "/approvals", { all: false }, /all/],
  ])("refuses %s", async (_, path, json, problem) => {
    const refused = await as(budi, `POST ${path}`, { json });
    expect([refused.status, refused.text]).toEqual([422, expect.stringMatching(problem)]);
    expect((await as(reader, `POST ${path}`, { json })).status).toBe(403);
  });
});
