import { runSequences } from "../receivables/world";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(300_000);

/** The long run is a program: npm run receivables. */
const SEQUENCES = 20;

describe("receivables under random orders of everything that clears them", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it(`are cleared once and explained to the rupiah, in ${SEQUENCES} sequences of 30 operations`, async () => {
    expect(await runSequences(database, { from: 1, count: SEQUENCES, length: 30 })).toEqual([]);
  });
});
