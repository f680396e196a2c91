import { AUDIT_LISTINGS, type AuditReader, type Listing, openReader, type Page, readPage } from "../../src/ops";
import { type Clock, type Statement, systemClock, type Tx } from "../../src/platform";
import { fill } from "../support/builders";
import { createTestDatabase, type TestDatabase } from "../support/services";

const ROWS = 9_000;
const EVERY = 3_000;

describe("a page under a filter that almost nothing fits", () => {
  let database: TestDatabase;
  let reader: AuditReader;
  const attempts = AUDIT_LISTINGS.find(({ name }) => name === "attempts") as Listing;
  const texts = new Set<string>();
  const read = (cursor: string | null, budgetMs: number, limit = 10, clock: Clock = systemClock): Promise<Page> =>
    reader.ask({ timeoutMs: 20_000 }, async (tx) => {
      const watched: Tx = {
        run: (statement: Statement, values) => {
          texts.add(statement.name);
          return tx.run(statement, values);
        },
      };
      const question = { filters: { outcome: "RARE" }, limit, order: "asc" as const, cursor };
      const page = await readPage(watched, clock, attempts, question, budgetMs);
      if ("problem" in page) throw new Error(page.problem);
      return page;
    });

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    await database.query(
      `insert into attempt (attempt_id, received_at, partner_id, outcome, result_code, http_status, is_replay, is_delivered,
                            duration_ms)
       select gen_random_uuid(), date_trunc('hour', now()) + n * interval '1 millisecond', 1,
              case when n % ${EVERY} = 0 then 'RARE' else 'APPROVED' end, '00', 200, false, true, n
         from generate_series(1, ${ROWS}) n`,
    );
    reader = openReader({
      ...{ url: database.auditorUrl, poolMax: 1, clock: systemClock },
      onFault: (fault) => {
        throw fault;
      },
    });
  });
  afterAll(async () => {
    await reader.close();
    await database.drop();
  });

  it("ends when its time is up, says how far it has looked, and is taken up there without loss", async () => {
    const found: unknown[] = [];
    const places: string[] = [];
    let next: string | null = null;
    for (let pages = 0; pages < 100; pages++) {
      const page: Page = await read(next, 0);
      found.push(...page.rows.map((row) => row["durationMs"]));
      next = page.next;
      expect(page.scannedUntil === null).toBe(next === null);
      if (page.scannedUntil !== null) places.push(page.scannedUntil);
      if (next === null) break;
    }
    expect(found).toEqual([EVERY, 2 * EVERY, 3 * EVERY]);
    // The first statement of a page looks at two thousand rows.
    expect(places).toHaveLength(4);
    expect(places).toEqual(places.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(places[0]).toMatch(/T\d\d:00:02\.000000Z$/);
  });

  it("goes on within its time, in one page, with the same prepared text however far a statement looks", async () => {
    texts.clear();
    const page = await read(null, 20_000);
    expect(page.rows.map((row) => row["durationMs"])).toEqual([EVERY, 2 * EVERY, 3 * EVERY]);
    expect([page.next, page.scannedUntil]).toEqual([null, null]);
    // The first one has no place to go on from yet.
    expect(texts.size).toBe(2);
  });

  it("is full at its limit, also in the last row of what a statement looked at", async () => {
    for (const limit of [1, 2, 3]) {
      const page = await read(null, 20_000, limit);
      expect(page.rows).toHaveLength(limit);
      expect(page.scannedUntil).toBeNull();
      const rest = page.next === null ? [] : (await read(page.next, 20_000)).rows;
      expect([...page.rows, ...rest].map((row) => row["durationMs"])).toEqual([EVERY, 2 * EVERY, 3 * EVERY]);
    }
  });
});
