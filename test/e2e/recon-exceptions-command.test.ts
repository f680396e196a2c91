import { closeDay } from "../../src/ops";
import { fill, TEST_KEYS } from "../support/builders";
import { type Ended, startBiller } from "../support/command-line";
import { brokenLaws } from "../support/laws";
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
import { ANI } from "../support/two-people";

jest.setTimeout(240_000);

describe("the commands about exceptions, settlement and days", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  const run = (...args: readonly string[]): Promise<Ended> => {
    const keys = TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join();
    const urls = { DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl };
    const names = { BILLER_OPERATOR: "ani", BILLER_NAME: "PT Tagihan Nusantara" };
    return startBiller(["recon", ...args], { ...urls, ...names, CREDENTIAL_KEYS: keys }).ended;
  };
  const json = async (...args: readonly string[]): Promise<unknown> => {
    const { out, err, code } = await run(...args, "--json");
    expect({ err, code }).toEqual({ err: "", code: 0 });
    return JSON.parse(out);
  };
  const truth = { amount: 30_000n, feeAmount: 5_000n, minute: 600 };
  const day = dayOf([
    { ...truth, damage: "none" },
    { ...truth, damage: "amount-differs" },
    { ...truth, damage: "missing-in-file" },
  ]);

  beforeAll(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    await fill(database, []);
    await desk.saveProfile("full", FULL_PROFILE);
    await bookPayments(database, day.payments);
    await bookPostings(database);
    await desk.import("day.csv", `${[FULL_HEADER, ...day.lines.map(fullLine)].join("\n")}\n`, { date: DAY });
    await run("run", "--profile", "full", "--date", DAY);
  });
  afterAll(async () => {
    desk.close();
    await database.drop();
  });

  it("propose, refuse to let one person decide alone, and approve", async () => {
    const queue = (await json("exceptions")) as { itemId: string; class: string }[];
    expect(queue.map((item) => item.class).toSorted()).toEqual(["amount-differs", "missing-in-file"]);
    const differing = queue.find((item) => item.class === "amount-differs")?.itemId ?? "";
    const asked = await run("resolve", differing, "--action", "accept", "--because", "agreed", "--account", "suspense");
    expect(asked).toMatchObject({ code: 78, err: expect.stringContaining("Say --yes") as string });
    const accept = ["resolve", differing, "--action", "accept", "--because", "agreed", "--yes"];
    expect((await run(...accept)).err).toContain("a difference of 1 rupiah needs an account");
    expect((await run(...accept, "--account", "bank")).code).toBe(64);
    const made = (await json(...accept, "--account", "settlement-difference")) as { batchId: string };
    expect((await run(...accept, "--account", "suspense")).err).toContain("waits for a decision already");
    const alone = await run("approve", made.batchId, "--yes");
    expect(alone).toMatchObject({ code: 1, err: expect.stringContaining("somebody else must decide") as string });
    expect((await run("approve", made.batchId, "--yes", "--as", "x'; drop")).code).toBe(78);
    expect((await run("approve", made.batchId, "--yes", "--as", "budi")).out).toContain("1 approved by budi");
    expect((await run("exceptions", differing.slice(0, 8))).out).toMatch(/closed[\s\S]*budi approved: accept of ani/);
    const missing = ["resolve", "--all", "--class", "missing-in-file", "--action", "write-off", "--because", "lost"];
    const wrong = (await json(...missing, "--yes")) as { batchId: string; count: number };
    expect(wrong.count).toBe(1);
    expect((await run("refuse", wrong.batchId, "--note", "look again", "--as", "budi")).out).toBe(
      "1 refused by budi\n",
    );
    expect(await json(...missing, "--yes")).toMatchObject({ count: 1 });
    expect((await run("approve", "--all", "--yes", "--as", "budi")).out).toContain("accepted");
    expect((await run("exceptions")).out).toBe("nothing to look at\n");
  });

  it("post what is matched, clear it by the bank's credit, and show what is left", async () => {
    expect((await run("settle", "--profile", "full", "--date", DAY, "--yes")).out).toBe(
      "day.csv: 1 lines, Rp 35.000\n",
    );
    expect((await run("settle", "--profile", "full", "--date", DAY, "--yes")).out).toContain("nothing more to post");
    expect(await json("ageing")).toMatchObject([{ account: "bank-in-transit", total: "70001" }]);
    const credit = ["bank-credit", "--amount", "70001", "--date", DAY, "--reference", "BCA 1", "--yes"];
    expect((await run(...credit.with(2, "70.001"))).code).toBe(64);
    const made = (await json(...credit)) as { proposalId: string };
    expect((await run("approve", made.proposalId, "--yes", "--as", "budi")).out).toContain("bank credit BCA 1 booked");
    expect((await run(...credit)).err).toContain("booked already");
    expect((await run("ageing")).out).toContain("nothing is unsettled");
    expect(await brokenLaws(database)).toEqual([]);
  });

  it("take another rule for due times, and refuse one that is wrong", async () => {
    expect((await run("due-rule")).out).toContain("the built-in rule");
    const bad = desk.write("bad.json", JSON.stringify({ tiers: [{ from: "1", hours: 0, x: 1 }] }));
    const refused = await run("due-rule", bad);
    expect(refused).toMatchObject({ code: 78, err: expect.stringContaining("tiers.0.hours") as string });
    const good = desk.write("good.json", JSON.stringify({ tiers: [{ from: "0", hours: 8 }] }));
    expect((await run("due-rule", good)).out).toContain("version 1");
  });

  it("make reports of a closed day in the name of the business, with the separator that is asked for", async () => {
    await closeDay({
      databaseUrl: database.appUrl,
      businessDate: DAY,
      actor: ANI,
      nowMs: Date.parse("2026-11-22T00:06:00+07:00"),
      cutOffs: ["24:00"],
    });
    const report = ["report", "--date", DAY, "--out", "-", "--format", "csv"];
    const { out, err, code } = await run(...report);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toMatch(/^\ufeffBagian;Butir;/);
    expect(out).toContain("Ringkasan;Biller;;;PT Tagihan Nusantara;");
    expect((await run(...report, "--lang", "en")).out).toMatch(/^\ufeffSection,Item,/);
    expect((await run(...report, "--csv-separator", "comma")).out).toMatch(/^\ufeffBagian,Butir,/);
    expect((await run(...report, "--csv-separator", "tab")).code).toBe(64);
  });
});
