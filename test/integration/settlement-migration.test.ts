import type { Db } from "../../src/platform";
import { migratorConfig } from "../../src/platform/migrate";
import { listQueue, WHOLE_QUEUE } from "../../src/ops";
import { fill, testDb, transact } from "../support/builders";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";
import { FULL_PROFILE, settlementDesk } from "../support/settlement-files";

jest.setTimeout(120_000);

const NAME = "020-settlement-files";

describe("the migration of settlement files with rows in place", () => {
  let database: TestDatabase;
  let owner: Db;
  beforeAll(async () => {
    database = await createTestDatabase();
    owner = testDb(database.ownerUrl, 2);
    await fill(database, []);
    const desk = settlementDesk(database);
    await desk.saveProfile("full", FULL_PROFILE);
    desk.close();
  });
  afterAll(async () => {
    await owner.close();
    await database.drop();
  });

  it("keeps files and closes, and opens an exception for each unreadable line of a current file", async () => {
    const config = { ...migratorConfig(), name: NAME };
    await owner.knex.migrate.down(config);
    await database.query(
      `insert into settlement_file (file_id, profile_code, profile_version, partner_id, file_name, version, content_sha256,
         byte_count, settlement_date, product_codes, line_count, bad_line_count, amount_total, fee_total, imported_by, superseded_by)
       values (2, 'full', 1, 1, 'day.csv', 2, sha256('2'), 1, '${DAY}', '{}', 2, 1, 5, 0, 'x', null),
              (1, 'full', 1, 1, 'day.csv', 1, sha256('1'), 1, '${DAY}', '{}', 1, 1, 0, 0, 'x', 2)`,
    );
    await database.query(
      `insert into settlement_line (file_id, line_no, fault, raw) values (1, 2, 'has 1 columns', 'x'), (2, 3, 'has 2 columns', 'x')`,
    );
    await database.query(
      `insert into day_close (business_date, as_of, body, sha256, closed_by, closed_via)
       values ('${DAY}', now(), '{"format":"biller day close 1"}', sha256('{"format":"biller day close 1"}'), 'x', 'x')`,
    );
    await owner.knex.migrate.up(config);
    const db = testDb(database.appUrl, 1);
    const items = await transact(db, (tx) => listQueue(tx, WHOLE_QUEUE));
    await db.close();
    expect(items).toMatchObject([
      {
        class: "unreadable-line",
        profileCode: "full",
        businessDate: DAY,
        fileId: 2,
        lineNo: 3,
        detail: "line 3 of day.csv: has 2 columns",
      },
    ]);
    expect(await database.query("select business_date, version from closed_day")).toEqual([
      { business_date: DAY, version: 1 },
    ]);
    expect(await database.query("select file_id, version from settlement_file order by 1")).toEqual([
      { file_id: 1, version: 1 },
      { file_id: 2, version: 2 },
    ]);
  });
});
