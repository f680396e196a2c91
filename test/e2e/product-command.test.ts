import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../src/platform/embedded";
import widest from "../vectors/product-990999.json";

jest.setTimeout(120_000);

const BILLER = join(__dirname, "..", "..", "bin", "biller.mjs");
const WIDEST = join(__dirname, "..", "vectors", "product-990999.json");
const [SEVEN] = widest.samples;
if (SEVEN?.bill === undefined) throw new Error("the vector has no bill");

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe("the product commands", () => {
  let dir: string;
  let port: number;
  let stopHost: () => Promise<void>;

  /** Standard input is closed, or holds this text, or is written "later". */
  function start(args: readonly string[], input: string | null = null) {
    const child = spawn(process.execPath, [BILLER, ...args], {
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        DATA_DIR: join(dir, "data"),
        PORT: String(port),
      },
      stdio: [input === null ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const said = { out: "", err: "" };
    child.stdout?.on("data", (chunk: Buffer) => void (said.out += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => void (said.err += chunk.toString()));
    if (input !== null && input !== "later") child.stdin?.end(input);
    const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, ...said })));
    return { child, said, ended };
  }
  const run = (...args: string[]): Promise<Ended> => start(args).ended;
  const answer = (input: string, ...args: string[]): Promise<Ended> => start(args, input).ended;
  const json = async (...args: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await run(...args)).out) as Record<string, unknown>;
  function fileWith(name: string, content: unknown): string {
    const path = join(dir, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }
  const copyOf = () => structuredClone(widest) as typeof widest & { samples: Record<string, unknown>[] };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "biller-product-"));
    chmodSync(dir, 0o755);
    port = await freePort();
    const host = start(["serve"]);
    stopHost = async () => {
      host.child.kill("SIGTERM");
      await host.ended;
    };
    for (let n = 0; n < 1_200 && !host.said.err.includes("Health:"); n++) {
      if (host.child.exitCode !== null) throw new Error(`the host ended: ${host.said.err}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  afterAll(async () => {
    await stopHost();
    rmSync(dir, { recursive: true, force: true });
  });

  it("list what is stored with its rule and its users", async () => {
    const { code, out } = await run("product", "list");
    expect(code).toBe(0);
    expect(out).toMatch(/^001001 +Telkom +closed +yes +bmandiri +yes$/m);
    expect(out).toMatch(/^900001 +Invoice +closed +yes +no$/m);
    const listed = JSON.parse((await run("product", "list", "--json")).out) as unknown[];
    expect(listed).toContainEqual({
      productCode: "900002",
      name: "Prepaid telco shape (not a published product)",
      rule: "static",
      isStored: true,
      partners: [],
      hasBills: false,
    });
  });

  it("show a product as a file that passes its own check", async () => {
    for (const code of ["001001", "020013", "900001", "900002"]) {
      const shown = await run("product", "show", code);
      const checked = await run("product", "check", fileWith(`${code}.json`, shown.out));
      expect([checked.code, checked.err.replace("compiling\n", "")]).toEqual([0, ""]);
      expect(checked.out).toContain(`product ${code}, rule `);
    }
    const none = await run("product", "show", "777777");
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("no product 777777")]);
  });

  it("print a JSON Schema that knows every part of the file", async () => {
    const schema = await json("product", "schema");
    expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    const text = JSON.stringify(schema);
    for (const word of [
      "inquiryReply",
      "paymentReply",
      "minmax",
      "static",
      "shownAmount",
      "whenBlank",
      "nonAscii",
      "samples",
    ])
      expect(text).toContain(`"${word}"`);
  });

  it("check a file without a database, and find nothing wrong with the widest product there can be", async () => {
    const { code, out } = await run("product", "check", WIDEST);
    expect([code, out]).toEqual([
      0,
      `${WIDEST}: product 990999, rule closed, bit61 up to 999 columns; 4 samples agree\n`,
    ]);
  });

  it("name every fault of a file at once, each with its path", async () => {
    const broken = copyOf();
    const { definition } = broken;
    const fields = definition.bit61.inquiryReply.fields as { at?: number; width?: number; name?: string }[];
    fields[1] = { ...fields[1], at: 14 };
    fields[2] = { ...fields[2], at: 40 };
    definition.bit61.inquiryReply.width = 998;
    (definition.rules as { feeAmount: unknown }).feeAmount = 2_500;
    definition.bit48 = "{nobody}";
    const { code, err } = await run("product", "check", fileWith("broken.json", broken));
    expect(code).toBe(1);
    expect(err).toMatch(/^! definition\.rules\.feeAmount: /m);
    expect(err).toMatch(
      /^! definition\.bit61\.inquiryReply\.fields\[1\] customerName: gap: stands at 14, but columns 13 to 13/m,
    );
    expect(err).toMatch(
      /^! definition\.bit61\.inquiryReply\.fields\[2\] address: overlap: stands at 40, .* to column 43$/m,
    );
    expect(err).toMatch(/^! definition\.bit61\.inquiryReply: width is declared as 998, .* add up to 999$/m);
    const found = await json("product", "check", join(dir, "broken.json"), "--json");
    expect(found["faults"]).toHaveLength(Number(/: (\d+) faults/.exec(err)?.[1]));
    expect((await run("product", "load", join(dir, "broken.json"), "--yes")).code).toBe(1);
    expect((await run("product", "show", "990999")).code).toBe(1);
  });

  it("try the samples, and say where they differ", async () => {
    const broken = copyOf();
    const [first, second] = broken.samples;
    Object.assign(first as object, { bit48: "ID:54" });
    Object.assign(second as object, { bit61: "5310012345678" });
    const { code, err } = await run("product", "check", fileWith("samples.json", broken));
    expect(code).toBe(1);
    expect(err).toContain('! samples[0] seven months: bit48: differs from column 4 on: expected "4"');
    expect(err).toMatch(/^! samples\[1\] without its tail: bit61: .*the record ends before it/m);
  });

  it.each([
    ["no JSON", "{", /is no JSON object that can be taken: the body is not valid JSON/],
    ["a list", "[]", /must be one JSON object/],
    ["a key given twice", '{"name":"a","name":"b"}', /no JSON object that can be taken: /],
    ["a key into the prototype", '{"definition":{"__proto__":{}}}', /no JSON object that can be taken: /],
    ["a tower of brackets", `{"definition":${"[".repeat(60)}${"]".repeat(60)}}`, /no JSON object that can be taken: /],
    ["nothing of a product", "{}", /^! productCode: .*\n! name: .*\n! definition: /m],
  ])("refuse a file that is %s", async (_name, content, pattern) => {
    const { code, err } = await run("product", "check", fileWith("odd.json", content));
    expect(code).toBe(1);
    expect(err).toMatch(pattern);
    expect(err).not.toContain("    at ");
  });

  it("refuse a file that is not there", async () => {
    const { code, err } = await run("product", "check", join(dir, "nothing.json"));
    expect([code, err]).toEqual([1, expect.stringMatching(/nothing\.json cannot be read/)]);
  });

  it("load a product given only as a file into a running host, which is inquired and paid with it", async () => {
    const loaded = await run("product", "load", WIDEST);
    expect([loaded.code, loaded.out]).toEqual([
      0,
      "product 990999 stored; a running host knows it within two seconds\n",
    ]);
    const options = [
      "--user",
      "widest",
      "--password",
      "widest-password",
      "--url",
      `http://127.0.0.1:${port}/finpay/billing`,
    ];
    expect((await run("partner", "add", "widest", "--product", "990999", "--password", "widest-password")).code).toBe(
      0,
    );

    const { bill } = SEVEN as {
      bill: {
        billNumber: string;
        customerName: string;
        details: object;
        items: { reference: string; amount: string }[];
      };
    };
    const lines = bill.items.map(({ reference, amount }, index) =>
      index === 0
        ? `990999,${bill.billNumber},${bill.customerName},,,${reference},${amount},"${JSON.stringify(bill.details).replaceAll('"', '""')}"`
        : `990999,${bill.billNumber},,,,${reference},${amount},`,
    );
    const header = "product_code,bill_number,customer_name,fee_amount,due_at,reference,amount,details";
    const imported = await run("bill", "import", fileWith("bills.csv", [header, ...lines].join("\n")));
    expect([imported.code, imported.out]).toEqual([0, expect.stringContaining("1 created")]);

    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const asked = await json("inquire", "990999", bill.billNumber, "--json", ...options);
    expect(asked["reply"]).toMatchObject({
      resultCode: "00",
      bit61: SEVEN.bit61,
      bit48: SEVEN.bit48,
      customerData: SEVEN.customerData,
      customerId: bill.billNumber,
      amount: "000000731108",
      feeAmount: "2500",
    });
    expect(SEVEN.bit61).toHaveLength(999);

    const paid = await run("pay", "990999", bill.billNumber, ...options);
    expect([paid.code, paid.out.split("\n")[0]]).toEqual([0, expect.stringMatching(/^00 Approve/)]);
    const again = await run("pay", "990999", bill.billNumber, ...options);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("Bill already paid")]);
  });

  it("show what would change, and replace a product in use only when that is agreed to", async () => {
    const dearer = copyOf();
    dearer.definition.rules.feeAmount = "3000";
    dearer.definition.bit48 = "{orderLine}";
    dearer.samples = [];
    const file = fileWith("dearer.json", dearer);
    const asked = await run("product", "load", file);
    expect(asked.code).toBe(1);
    expect(asked.out.split("\n").toSorted().filter(Boolean)).toEqual([
      expect.stringMatching(/^bit48: "ID:.*" becomes "{orderLine}"$/),
      'rules.feeAmount: "2500" becomes "3000"',
    ]);
    expect(asked.err).toContain("product 990999 is in use: partner widest; it has bills");
    expect(asked.err).toContain("nothing was changed");
    expect((await answer("no\n", "product", "load", file)).code).toBe(1);
    expect(await json("product", "show", "990999")).toMatchObject({ definition: { rules: { feeAmount: "2500" } } });

    const agreed = await answer("y\n", "product", "load", file);
    expect([agreed.code, agreed.out]).toEqual([0, expect.stringContaining("product 990999 replaced")]);
    expect(await json("product", "show", "990999")).toMatchObject({ definition: { rules: { feeAmount: "3000" } } });
    const same = await run("product", "load", file);
    expect([same.code, same.out]).toEqual([0, "product 990999 is stored as it is in the file; nothing was changed\n"]);
    const back = await run("product", "load", WIDEST, "--yes");
    expect([back.code, back.out]).toEqual([0, expect.stringContaining('rules.feeAmount: "3000" becomes "2500"')]);
  });

  it("replace only what was shown: not what somebody else has loaded in the meantime", async () => {
    const mine = copyOf();
    mine.definition.rules.feeAmount = "1";
    mine.samples = [];
    const theirs = copyOf();
    theirs.definition.rules.feeAmount = "2";
    theirs.samples = [];
    const asking = start(["product", "load", fileWith("mine.json", mine)], "later");
    for (let n = 0; n < 400 && !asking.said.err.includes("replace it?"); n++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await run("product", "load", fileWith("theirs.json", theirs), "--yes")).code).toBe(0);
    asking.child.stdin?.end("yes\n");
    const { code, err } = await asking.ended;
    expect([code, err]).toEqual([1, expect.stringContaining("changed by somebody else in the meantime")]);
    expect(await json("product", "show", "990999")).toMatchObject({ definition: { rules: { feeAmount: "2" } } });
  });

  it("replace a product that nobody uses without asking", async () => {
    const shown = JSON.parse((await run("product", "show", "900002")).out) as Record<string, unknown>;
    const { code, out } = await run("product", "load", fileWith("own.json", { ...shown, name: "Own name" }));
    expect([code, out]).toEqual([
      0,
      'name: "Prepaid telco shape (not a published product)" becomes "Own name"\n' +
        "product 900002 replaced; a running host knows it within two seconds\n",
    ]);
  });

  it("leave what was loaded alone when the demo is seeded again", async () => {
    expect((await run("seed")).out).toBe("demo data: already there\n");
    expect(await json("product", "show", "900002")).toMatchObject({ name: "Own name" });
  });

  it("are in the repository as the documentation shows them", () => {
    const docs = readFileSync(join(__dirname, "..", "..", "docs", "PRODUCTS.md"), "utf8");
    for (const command of ["product list", "product show", "product check", "product load", "product schema"])
      expect(docs).toContain(`biller ${command}`);
  });
});
