import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ended, startBiller } from "../support/command-line";
import { TEST_KEYS, testDb } from "../support/builders";
import { fillWithBills, payBills } from "../support/seal";
import { createTestDatabase, type TestDatabase } from "../support/services";

const [[keyId, key]] = TEST_KEYS;

describe("biller ledger", () => {
  const directory = mkdtempSync(join(tmpdir(), "ledger-"));
  let database: TestDatabase;
  let traxIds: string[];
  const biller = (...args: readonly string[]): Promise<Ended> =>
    startBiller(args, {
      DATABASE_URL: database.appUrl,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      CREDENTIAL_KEYS: `${keyId}:${key.toString("base64")}`,
      CHECKPOINT_DIR: directory,
    }).ended;

  beforeAll(async () => {
    database = await createTestDatabase();
    const bills = await fillWithBills(database, 6);
    const db = testDb(database.appUrl);
    traxIds = await payBills(db, bills);
    await db.close();
  });
  afterAll(async () => {
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  });

  it("goes from the first key to a proof and an export, and finds what was tampered with", async () => {
    const early = await biller("ledger", "seal");
    expect(early).toMatchObject({ code: 1, err: expect.stringMatching(/biller ledger key new/) as string });
    const made = JSON.parse((await biller("ledger", "key", "new", "--json")).out) as { keyId: string; keyNo: number };
    expect(made).toMatchObject({ keyId: expect.stringMatching(/^ed25519-[0-9a-f]{16}$/) as string, keyNo: 1 });
    expect((await biller("ledger", "proof", traxIds[0] as string)).err).toMatch(/not sealed yet/);
    // Six entries, six replies, and that a key was made.
    expect(await biller("ledger", "seal")).toMatchObject({
      code: 0,
      out: "1 new blocks; 13 leaves in 1 blocks are sealed\n",
    });
    const checkpoint = JSON.parse((await biller("ledger", "checkpoint", "--json")).out) as {
      block: string;
      file: string;
    };
    expect(checkpoint).toMatchObject({ block: "1", file: join(directory, "checkpoints.ndjson") });
    expect(readFileSync(checkpoint.file, "utf8").split("\n")).toHaveLength(2);

    const proof = join(directory, "proof.json");
    expect(
      await biller("ledger", "proof", traxIds[0] as string, "--partner", "bmandiri", "--out", proof),
    ).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(proof, "utf8"))).toMatchObject({ format: "biller-proof/1", traxId: traxIds[0] });
    const exported = await biller("ledger", "export");
    expect(exported.out.trim().split("\n")).toHaveLength(1 + 1 + 1 + 13 + 1 + 1);
    expect(await biller("ledger", "verify", "--key", made.keyId)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/everything is as it was sealed/) as string,
    });

    const rotated = JSON.parse((await biller("ledger", "key", "new", "--json")).out) as { previousKeyId: string };
    expect(rotated.previousKeyId).toBe(made.keyId);
    expect((await biller("ledger", "key", "list")).out).toContain(made.keyId);
    expect(JSON.parse((await biller("ledger", "status", "--json")).out)).toMatchObject({
      blocks: "1",
      leaves: "13",
      undelivered: 0,
    });

    await database.query("begin");
    await database.query("set local session_replication_role = replica");
    await database.query("update trax set amount = 1 where trax_id = $1", [traxIds[2]]);
    await database.query("commit");
    const found = await biller("ledger", "verify", "--json");
    expect(found.code).toBe(1);
    expect(JSON.parse(found.out)).toMatchObject({
      isSound: false,
      // By its seal, and because the journal says otherwise.
      findings: [
        { row: `trax (1, ${traxIds[2]}, payment)`, blockNo: "1" },
        { row: `trax (1, ${traxIds[2]}, payment)`, blockNo: null },
      ],
    });
    const [action] = await database.query<{ actor: string; object: string }>(
      "select actor, object from operator_action order by recorded_at limit 1",
    );
    expect(action).toMatchObject({
      actor: expect.stringMatching(/^\S+ \(cli:.+@.+\)$/) as string,
      object: `seal-key:${made.keyId}`,
    });
  }, 120_000);

  it.each([
    ["an unknown traxId", ["ledger", "proof", "nothing"], 1, /nothing is stored under traxId "nothing"/],
    ["an odd traxId", ["ledger", "proof", "' or 1=1 --\u0007"], 1, /nothing is stored/],
    ["another partner", ["ledger", "proof", "x", "--partner", "nobody"], 1, /nothing is stored/],
    ["no traxId", ["ledger", "proof"], 64, /missing required argument/],
    ["a block that is no number", ["ledger", "export", "--from-block", "-1"], 64, /must be a block's number/],
    ["checkpoints that are not there", ["ledger", "verify", "--checkpoints", "/nowhere"], 1, /cannot be read/],
  ])("says what is wrong with %s", async (_what, args, code, message) => {
    const ended = await biller(...args);
    expect(ended.err).toMatch(message);
    expect(ended.code).toBe(code);
  });

  it("says what is wrong with a file of checkpoints", async () => {
    const file = join(directory, "odd");
    writeFileSync(file, '{"statement":"x","signature":"y"}\n');
    expect(await biller("ledger", "verify", "--checkpoints", file)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/line 1: not a checkpoint/) as string,
    });
  });
});
