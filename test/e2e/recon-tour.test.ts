import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { fill, PARTNER } from "../support/builders";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { settlementDesk } from "../support/settlement-files";

jest.setTimeout(60_000);

const PAGE = readFileSync(join(__dirname, "..", "..", "docs", "RECONCILIATION.md"), "utf8");
/** The shell examples of the page, one command each. */
const COMMANDS = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
  .flatMap(([, block = ""]) => block.trim().split("\n"))
  .filter((line) => !line.startsWith("#"));
const LINES = ["T1", "T2"].map((traxId) => `CA01|${traxId}|001001|0021008457003|30000|5000|20261120|104040|SUKSES`);
const FILE = [
  "KODE_CA|TRAX_ID|KODE_PRODUK|BILL_NUMBER|AMOUNT|FEE|TGL_BAYAR|JAM_BAYAR|STATUS",
  ...LINES,
  "TOTAL|2|60000|10000",
  "",
].join("\n");

describe("the tour of docs/RECONCILIATION.md over HTTP", () => {
  const dir = mkdtempSync(join(tmpdir(), "biller-recon-tour-"));
  let database: TestDatabase;
  let host: HostProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    const desk = settlementDesk(database);
    await desk.saveProfile("finpay", { preset: "finpay", partner: PARTNER.userName });
    desk.close();
    writeFileSync(join(dir, "CA01_001001_20261120.txt"), FILE);
    host = await startHostProcess(database, { settings: { SEAL: "false" } });
  });
  afterAll(async () => {
    host.child.kill("SIGTERM");
    await host.ended;
    await database.drop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("works as written, in its order", async () => {
    expect(COMMANDS.length).toBeGreaterThan(15);
    const [ani, budi] = await Promise.all([
      reconToken(database, "ani", ["recon:read", "recon:maker"]),
      reconToken(database, "budi", ["recon:read", "recon:checker"]),
    ]);
    // Every command says on a line of its own what it answered; the first that fails ends it.
    const script = COMMANDS.map((line) => `${line.replaceAll("curl -s ", "curl -sS --fail-with-body ")}; echo`).join(
      "\n",
    );
    const { stdout } = await promisify(execFile)("sh", ["-e", "-c", script], {
      cwd: dir,
      env: { PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`, ANI: ani, BUDI: budi, HOST: host.url },
      timeout: 30_000,
    });
    const answers = stdout.split("\n").filter((line) => line !== "");
    expect(answers[0]).toContain('"outcome":"imported"');
    expect(answers.filter((line) => line.includes('"data":[]'))).toEqual([]);
    expect(answers.find((line) => line.includes('"isRepeated"'))).toContain('"decision":"approved","decidedBy":"budi"');
    expect(answers.at(-1)).toContain('"outcome":"closed"');
    const digest = createHash("sha256")
      .update(readFileSync(join(dir, "day.json")))
      .digest("hex");
    expect(readFileSync(join(dir, "headers.txt"), "utf8").toLowerCase()).toContain(`x-close-sha256: ${digest}`);
    expect(readFileSync(join(dir, "day.pdf")).subarray(0, 5).toString()).toBe("%PDF-");
  });
});
