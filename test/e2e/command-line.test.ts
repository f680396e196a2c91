import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../src/platform/embedded";
import { startMarkOf } from "../../src/platform/embedded/process-identity";
import { type Ended, type Running, startBiller } from "../support/command-line";
import { post } from "../support/host";

jest.setTimeout(120_000);

describe("the command line", () => {
  let dir: string;
  let port: number;
  let host: Running;

  const start = (args: readonly string[], settings: Record<string, string> = {}): Running =>
    startBiller(args, { DATA_DIR: join(dir, "data"), PORT: String(port), ...settings });
  const run = (...args: string[]): Promise<Ended> => start(args).ended;
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await run(...args, "--json")).out) as T;
  const url = (): string => `http://127.0.0.1:${port}/finpay/billing`;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "biller-cli-"));
    chmodSync(dir, 0o755);
    port = await freePort();
    host = start(["serve"]);
    await host.says(/Health:/);
  });
  afterAll(async () => {
    host.child.kill("SIGTERM");
    await host.ended;
    rmSync(dir, { recursive: true, force: true });
  });

  it("serves a seeded demo, and the commands it prints work when they are pasted", async () => {
    const guide = await host.says(/Health:/);
    expect(guide).toContain(`listening on http://127.0.0.1:${port}`);
    const commands = [...guide.matchAll(/^curl -si (\S+) -H 'Content-Type: application\/json' -d '([^']+)'$/gm)];
    expect(commands).toHaveLength(2);
    const replies = [];
    for (const [, address = "", body = ""] of commands) replies.push(await post(address, body));
    expect(replies.map(({ fields }) => fields["resultCode"])).toEqual(["00", "00"]);
    const [, address = "", body = ""] = commands[1] as RegExpMatchArray;
    const again = await post(address, body);
    expect([again.isReplay, again.text]).toEqual([true, replies[1]?.text]);
  });

  it("has the demo's customers: some paid, some expired, with one, two and three items", async () => {
    const expectations = [
      ["0021008457101", "00"],
      ["0021008457102", "00"],
      ["0021008457103", "00"],
      ["0021008457104", "88"],
      ["0021008457107", "80"],
    ] as const;
    for (const [billNumber, resultCode] of expectations) {
      const { reply } = await json<{ reply: Record<string, unknown> }>("inquire", "001001", billNumber, "--url", url());
      expect([billNumber, reply["resultCode"]]).toEqual([billNumber, resultCode]);
    }
    const adira = await json<{ reply: Record<string, unknown> }>("inquire", "020013", "034026110777", "--url", url());
    expect(adira.reply).toMatchObject({ resultCode: "00", amount: "000000647000", customerId: "034026110777" });
    expect(String(adira.reply["bit61"])).toHaveLength(267);
  });

  it("refuses a second host in the same directory, and says who has it", async () => {
    const { code, err } = await run("serve");
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`in use by process ${host.child.pid}: stop that one first, or set DATA_DIR`));
  });

  it("pays, and repeats a payment by its traxId", async () => {
    const paid = await run("pay", "001001", "0021008457102", "--url", url());
    expect([paid.code, paid.out.split("\n")[0]]).toEqual([0, expect.stringMatching(/^00 Approve \(/)]);
    const traxId = /traxId (\S+) \(repeat/.exec(paid.err)?.[1] ?? "";
    const again = await run(
      ...["pay", "001001", "0021008457102", "--url", url(), "--trax", traxId],
      ...["--amount", "179250", "--fee", "5000"],
    );
    expect(again.out).toContain("the stored reply of an earlier request");
    const twice = await run("pay", "001001", "0021008457102", "--url", url());
    expect(twice.code).toBe(1);
    expect(twice.err).toContain("Bill already paid");
  });

  it("signs, with every hash that is asked for", async () => {
    const message = JSON.parse((await run("sign", "001001", "0021008457103", "--hash", "md5")).out) as Record<
      string,
      string
    >;
    expect(message).toMatchObject({ transactionType: "38", billNumber: "0021008457103", userName: "bmandiri" });
    expect(message["signature"]).toMatch(/^[0-9a-f]{32}$/);
    expect((await post(url(), JSON.stringify(message))).fields["resultCode"]).toBe("05");
    const right = (await run("sign", "001001", "0021008457103")).out;
    expect((await post(url(), right)).fields["resultCode"]).toBe("00");
  });

  it("takes a bit61 apart without a database", async () => {
    const bit61 = "00210084570030200011306A              10000";
    const good = await run("describe", "bit61", "001001", bit61);
    expect(good.code).toBe(0);
    expect(good.out).toMatch(/^31 +12 +items\[0\]\.nilaiTagihan +rupiah +10000 /m);
    const short = await json<{ faults: string[]; rows: unknown[] }>("describe", "bit61", "001001", bit61.slice(0, 40));
    expect(short.faults[0]).toContain("the record has 40 characters, expected 43");
    const unknown = await run("describe", "bit61", "777777", bit61);
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("known: 001001 (Telkom), 020013")]);
  });

  it("finds nothing wrong with itself", async () => {
    const findings = await json<{ name: string; verdict: string }[]>("doctor");
    expect(findings.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect(findings.map(({ name }) => name)).toContain("append-only books");
  });

  it("seeds again without changing anything, and has no migration pending", async () => {
    expect((await run("seed")).out).toBe("demo data: already there\n");
    expect(await json("migrate", "--check")).toEqual({ pending: [] });
  });

  it("adds partners, lists them without a password, and refuses half-made ones", async () => {
    const file = join(dir, "password");
    writeFileSync(file, "another-password\n");
    const added = await run("partner", "add", "bni", "--product", "001001", "--password-file", file);
    expect([added.code, added.out]).toEqual([0, expect.stringContaining("partner bni created")]);
    const twice = await run("partner", "add", "bni", "--product", "001001", "--password-file", file);
    expect([twice.code, twice.err]).toEqual([1, expect.stringContaining("exists already")]);
    const bad = await run("partner", "add", "Ω", "--password", "short");
    expect(bad.code).toBe(78);
    expect(bad.err.match(/^ {2}- /gm)).toHaveLength(3);
    const unknown = await run("partner", "add", "x", "--product", "777777", "--password-file", file);
    expect(unknown.err).toContain("no such product: 777777; known: 001001, 020013");
    const listed = await run("partner", "list");
    expect(listed.out).toMatch(/^bni +bni +001001 +yes +1 /m);
    expect(listed.out + (await run("partner", "list", "--json")).out).not.toContain("another-password");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const options = ["--user", "bni", "--password", "another-password", "--url", url()];
    expect((await run("inquire", "001001", "0021008457103", ...options)).code).toBe(0);
  });

  describe("bill import", () => {
    const HEADER = "product_code,bill_number,customer_name,fee_amount,due_at,reference,amount,details";
    const DETAILS = `"{""kodeDivre"":""02"",""kodeDatel"":""0001"",""npwp"":""""}"`;
    const bill = (number: string, items = 2): string[] =>
      Array.from({ length: items }, (_, n) =>
        n === 0 ? `001001,${number},SRI WAHYUNI,,,30${n}A,10000,${DETAILS}` : `001001,${number},,,,30${n}A,12500,`,
      );
    const file = (...lines: string[]): string => {
      const path = join(dir, "bills.csv");
      writeFileSync(path, [HEADER, ...lines].join("\n"));
      return path;
    };

    it("creates bills that can be inquired at once, and changes nothing when it is repeated", async () => {
      const path = file(...bill("0021009000001"), ...bill("0021009000002", 1));
      const first = await run("bill", "import", path);
      expect([first.code, first.out]).toEqual([
        0,
        "2 bills read: 2 created, 0 changed, 0 as they were\n3 items added\n",
      ]);
      const second = await json<Record<string, unknown>>("bill", "import", path);
      expect(second).toMatchObject({ bills: 2, created: 0, changed: 0, items: 0, badLines: 0 });
      const { reply } = await json<{ reply: Record<string, unknown> }>(
        "inquire",
        "001001",
        "0021009000001",
        "--url",
        url(),
      );
      expect(reply).toMatchObject({ resultCode: "00", amount: "000000022500", feeAmount: "5000" });
    });

    it("imports nothing of a file with a bad line, and names each with its number", async () => {
      const path = file(...bill("0021009000003"), "001001,123,X,,,1,1e3,", "one,two", ...bill("0021009000004"));
      const { code, err } = await run("bill", "import", path);
      expect(code).toBe(1);
      expect(err).toMatch(/^line 4: bill_number must have 13 digits$/m);
      expect(err).toMatch(/^line 4: amount must be whole rupiah above 0, one to twelve digits$/m);
      expect(err).toMatch(/^line 5: has 2 columns, expected 8$/m);
      expect(err).toMatch(/nothing was imported/);
      const { code: found } = await run("inquire", "001001", "0021009000003", "--url", url());
      expect(found).toBe(1);
    });

    it("leaves out the bills of bad lines when asked to, whole", async () => {
      const spoiled = ["001001,0021009000006,SRI,,,1,1000,", "001001,0021009000006,,,,2,-5,"];
      const path = file(...bill("0021009000005"), ...spoiled, ...bill("0021009000007"));
      const report = await json<{ created: number; badLines: number }>("bill", "import", path, "--skip-bad");
      expect(report).toMatchObject({ created: 2, badLines: 1 });
      expect((await run("inquire", "001001", "0021009000006", "--url", url())).code).toBe(1);
      expect((await run("inquire", "001001", "0021009000007", "--url", url())).code).toBe(0);
    });

    it("refuses an item that is known with another amount", async () => {
      await run("bill", "import", file(...bill("0021009000008", 1)));
      const changed = bill("0021009000008", 1).map((line) => line.replace("10000", "10001"));
      const { code, err } = await run("bill", "import", file(...changed));
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^line 2: 300A of bill .* is known with the amount 10000$/m),
      ]);
    });

    it("says what is wrong with a file that is none", async () => {
      expect((await run("bill", "import", join(dir, "nothing.csv"))).err).toMatch(
        /nothing\.csv cannot be read: ENOENT/,
      );
      writeFileSync(join(dir, "odd.csv"), "a,b\n1,2\n");
      expect((await run("bill", "import", join(dir, "odd.csv"))).err).toContain(
        `the header must be\n  ${HEADER}\nand is\n  a,b`,
      );
    });
  });

  it.each([
    [["--help"], 0, /Usage: biller/],
    [["bill", "import", "--help"], 0, /one line for each item/],
    [["pay", "--help"], 0, /inquires first/],
    [["nonsense"], 64, /unknown command/],
    [["pay", "001001"], 64, /missing required argument/],
    [["pay", "001001", "1", "--hash", "crc32"], 64, /Allowed choices are sha256, md5, sha1/],
  ])("answers %j with %i and help", async (args, code, pattern) => {
    const ended = await run(...args);
    expect(ended.code).toBe(code);
    expect(ended.out + ended.err).toMatch(pattern);
  });

  it("says what is wrong with settings, all at once, without repeating values", async () => {
    const env = {
      PORT: "eighty",
      DATABASE_URL: "mysql://secret",
      CREDENTIAL_KEYS: "k:short-secret",
      LOG_LEVEL: "loud",
    };
    const { code, err } = await start(["serve"], env).ended;
    expect(code).toBe(78);
    for (const name of Object.keys(env)) expect(err).toContain(`- ${name}: `);
    expect(err).not.toContain("secret");
  });

  it("tells that nobody listens instead of showing a stack", async () => {
    const { code, err } = await run("inquire", "001001", "0021008457103", "--url", "http://127.0.0.1:1/");
    expect([code, err]).toEqual([1, expect.stringMatching(/nothing listens there; is the host running/)]);
    expect(err).not.toContain("    at ");
  });

  it("goes on after a kill -9, with its data and its answers", async () => {
    const paid = await run("pay", "001001", "0021008457103", "--url", url());
    const traxId = /traxId (\S+) \(repeat/.exec(paid.err)?.[1] ?? "";
    host.child.kill("SIGKILL");
    await host.ended;
    host = start(["serve"]);
    const said = await host.says(/Health:/);
    expect(said).toContain("earlier run left behind");
    expect(said).toContain("demo data: already there");
    const again = await run(
      ...["pay", "001001", "0021008457103", "--url", url(), "--trax", traxId, "--amount", "195000", "--fee", "5000"],
    );
    expect(again.out).toContain("the stored reply of an earlier request");
  });

  it("stops cleanly when it is told to, the embedded servers included", async () => {
    const pidFile = join(dir, "data", "postgres", "postmaster.pid");
    const postgres = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
    const redis = Number(readFileSync(join(dir, "data", "redis", "redis.pid"), "utf8").split(" ")[0]);
    host.child.kill("SIGTERM");
    const { code, err } = await host.ended;
    expect(code).toBe(0);
    expect(err).toMatch(/SIGTERM: finishing what was accepted\nstopped\n$/);
    expect([existsSync(pidFile), startMarkOf(postgres), startMarkOf(redis)]).toEqual([false, null, null]);
    // Commands work without a running host as well.
    expect((await json<unknown[]>("partner", "list")).length).toBe(2);
  });
});
