import { fill, TEST_KEYS } from "../support/builders";
import { type Ended, startBiller } from "../support/command-line";
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

const NEXT = "2026-11-21";

describe("the commands about settlement files and days", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  const run = (...args: readonly string[]): Promise<Ended> => {
    const keys = TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join();
    const urls = { DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl };
    return startBiller(["recon", ...args], { ...urls, CREDENTIAL_KEYS: keys, BILLER_OPERATOR: "ani" }).ended;
  };
  const truth = { amount: 30_000n, feeAmount: 5_000n, minute: 600 } as const;
  const day = dayOf([
    { ...truth, damage: "none" },
    { ...truth, damage: "none" },
  ]);
  const [first = "", second = ""] = day.lines.map(fullLine);

  beforeAll(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    await fill(database, []);
    await bookPayments(database, day.payments);
    await bookPostings(database);
  });
  afterAll(async () => {
    desk.close();
    await database.drop();
  });

  it("suggest to expect the file of a new profile, and set, list and overrule what is expected", async () => {
    const stored = await run("profile", "set", "full", desk.write("profile.json", JSON.stringify(FULL_PROFILE)));
    expect(stored.err).toContain("no file of it is expected yet: biller recon expect set --profile full");
    expect((await run("expect", "list")).out).toContain("no file is expected");
    const set = await run("expect", "set", "--profile", "full", "--from", DAY, "--except", NEXT);
    expect(set.out).toBe(`version 1: from ${DAY} every day, except ${NEXT}, due 09:00 WIB of the next day\n`);
    expect((await run("expect", "set", "--profile", "full", "--from", DAY, "--except", NEXT)).out).toBe(
      "nothing changes: that is version 1\n",
    );
    expect((await run("expect", "list")).out).toMatch(/full +bmandiri +any +1 +from 2026-11-20 every day/);
    expect((await run("expect", "set", "--profile", "full", "--due", "9:00")).code).toBe(64);
    expect((await run("expect", "remove", "--profile", "full", "--product", "001001")).err).toContain("is expected");
  });

  it("refuse to close a day without its file, or later than the first, and say what to do", async () => {
    const missing = await run("exceptions", "--class", "missing-file", "--date", DAY);
    expect(missing.out).toMatch(/missing-file +2026-11-20 +Rp 60\.000/);
    const refused = await run("close", "--date", DAY, "--yes");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toContain(`the file of full for ${DAY} has not come: biller recon close --without-file`);
    const later = await run("close", "--date", NEXT, "--yes");
    expect(later.err).toContain(
      `there are entries of ${DAY} and later: close ${DAY} first: with --first in place of --date`,
    );
    const asked = await run("close", "--first", NEXT);
    expect(asked.code).toBe(78);
    expect(asked.err).toContain(`Closed days begin at ${NEXT}; ${DAY} and later dates before it are never closed.`);
    expect(asked.err).toContain("due-from-switch Rp 70.000");
  });

  it("close it without the file by two people, and name them", async () => {
    expect((await run("close", "--date", DAY, "--without-file")).code).toBe(78);
    const proposed = await run("close", "--date", DAY, "--without-file", "--because", "the switch is down");
    expect(proposed.out).toContain(`proposed by ani for 1 missing files of ${DAY}`);
    const batch = /recon approve (\S+)/.exec(proposed.out)?.[1] ?? "";
    expect((await run("approve", batch, "--yes")).code).not.toBe(0);
    expect((await run("approve", batch, "--yes", "--as", "budi")).out).toContain("its day may be closed without it");
    const closed = await run("close", "--date", DAY, "--to", NEXT, "--yes");
    expect(closed.code).toBe(0);
    expect(closed.out).toContain("without the file of full: the switch is down (ani and budi)");
  });

  it("open days again by two people, take the file with a supplement, and close them in order", async () => {
    const proposed = await run("reopen", "--date", DAY, "--because", "the file came");
    expect(proposed.out).toContain(`open again ${DAY}, ${NEXT}`);
    const id = /recon approve (\S+)/.exec(proposed.out)?.[1] ?? "";
    expect((await run("approve", id, "--yes", "--as", "budi")).out).toContain(`open again: ${DAY}, ${NEXT}`);
    const bad = second.replace("30000", "30.000");
    const file = desk.write("day.csv", `${[FULL_HEADER, first, bad].join("\n")}\n`);
    expect((await run("import", file, "--profile", "full", "--date", DAY)).out).toContain(
      "each is an exception: biller recon exceptions --class unreadable-line",
    );
    expect((await run("run", "--profile", "full", "--date", DAY)).code).toBe(0);
    expect((await run("settle", "--profile", "full", "--date", DAY, "--yes")).code).toBe(0);
    const corrected = desk.write("corrected.csv", `${[FULL_HEADER, second].join("\n")}\n`);
    const replaced = await run(
      "import",
      desk.write("day.csv", `${FULL_HEADER}\n${first}\n${second}\n`),
      "--profile",
      "full",
      "--date",
      DAY,
      "--replace",
    );
    expect(replaced.err).toContain(
      "it cannot be replaced any more: what it lacks can come as a further file with --supplement-of",
    );
    const bare = await run("import", corrected, "--profile", "full", "--supplement-of", "1");
    expect(bare.err).toContain("a supplement must name the lines that it corrects: with --for-line");
    const taken = await run("import", corrected, "--profile", "full", "--supplement-of", "1", "--for-line", "3");
    expect(taken.out).toContain("it supplements file 1; run the date again");
    expect((await run("run", "--profile", "full", "--date", DAY)).out).toContain(
      "2 files, 3 lines: 2 matched, 1 unreadable",
    );
    expect((await run("exceptions", "--date", DAY)).out).toBe("nothing to look at\n");
    const closed = await run("close", "--date", DAY, "--to", NEXT, "--yes");
    expect(closed.out).toContain(`${DAY}, version 2: closed as of`);
    expect(closed.out).toContain(`${NEXT}, version 2: closed as of`);
    expect((await run("close", "--date", DAY, "--to", NEXT, "--yes")).out).toContain("the same bytes again");
    const body = await run("report", "--date", DAY, "--version-no", "1", "--format", "json", "--out", "-");
    expect(JSON.parse(body.out)).toMatchObject({ version: 1, expectedFiles: [{ state: "without-file" }] });
    expect((await run("report", "--date", DAY, "--version-no", "3", "--out", "-")).err).toContain("has no version 3");
  });
});
