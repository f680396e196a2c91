import { fill, TEST_KEYS } from "../support/builders";
import { type Ended, startBiller } from "../support/command-line";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY, dayOf } from "../support/settlement-days";
import { bookPayments, FULL_HEADER, FULL_PROFILE, fullLine, settlementDesk } from "../support/settlement-files";

jest.setTimeout(120_000);

describe("the commands about reconciliation", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  const run = (args: readonly string[]): Promise<Ended> => {
    const keys = TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join();
    const urls = { DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl };
    return startBiller(["recon", ...args], { ...urls, CREDENTIAL_KEYS: keys }).ended;
  };
  const truth = { amount: 30_000n, feeAmount: 5_000n, minute: 600 };
  const day = dayOf([
    { ...truth, damage: "none" },
    { ...truth, damage: "amount-differs" },
    { ...truth, damage: "missing-in-file" },
    { ...truth, damage: "other-bill-number" },
  ]);

  beforeAll(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    await fill(database, []);
    await bookPayments(database, day.payments);
  });
  afterAll(async () => {
    desk.close();
    await database.drop();
  });

  it("check, store, list and show profiles", async () => {
    const good = desk.write("profile.json", JSON.stringify(FULL_PROFILE));
    const bad = desk.write("bad.json", JSON.stringify({ ...FULL_PROFILE, header: "none", rules: 1 }));
    const checked = await run(["profile", "check", bad]);
    expect(checked.code).toBe(78);
    expect(checked.err).toContain("rules: ");
    expect((await run(["profile", "check", good])).out).toContain("is a valid profile");
    expect((await run(["profile", "set", "full", good])).out).toBe("stored as version 1 of full\n");
    expect((await run(["profile", "set", "full", good])).out).toBe("nothing changes: that is version 1 of full\n");
    expect((await run(["profile", "set", "Full", good])).code).toBe(78);
    expect(JSON.parse((await run(["profile", "list", "--json"])).out)).toMatchObject([{ code: "full", files: 0 }]);
    expect(JSON.parse((await run(["profile", "show", "full", "--stored"])).out)).toEqual(FULL_PROFILE);
    expect((await run(["profile", "show", "nobody"])).err).toContain("there is no settlement profile nobody");
  });

  it("import a file, run its date and say why a line did not match", async () => {
    const file = desk.write("day.csv", `${[FULL_HEADER, ...day.lines.map(fullLine), "x"].join("\n")}\n`);
    const imported = await run(["import", file, "--profile", "full", "--date", DAY, "--as", "Ani"]);
    expect(imported.out).toContain("stored as file 1, day.csv version 1");
    expect(imported.out).toContain("1 lines cannot be read: biller recon show --file 1 --class unreadable");
    expect((await run(["import", file, "--profile", "full", "--date", DAY])).out).toContain("nothing to do");
    const ran = await run(["run", "--profile", "full", "--date", DAY, "--as", "Budi"]);
    expect(ran.out).toContain("1 file, 4 lines: 1 matched, 1 unreadable");
    const actions = await database.query<{ action: string; actor: string }>(
      "select action, actor from operator_action where object not like 'seal%' order by recorded_at",
    );
    expect(actions.map(({ action, actor }) => [action, actor.replace(/cli:.+@.+\)$/, "cli)")])).toEqual([
      ["settlement-profile.set", expect.stringMatching(/^\S+ \(cli\)$/)],
      ["settlement-file.import", "Ani (cli)"],
      ["reconciliation.run", "Budi (cli)"],
    ]);
    expect(
      await database.query(`select imported_by like 'Ani (cli:%' as is_ani from settlement_file
                             union all select started_by like 'Budi (cli:%' from reconciliation_run`),
    ).toEqual([{ is_ani: true }, { is_ani: true }]);
    expect(ran.out).toMatch(/missing-in-file +2 +Rp 60\.000 +-Rp 60\.000/);
    const why = await run(["show", "--line", "3"]);
    expect(why.out).toContain("file 1, line 3: amount-differs by traxId");
    expect(why.out).toContain("the file says Rp 1 more than our books");
    const strange = await run(["show", "--trax", day.lines[2]?.traxId ?? ""]);
    expect(strange.out).toMatch(/missing-here\n.*\n +traxId: nearest is T0+3, blocked by billNumber/);
    expect((await run(["show", "--profile", "full", "--date", DAY])).out).toContain("missing-in-file");
    expect((await run(["show", "--file", "1", "--class", "unreadable"])).out).toContain("has 1 columns, expected 8");
  });

  it("show what other rules would find, and keep nothing of it", async () => {
    const rules = desk.write("rules.json", JSON.stringify([{ kind: "bill", name: "amount", fields: ["amount"] }]));
    expect((await run(["run", "--profile", "full", "--date", DAY, "--rules", rules])).code).toBe(78);
    const dry = await run(["run", "--profile", "full", "--date", DAY, "--to", DAY, "--dry-run", "--rules", rules]);
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining(`dry run, business date ${DAY}`) as string });
    expect((await run(["run", "--profile", "full", "--date", "2026-02-30"])).code).toBe(64);
    expect((await run(["run", "--profile", "full", "--date", "2026-01-01"])).err).toContain(
      "has no file of business date",
    );
  });
});
