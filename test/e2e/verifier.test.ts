import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildProof,
  exportSealed,
  listCheckpoints,
  maskSealedItem,
  MASK_ACTION,
  type Proof,
  verifySeals,
} from "../../src/ledger";
import type { Db } from "../../src/platform";
import { recordOperatorAction } from "../../src/store";
import { testDb, transact } from "../support/builders";
import { fillWithBills, newSealKey, payBills, testSealer } from "../support/seal";
import { createTestDatabase, type TestDatabase } from "../support/services";

/** A place without our sources, our packages or our database: the verifier alone. */
const away = mkdtempSync(join(tmpdir(), "auditor-"));
const program = join(away, "verify.mjs");
let files = 0;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: away,
      env: {},
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.once("close", (code) => resolve({ code, out, err }));
  });
}

function fileWith(content: unknown): string {
  files += 1;
  const path = join(away, `file-${files}`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 1));
  return path;
}

describe("the stand-alone verifier", () => {
  let database: TestDatabase;
  let db: Db;
  let proof: Proof;
  let traxIds: string[];
  let keyIds: string[];
  let exported: string[];
  let checkpoints: string;

  beforeAll(async () => {
    cpSync(join(__dirname, "..", "..", "verify", "verify.mjs"), program);
    database = await createTestDatabase();
    const bills = await fillWithBills(database, 30);
    db = testDb(database.appUrl, 4);
    keyIds = [await newSealKey(database)];
    const sealer = testSealer(db, { leavesMax: 8 });
    traxIds = await payBills(db, bills.slice(0, 20));
    await sealer.drain();
    await sealer.checkpoint();
    keyIds.push(await newSealKey(database));
    traxIds.push(...(await payBills(db, bills.slice(20))));
    await sealer.drain();
    await sealer.checkpoint();
    proof = await transact(db, (tx) => buildProof(tx, traxIds[3] as string, null));
    exported = await transact(db, async (tx) => {
      const lines: string[] = [];
      for await (const line of exportSealed(tx, { from: 1n, to: null })) lines.push(line);
      return lines;
    });
    const stored = await transact(db, (tx) => listCheckpoints(tx, 1n, 100));
    checkpoints = stored
      .map(({ statement, signature }) => `${JSON.stringify({ statement, signature: signature.toString("hex") })}\n`)
      .join("");
  });
  afterAll(async () => {
    await db.close();
    await database.drop();
    rmSync(away, { recursive: true, force: true });
  });

  it("imports nothing but what Node.js brings", () => {
    const imports = readFileSync(program, "utf8").matchAll(/\bimport\b[^"']*["']([^"']+)["']/g);
    const names = [...imports].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => name?.startsWith("node:") !== true)).toEqual([]);
  });

  it("confirms a payment with proof, key and checkpoints, and shows it", async () => {
    const args = ["--key", keyIds[0] as string, "--checkpoints", fileWith(checkpoints)];
    const { code, out, err } = await run(fileWith(proof), ...args);
    expect(err).toBe("");
    expect(out).toContain(`traxId: ${traxIds[3]}`);
    expect(out).toContain("posting: 1 due-from-switch debit 35000");
    expect(out).toContain('"resultCode":"00"');
    expect(out).toContain("OK: everything agrees.");
    expect(code).toBe(0);
  });

  it("keeps a proof small", () => {
    expect(JSON.stringify(proof).length).toBeLessThan(12_000);
  });

  it("refuses a proof in which any one value was altered", async () => {
    const text = JSON.stringify(proof);
    // Every string and number of the proof, but the remark that names the leaf.
    const places = [...text.matchAll(/:(?:"((?:[^"\\]|\\.)+)"|([0-9]+))/g)].filter(
      ({ index }) => !text.slice(0, index).endsWith('"itemKey"'),
    );
    expect(places.length).toBeGreaterThan(25);
    const passed = await Promise.all(
      places.map(async (place, at) => {
        const value = place[1] ?? place[2] ?? "";
        const spot = place.index + place[0].indexOf(value) + ((at * 37) % value.length);
        const safe = text[spot] === "\\" || text[spot - 1] === "\\" ? place.index + place[0].indexOf(value) : spot;
        const other = text[safe] === "1" ? "2" : "1";
        const { code, out } = await run(fileWith(text.slice(0, safe) + other + text.slice(safe + 1)));
        return code === 1 && out === "" ? [] : [`${text.slice(place.index - 20, place.index)} → ${code}`];
      }),
    );
    expect(passed.flat()).toEqual([]);
  }, 60_000);

  it("refuses a key that is not in the line, and checkpoints that know another chain", async () => {
    const file = fileWith(proof);
    const stranger = await run(file, "--key", "ed25519-0123456789abcdef");
    expect(stranger).toMatchObject({ code: 1, err: expect.stringMatching(/is not among the keys/) as string });
    const forged = checkpoints.replaceAll(/blockHash 64 [0-9a-f]{4}/g, "blockHash 64 ffff");
    const other = await run(file, "--checkpoints", fileWith(forged));
    expect(other).toMatchObject({ code: 1, err: expect.stringMatching(/knows another block/) as string });
    // A chain that ends before the trusted key was made says nothing about it.
    const later = await run(file, "--key", keyIds[1] as string);
    expect(later).toMatchObject({
      code: 1,
      err: expect.stringMatching(/ends before the key that you trust/) as string,
    });
  });

  it("refuses the entry of another payment in a proof", async () => {
    const other = await transact(db, (tx) => buildProof(tx, traxIds[5] as string, null));
    const entry = (each: Proof): Proof["items"][number] =>
      each.items.find(({ itemKey }) => itemKey.startsWith("entry:"))!;
    const mixed = { ...proof, items: [...proof.items.filter((item) => item !== entry(proof)), entry(other)] };
    const blocks = [...proof.chains, ...other.chains];
    const { code, err } = await run(fileWith({ ...mixed, chains: blocks }));
    expect(err).toMatch(/is that of another payment|is not in the proof/);
    expect(code).toBe(1);
  });

  it("confirms a whole export, adds up its accounts, and refuses one that was changed, cut or reordered", async () => {
    const whole = await run(
      fileWith(exported.join("")),
      "--key",
      keyIds[0] as string,
      "--checkpoints",
      fileWith(checkpoints),
    );
    expect(whole.err).toBe("");
    expect(whole.out).toContain("30 entries, 30 replies");
    expect(whole.out).toContain("due-from-switch: 1050000 debit");
    expect(whole.out).toContain("2 of your checkpoints agree");
    const leafAt = exported.findIndex((line) => line.includes("biller/entry/1"));
    const damaged: readonly (readonly string[])[] = [
      exported.map((line, at) => (at === leafAt ? line.replace("amount 5 30000", "amount 5 30001") : line)),
      exported.filter((_, at) => at !== leafAt),
      exported.slice(0, -1),
      exported.slice(0, -9),
      exported.map((line, at) => exported[at === leafAt ? leafAt + 1 : at === leafAt + 1 ? leafAt : at] ?? line),
      exported.map((line) => line.replace(/due-from-switch debit/, "due-from-switch credit")),
      [...exported, exported.at(-1) ?? ""],
      exported.map((line) => (line.includes('"type":"end"') ? line.replace(/"leaves":\d+/, '"leaves":1') : line)),
    ];
    for (const lines of damaged) {
      const { code, err } = await run(fileWith(lines.join("")));
      expect(err).toMatch(/^NOT PROVEN: /);
      expect(code).toBe(1);
    }
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "payment proven, trust me"],
    ["a list", "[]"],
    ["null", "null"],
    ["another format", '{"format":"biller-proof/2"}'],
    ["a proof without parts", '{"format":"biller-proof/1"}'],
    ["parts of other types", '{"format":"biller-proof/1","keys":[null],"chains":[1],"items":["x"]}'],
    [
      "lists in lists",
      `{"format":"biller-proof/1","keys":[],"chains":${"[".repeat(5_000)}${"]".repeat(5_000)},"items":[]}`,
    ],
    ["an export with a head only", '{"format":"biller-export/1"}\n'],
    ["an export with odd lines", '{"format":"biller-export/1"}\n{"type":"leaf"}\n'],
    [
      "a prototype",
      '{"format":"biller-proof/1","__proto__":{"keys":[]},"keys":[{"statement":"biller/key/1\\nkeyId 99999 x\\n"}],"chains":[],"items":[]}',
    ],
  ])("says what is wrong with %s, and does not crash", async (_what, content) => {
    const { code, out, err } = await run(fileWith(content));
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toMatch(/^NOT PROVEN: /);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it("explains itself, and has a code for wrong usage and for files that are not there", async () => {
    await expect(run("--help")).resolves.toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: /) as string });
    await expect(run()).resolves.toMatchObject({ code: 64 });
    await expect(run("a", "b")).resolves.toMatchObject({ code: 64 });
    await expect(run("--nonsense", "a")).resolves.toMatchObject({ code: 64 });
    await expect(run("not-there.json")).resolves.toMatchObject({ code: 66 });
    const json = await run(fileWith(proof), "--json");
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, kind: "proof", traxId: traxIds[3] });
    const bad = await run(fileWith("{}"), "--json");
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false });
  });

  it("is described well enough to be written again in another language", async () => {
    const hasPython = spawnSync("python3", ["--version"]).status === 0;
    const readers = [
      ...(hasPython ? [["python3", "proof-reader.py"] as const] : []),
      [process.execPath, "proof-reader.mjs"] as const,
    ];
    for (const [command, script] of readers) {
      const path = join(__dirname, "..", "support", script);
      const read = (file: string) => spawnSync(command, [path, file, keyIds[0] as string], { encoding: "utf8" });
      expect(read(fileWith(proof))).toMatchObject({ status: 0, stdout: `proven: ${traxIds[3]}\n` });
      const altered = JSON.stringify(proof).replace("debit 35000", "debit 35001");
      expect(read(fileWith(altered))).toMatchObject({ status: 1, stderr: "not proven: a leaf is not in its block\n" });
    }
  });

  it("still confirms a payment whose personal data was masked, without showing it", async () => {
    const traxId = traxIds[7] as string;
    const masked = `reply:${proof.partnerId}:payment:${traxId}`;
    const owner = testDb(database.ownerUrl, 1);
    await transact(owner, async (tx) => {
      const actionId = await recordOperatorAction(tx, { actor: "test (test)", action: MASK_ACTION, object: masked });
      await maskSealedItem(tx, masked, ["reply"], actionId);
    });
    await owner.close();
    // What a masking does to the row itself, past its triggers.
    await database.query("begin");
    await database.query("set local session_replication_role = replica");
    await database.query("update trax set reply_body = '' where trax_id = $1", [traxId]);
    await database.query("commit");
    const after = await transact(db, (tx) => buildProof(tx, traxId, null));
    const item = after.items.find(({ itemKey }) => itemKey === masked);
    expect(Object.keys(item?.disclosed ?? {})).toEqual(["bill"]);
    const { code, out } = await run(fileWith(after), "--key", keyIds[0] as string);
    expect(code).toBe(0);
    expect(out).not.toContain("bit61");
    expect((await transact(db, (tx) => verifySeals(tx))).findings).toEqual([]);
    // Whoever takes a salt away without an action, to hide an edit, is found.
    await database.query("begin");
    await database.query("set local session_replication_role = replica");
    await database.query(
      `update seal_item set salt = null, kept = '{"reply":{"commitment":"00"},"bill":{"commitment":"00"}}', masked_by = gen_random_uuid()
        where item_key = $1`,
      [`reply:${proof.partnerId}:payment:${traxIds[8]}`],
    );
    await database.query("commit");
    const [finding] = (await transact(db, (tx) => verifySeals(tx))).findings;
    expect(finding).toMatchObject({ row: `trax (${proof.partnerId}, ${traxIds[8]}, payment)` });
    expect(finding?.what).toMatch(/no action says why/);
  });
});
