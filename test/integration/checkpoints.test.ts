import { createHash, createHmac } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckpointCourier, openCheckpointCourier, readCheckpointFile } from "../../src/callbacks";
import { openSealer, verifySeals } from "../../src/ledger";
import { type Db, systemClock } from "../../src/platform";
import { testDb, transact } from "../support/builders";
import { fillWithBills, newSealKey, payBills, SECRETS, testSealer } from "../support/seal";
import { createTestDatabase, type TestDatabase } from "../support/services";

const KEYS = {
  region: "ap-southeast-3",
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};

/** A bucket that checks AWS Signature Version 4 as its documentation has it, written apart from the library that signs. */
function isSigned(request: IncomingMessage, body: string): boolean {
  const { authorization = "", host = "" } = request.headers;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (match === null) return false;
  const [, id, day = "", region = "", names = "", signature] = match;
  const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const header = (name: string): string => (name === "host" ? host : String(request.headers[name] ?? "")).trim();
  const payload = header("x-amz-content-sha256");
  if (payload !== sha(body) && payload !== "UNSIGNED-PAYLOAD") return false;
  const canonical = [
    ...[request.method, request.url, ""],
    ...names.split(";").map((name) => `${name}:${header(name)}`),
    ...["", names, payload],
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", header("x-amz-date"), scope, sha(canonical)].join("\n");
  const key = ["s3", "aws4_request"].reduce(hmac, hmac(hmac(`AWS4${KEYS.secretAccessKey}`, day), region));
  return id === KEYS.accessKeyId && region === KEYS.region && hmac(key, text).toString("hex") === signature;
}

describe("checkpoints", () => {
  const directory = mkdtempSync(join(tmpdir(), "checkpoints-"));
  const objects = new Map<string, string>();
  const posts: { readonly headers: IncomingMessage["headers"]; readonly body: string }[] = [];
  const refused: string[] = [];
  let mode: "up" | "down" = "up";
  let server: Server;
  let url: string;
  let database: TestDatabase;
  let db: Db;
  let bills: string[];
  const faults: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const path = request.url ?? "";
        if (mode === "down") response.statusCode = 503;
        else if (path === "/hook") posts.push({ headers: request.headers, body });
        else if (!isSigned(request, body)) {
          refused.push(path);
          response.statusCode = 403;
        } else if (objects.has(path) && request.headers["if-none-match"] === "*") response.statusCode = 412;
        else objects.set(path, body);
        response.end();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    database = await createTestDatabase();
    bills = await fillWithBills(database, 20);
    db = testDb(database.appUrl, 4);
    await newSealKey(database);
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
    await new Promise((resolve) => {
      server.close(resolve);
    });
    rmSync(directory, { recursive: true, force: true });
  });

  const file = join(directory, "kept", "checkpoints.ndjson");
  const courier = (changes: Partial<Parameters<typeof openCheckpointCourier>[0]> = {}): CheckpointCourier =>
    openCheckpointCourier({
      ...{ db, clock: systemClock, intervalMs: null, file },
      s3: { url: `${url}/bucket/ledger`, ...KEYS },
      webhook: { url: `${url}/hook`, secret: "hook-secret" },
      onFault: (fault) => faults.push(String(fault)),
      ...changes,
    });
  const makeOne = async (): Promise<bigint> => {
    await payBills(db, bills.splice(0, 2));
    const sealer = testSealer(db, { targets: ["s3", "webhook"] });
    await sealer.drain();
    const made = await sealer.checkpoint();
    if (made === null) throw new Error("no checkpoint was made");
    return made.blockNo;
  };
  const undelivered = async (): Promise<number> =>
    Number(
      (await database.query<{ n: bigint }>("select count(*) as n from seal_delivery where delivered_at is null"))[0]?.n,
    );

  it("reach the file, a bucket that checks signatures, and a webhook; each once", async () => {
    const blockNo = await makeOne();
    const one = courier();
    await one.deliver();
    await one.deliver();
    expect(faults).toEqual([]);
    expect(refused).toEqual([]);
    const [line] = readFileSync(file, "utf8").split("\n");
    expect([...objects]).toEqual([[`/bucket/ledger/checkpoint-${String(blockNo).padStart(12, "0")}.json`, line]]);
    expect(posts).toHaveLength(1);
    const { headers, body } = posts[0] as (typeof posts)[number];
    expect(body).toBe(line);
    const id = String(headers["x-event-id"]);
    const mac = createHmac("sha256", "hook-secret")
      .update(`${id}.${String(headers["x-timestamp"])}.${body}`)
      .digest("hex");
    expect(headers["x-signature"]).toBe(`v1=${mac}`);
    expect(await undelivered()).toBe(0);
    const outside = readCheckpointFile(file);
    const verdict = await transact(db, (tx) => verifySeals(tx, { outside }));
    expect(verdict).toMatchObject({ findings: [], checkpoints: 2 });
  });

  it("wait in the outbox while a target is down, and are tried again", async () => {
    mode = "down";
    await makeOne();
    const one = courier();
    await one.deliver();
    expect(faults.splice(0).join("\n")).toMatch(/s3: answered with status 503[\s\S]*webhook: answered with status 503/);
    expect(await undelivered()).toBe(2);
    mode = "up";
    await one.deliver();
    expect(await undelivered()).toBe(2);
    await database.query("update seal_delivery set next_attempt_at = now()");
    await one.deliver();
    expect(await undelivered()).toBe(0);
    expect(objects.size).toBe(2);
  });

  it("are refused by the bucket when the key is wrong, and stay", async () => {
    await makeOne();
    await courier({ s3: { url: `${url}/bucket/ledger`, ...KEYS, secretAccessKey: "wrong" }, webhook: null }).deliver();
    expect(faults.splice(0).join()).toMatch(/answered with status 403/);
    expect(refused).toHaveLength(1);
    await database.query("update seal_delivery set next_attempt_at = now()");
    // It got there although the answer was lost: the name is taken, and that counts as delivered.
    const [name] = refused;
    objects.set(name as string, "the same");
    await courier().deliver();
    expect(await undelivered()).toBe(0);
    expect(objects.get(name as string)).toBe("the same");
  });

  it("mend a line that a crash cut off, and are not doubled by several couriers", async () => {
    appendFileSync(file, '{"statement":"biller/chec');
    await makeOne();
    await Promise.all([courier().deliver(), courier().deliver(), courier().deliver()]);
    await courier().deliver();
    const numbers = readCheckpointFile(file).map(({ blockNo }) => blockNo);
    expect(numbers).toHaveLength(4);
    expect(new Set(numbers).size).toBe(4);
  });

  it("leave a file alone that is of another chain, and say so", async () => {
    const other = join(directory, "other.ndjson");
    const [first = ""] = readFileSync(file, "utf8").split("\n");
    writeFileSync(other, `${first.replace(/blockHash 64 ..../, "blockHash 64 0000")}\n`);
    const before = readFileSync(other, "utf8");
    await expect(courier({ file: other, s3: null, webhook: null }).deliver()).rejects.toThrow(
      /does not have: it was restored/,
    );
    expect(readFileSync(other, "utf8")).toBe(before);
    const outside = readCheckpointFile(other);
    const { findings } = await transact(db, (tx) => verifySeals(tx, { outside }));
    expect(findings[0]).toMatchObject({ row: "outside checkpoint of block 1" });
  });

  it.each([
    ["no JSON", "nonsense\n"],
    ["another object", '{"statement":"x"}\n'],
    ["null", "null\n"],
    ["a number for a signature", '{"statement":"biller/checkpoint/1\\n","signature":1}\n'],
  ])("are not read from a file with %s", (_what, content) => {
    const bad = join(directory, "bad.ndjson");
    writeFileSync(bad, content);
    expect(() => readCheckpointFile(bad)).toThrow(/line 1: not/);
    expect(() => readCheckpointFile(join(directory, "none"))).toThrow(/cannot be read/);
  });

  it("are made by a running sealer as often as it is told", async () => {
    await payBills(db, bills.splice(0, 2));
    const sealer = openSealer({
      ...{ db, clock: systemClock, targets: [], intervalMs: 20, checkpointIntervalMs: 0 },
      secrets: SECRETS,
      onFault: (fault) => faults.push(String(fault)),
    });
    const count = async (): Promise<number> =>
      Number((await database.query<{ n: bigint }>("select count(*) as n from seal_checkpoint"))[0]?.n);
    const before = await count();
    for (let waited = 0; (await count()) === before && waited < 100; waited += 1) {
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    await sealer.close();
    expect(await count()).toBe(before + 1);
    expect(faults).toEqual([]);
    expect(existsSync(file)).toBe(true);
  });
});
