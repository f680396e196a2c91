import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fill, inquiryMessage, paymentMessage, telkomBill, TEST_KEYS } from "../support/builders";
import { type Ended, startBiller } from "../support/command-line";
import { startTestHost, type TestHost } from "../support/host";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(60_000);

describe("the commands about dialects", () => {
  let database: TestDatabase;
  let dir: string;
  let host: TestHost;
  const run = (args: readonly string[], input?: string): Promise<Ended> => {
    const keys = TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join();
    const urls = { DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl };
    return startBiller(args, { ...urls, CREDENTIAL_KEYS: keys }, input).ended;
  };
  const file = (name: string, value: unknown): string => {
    const path = join(dir, name);
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
    return path;
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "biller-dialect-"));
    database = await createTestDatabase();
    await fill(database, [telkomBill()]);
    host = await startTestHost(database);
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
    rmSync(dir, { recursive: true });
  });

  it("show what is stored and what it comes to", async () => {
    const { code, out } = await run(["partner", "dialect", "show", "bmandiri"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ stored: {}, dialect: { deadlineMs: 8_000, codes: { APPROVED: "00" } } });
    expect((await run(["partner", "dialect", "show", "bmandiri", "--stored"])).out).toBe("{}\n");
    expect((await run(["partner", "dialect", "show", "nobody"])).err).toContain(
      "there is no partner with userName nobody",
    );
  });

  it("name everything that is wrong with a file at once, and store none of it", async () => {
    const bad = file("bad.json", {
      preset: "four-digit",
      codes: { UNKNOWN: "0014", CUT_OFF: null },
      sources: ["10.0.0.0/99"],
    });
    const checked = await run(["partner", "dialect", "check", bad]);
    expect(checked.code).toBe(78);
    for (const part of ["CUT_OFF has no code", "0014 stands for outcomes of different classes", "10.0.0.0/99"]) {
      expect(checked.err).toContain(part);
    }
    expect((await run(["partner", "dialect", "set", "bmandiri", bad])).code).toBe(78);
    expect((await run(["partner", "dialect", "show", "bmandiri", "--stored"])).out).toBe("{}\n");
  });

  it.each([
    ["not JSON", "{", "cannot be read as JSON"],
    ["a list", [], "a dialect must be an object"],
    ["a setting nobody knows", { deadline: 1 }, "deadline"],
    ["10,000 levels", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`, ""],
  ])("refuse %s", async (_name, value, expected) => {
    const { code, err } = await run(["partner", "dialect", "check", file("odd.json", value)]);
    expect(code).toBeGreaterThan(0);
    expect(err).toContain(expected);
    expect(err).not.toContain("    at ");
  });

  it("show what would change, store it, and a running host speaks it within two seconds", async () => {
    const wanted = file("new.json", { preset: "four-digit", deadlineMs: 6_000 });
    const dry = await run(["partner", "dialect", "set", "bmandiri", wanted, "--dry-run"]);
    expect(dry.out).toContain('codes.APPROVED: "00" -> "0000"');
    expect(dry.out).toContain("deadlineMs: 8000 -> 6000");
    expect((await run(["partner", "dialect", "show", "bmandiri", "--stored"])).out).toBe("{}\n");

    const set = await run(["partner", "dialect", "set", "bmandiri", wanted]);
    expect(set.out).toContain("stored; what was stored before: {}");
    expect((await run(["partner", "dialect", "set", "bmandiri", wanted])).out).toBe("nothing changes\n");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await host.send(inquiryMessage())).fields["resultCode"]).toBe("0000");
  });

  it("print a schema, and what was seen to differ", async () => {
    const schema = JSON.parse((await run(["partner", "dialect", "schema"])).out) as { properties: object };
    expect(Object.keys(schema.properties)).toContain("signature");
    expect((await run(["partner", "drift", "nobody"])).out).toBe("no deviation was seen\n");
    await host.send(paymentMessage({ amount: "30000" }));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await run(["partner", "drift"])).out).toMatch(/^bmandiri +amount +not padded to twelve digits +1 /m);
  });

  describe("and messages", () => {
    it("takes a request apart, and tells under which hash its signature fits", async () => {
      const message = paymentMessage({ bit61: "00210084570030200011306A              10000" });
      const path = file("message.json", message);
      const { code, out } = await run(["describe", "message", path, "--password", "demo-password"]);
      expect(code).toBe(0);
      expect(out).toContain("signature: fits, outer hash sha256, nothing between the fields");
      expect(out).toMatch(/^timeStamp: form spaced, 2023-03-20T03:40:40.000Z$/m);
      expect(out).toMatch(/^20 +11 +items\[0\]\.nomorReferensi +text +306A/m);
      const md5 = (await run(["sign", "001001", "0021008457003", "--hash", "md5", "--joiner", "."])).out;
      const other = await run(["describe", "message", "-", "--password", "demo-password", "--json"], md5);
      expect(JSON.parse(other.out)).toMatchObject({ signature: { fits: true, scheme: { outer: "md5", joiner: "." } } });
    });

    it("says what is wrong with one, and takes it apart all the same", async () => {
      const path = file("message.json", { ...paymentMessage(), amount: "1e3", traxId: 7, bit61: "x".repeat(43) });
      const { code, out } = await run(["describe", "message", path, "--password", "demo-password"]);
      expect(code).toBe(1);
      expect(out).toContain("! amount must be whole rupiah, one to twelve digits");
      expect(out).toContain("! traxId must be text");
      expect(out).toMatch(/^! customerId, offset 0: must be digits only$/m);
      const wrong = await run(["describe", "message", file("m.json", paymentMessage()), "--password", "other"]);
      expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining("fits under no hash") as string });
    });

    it("takes replies apart, and refuses what is no message", async () => {
      const reply = await host.send(inquiryMessage({ billNumber: "9999999999999" }));
      expect((await run(["describe", "message", file("r.json", reply.text)])).code).toBe(0);
      for (const [text, expected] of [
        ["[]", "one JSON object"],
        ["hello", "not valid JSON"],
        ['{"a":1,"a":2}', 'the key "a" appears twice'],
      ] as const) {
        const { code, out, err } = await run(["describe", "message", file("odd.json", text)]);
        expect([code, (out + err).includes(expected)]).toEqual([1, true]);
      }
    });
  });
});
