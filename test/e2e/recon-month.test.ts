import { runMonth } from "../month/month";
import { brokenLaws } from "../support/laws";
import { createTestDatabase } from "../support/services";
import { DAMAGES } from "../support/settlement-days";

jest.setTimeout(300_000);

it("two days of every kind of damage are explained to the rupiah and closed, by the commands alone", async () => {
  const database = await createTestDatabase();
  try {
    const { report, faults } = await runMonth(database, {
      ...{ payments: DAMAGES.length * 4, days: 2, damageEvery: 2, say: () => {} },
    });
    expect(faults).toEqual([]);
    expect(report).toContain("2 files");
    for (const found of ["missing-here", "missing-in-file", "duplicate-in-file", "reversed-there", "status-differs"]) {
      expect(report).toContain(`  ${found}: `);
    }
    expect(await brokenLaws(database)).toEqual([]);
  } finally {
    await database.drop();
  }
});
