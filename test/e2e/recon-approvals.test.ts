import { fill, TEST_KEYS } from "../support/builders";
import { type Ended, startBiller } from "../support/command-line";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { askRecon, type ReconReply, type ReconRequest, reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";
import { FULL_HEADER, FULL_PROFILE, settlementDesk } from "../support/settlement-files";

jest.setTimeout(240_000);

const NOBODY = "00000000-0000-4000-8000-000000000000";
/** More than one request approves, that all fail: their bills do not exist. */
const FAILING = 303;
const GOOD = 3;
/** Amounts of the lines that can be accepted, in three lots. */
const LOTS = ["20001", "20002", "20003"] as const;

describe("approving everything that waits while the oldest always fails", () => {
  let database: TestDatabase;
  let host: HostProcess;
  let [ani, budi]: string[] = [];
  const as = (token: string | undefined, what: string, request: ReconRequest = {}): Promise<ReconReply> =>
    askRecon(host.url, token ?? null, what, request);
  const biller = (...args: readonly string[]): Promise<Ended> => {
    const keys = TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join();
    const urls = { DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl };
    return startBiller(["recon", ...args], { ...urls, CREDENTIAL_KEYS: keys, BILLER_OPERATOR: "budi" }).ended;
  };
  const decided = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (
        await database.query<{ decision: string; count: number }>(
          `select coalesce(decision, 'waiting') as decision, count(*)::int as count from exception_proposal group by 1`,
        )
      ).map(({ decision, count }) => [decision, count]),
    );
  const propose = async (action: string, more: object, filter: object): Promise<void> => {
    const json = { filter: { profile: "full", ...filter }, action, reason: "for a test", ...more };
    for (;;) {
      const made = await as(ani, "POST /proposals", { json });
      expect([made.status, made.body["failed"]]).toEqual([200, 0]);
      if (made.body["hasMore"] !== true) return;
    }
  };

  const proposeLot = (lot: 0 | 1 | 2): Promise<void> =>
    propose("accept", { account: "suspense" }, { amountMin: LOTS[lot], amountMax: LOTS[lot] });

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    host = await startHostProcess(database, { settings: { SEAL: "false" } });
    [ani, budi] = await Promise.all([reconToken(database, "ani"), reconToken(database, "budi")]);
    const desk = settlementDesk(database);
    await desk.saveProfile("full", FULL_PROFILE);
    const lines = Array.from({ length: FAILING + GOOD * LOTS.length }, (_, n) => {
      const amount = n < FAILING ? 30_000 : LOTS[(n - FAILING) % LOTS.length];
      return `T${n},001001,${String(n).padStart(13, "0")},${amount},0,${DAY} 10:00:00,${DAY},paid`;
    });
    await desk.import("a.csv", `${[FULL_HEADER, ...lines].join("\n")}\n`, { date: DAY });
    desk.close();
    await as(ani, "POST /runs", { json: { profile: "full", date: DAY } });
    await propose("advise", {}, { amountMin: "30000" });
    await proposeLot(0);
  });
  afterAll(async () => {
    host.child.kill("SIGTERM");
    await host.ended;
    await database.drop();
  });

  it("lists what waits when nothing is named on the command line, and ends with 2", async () => {
    const said = await biller("approve");
    expect(said.code).toBe(2);
    expect(said.out.split("\n").length).toBeGreaterThan(FAILING);
    expect(said.err).toContain("usage: biller recon approve <ids...>");
    expect(await decided()).toEqual({ waiting: FAILING + GOOD });
  });

  it("gives each a turn by its cursor, and remembers what failed", async () => {
    const first = await as(budi, "POST /approvals", { json: { all: true } });
    expect(first.body).toMatchObject({ approved: 0, failed: 300, hasMore: true, next: expect.any(String) as string });
    expect(first.data[0]).toMatchObject({ code: "advice_declined", error: expect.any(String) as string });
    const after = first.body["next"];
    for (const wrong of [
      { batch: NOBODY, after },
      { all: true, after: "eA" },
    ]) {
      const refused = await as(budi, "POST /approvals", { json: wrong });
      expect([refused.status, refused.body["code"]]).toEqual([422, "cursor"]);
    }
    const second = await as(budi, "POST /approvals", { json: { all: true, after } });
    expect(second.body).toMatchObject({ approved: GOOD, failed: 3, hasMore: false, next: null });
    expect(await decided()).toEqual({ approved: GOOD, waiting: FAILING });
    const shown = await as(budi, "GET /proposals", { query: { state: "waiting", failed: "true", limit: "500" } });
    expect(shown.data).toHaveLength(FAILING);
    expect(shown.data[0]).toMatchObject({
      lastFailedAt: expect.any(String) as string,
      lastFailure: expect.stringMatching(/^advice_declined: /) as string,
    });
  });

  it("begins with what has had no turn yet, so that a sender without the cursor gets on as well", async () => {
    await proposeLot(1);
    const again = await as(budi, "POST /approvals", { json: { all: true } });
    expect(again.body).toMatchObject({ approved: GOOD, failed: 300 - GOOD, hasMore: true });
    expect(again.data.slice(0, GOOD).map(({ code }) => code)).toEqual([null, null, null]);
    expect(await decided()).toEqual({ approved: 2 * GOOD, waiting: FAILING });
  });

  it("names what fails inside for that one alone, over HTTP and on the command line", async () => {
    await proposeLot(2);
    // As a defect of ours would: neither a refusal nor a fault.
    await database.query(`
      create function fail_inside() returns trigger language plpgsql as $$ begin perform 1 / 0; return new; end $$;
      create trigger fail_inside before insert on settlement_posting for each row execute function fail_inside()`);
    const goods = await database.query<{ proposal_id: string }>(
      `select proposal_id from exception_proposal where action = 'accept' and decision is null order by proposed_at`,
    );
    const ids = goods.map((row) => row.proposal_id);
    const refused = await as(budi, "POST /approvals", { json: { proposals: ids } });
    expect(refused.status).toBe(200);
    expect(refused.data.map(({ code }) => code)).toEqual(["internal", "internal", "internal"]);
    expect(refused.text).not.toContain("division");
    expect(refused.data[0]?.["error"]).toMatch(/^internal fault, reference [0-9a-f-]{36}$/);
    const one = await as(budi, `POST /proposals/${ids[0]}/approve`);
    expect([one.status, one.body["code"]]).toEqual([500, "internal"]);
    expect(one.body["instance"]).toMatch(/^urn:uuid:/);
    const said = await biller("approve", ...ids, "--yes");
    expect([said.code, said.out]).toEqual([1, expect.stringContaining("0 approved by budi")]);
    expect(said.err).toContain(`${ids[0]?.slice(0, 13)}: internal fault: error: division by zero`);
    expect(said.err).not.toContain("    at ");
    await database.query(`drop trigger fail_inside on settlement_posting`);
    expect((await as(budi, "POST /approvals", { json: { proposals: ids } })).body).toMatchObject({ approved: GOOD });
  });
});
