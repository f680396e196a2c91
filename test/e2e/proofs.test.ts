import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildProof, type Proof } from "../../src/ledger";
import { type Db } from "../../src/platform";
import { insertPartner } from "../../src/store";
import { askAudit, auditToken } from "../support/audit";
import { fill, inquiryMessage, newTraxId, paymentMessage, telkomBill, testDb, transact } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { newSealKey, SECRETS, testSealer } from "../support/seal";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

const BILLS = Array.from({ length: 6 }, (_, index) => `00210084600${String(index).padStart(2, "0")}`);
const OTHER = { userName: "bother", password: "another-password" };

describe("proofs of traxIds that are not plain", () => {
  const dir = mkdtempSync(join(tmpdir(), "proofs-"));
  const bills = [...BILLS];
  let database: TestDatabase;
  let db: Db;
  let host: TestHost;
  let keyId: string;
  let token: string;

  async function pay(changes: Record<string, string> = {}, password?: string): Promise<Record<string, string>> {
    const billNumber = bills.pop() ?? "";
    const shown = await host.send(inquiryMessage({ billNumber, bit61: billNumber }));
    const payment = paymentMessage({ billNumber, bit61: String(shown.fields["bit61"]), ...changes }, password);
    expect((await host.send(payment)).fields["resultCode"]).toBe("00");
    return payment;
  }
  const reversalOf = (payment: Record<string, string>): Record<string, string> => {
    const { signature: _, ...rest } = payment;
    return paymentMessage({ ...rest, transactionType: "51", timeStamp: "20-03-2023 10:41:00" });
  };
  const prove = (traxId: string, partner: string | null = null): Promise<Proof> =>
    transact(db, (tx) => buildProof(tx, traxId, partner));
  const seal = (): Promise<unknown> => testSealer(db, { leavesMax: 4 }).drain();
  const verified = (proof: Proof): { status: number | null; out: string } => {
    const file = join(dir, "proof.json");
    writeFileSync(file, JSON.stringify(proof));
    const { status, stdout } = spawnSync(process.execPath, ["verify/verify.mjs", file, "--key", keyId]);
    return { status, out: stdout.toString() };
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(
      database,
      bills.map((billNumber) => telkomBill({ billNumber })),
      { reply: { paymentBit61: "full" } },
    );
    const owner = testDb(database.ownerUrl, 1);
    await transact(owner, (tx) =>
      insertPartner(tx, { ...OTHER, name: "other", productCodes: ["001001"], dialect: {} }, SECRETS),
    );
    await owner.close();
    keyId = await newSealKey(database);
    host = await startTestHost(database, { settings: { SEAL: "false" } });
    db = testDb(database.appUrl, 3);
    token = await auditToken(database);
  });
  afterAll(async () => {
    await host.stop();
    await db.close();
    await database.drop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("name the partners when two have used one traxId, and prove that of each alone", async () => {
    const { traxId = "" } = await pay();
    await pay({ traxId, userName: OTHER.userName }, OTHER.password);
    await seal();
    await expect(prove(traxId)).rejects.toMatchObject({
      code: "ambiguous",
      message: expect.stringMatching(/several partners, name one: bmandiri, bother/) as string,
    });
    const refused = await askAudit(host.url, token, `/payments/${traxId}/proof`);
    expect(refused.status).toBe(409);
    const proofs = [await prove(traxId, "bmandiri"), await prove(traxId, OTHER.userName)];
    for (const proof of proofs) expect(verified(proof)).toMatchObject({ status: 0 });
    const leaves = proofs.map(({ items }) => items.map(({ leaf }) => leaf));
    expect(leaves[0]).toHaveLength(2);
    expect(leaves[1]).toHaveLength(2);
    expect(new Set(leaves.flat()).size).toBe(4);
    expect(proofs.map(({ partnerId }) => partnerId)).toEqual([1, 2]);
    const asked = await askAudit(host.url, token, `/payments/${traxId}/proof`, { partner: OTHER.userName });
    expect(asked).toMatchObject({ status: 200, body: { partnerId: 2 } });
    await expect(prove(traxId, "nobody")).rejects.toMatchObject({ code: "not_found" });
  });

  it("hold payment and reversal of one traxId, with both entries", async () => {
    const payment = await pay();
    expect((await host.send(reversalOf(payment))).fields["resultCode"]).toBe("00");
    const { traxId = "" } = payment;
    await expect(prove(traxId)).rejects.toMatchObject({ code: "not_sealed" });
    await seal();
    const proof = await prove(traxId);
    const kinds = proof.items.map(({ itemKey }) =>
      itemKey
        .split(":")
        .filter((part) => /^[a-z]+$/.test(part))
        .join(),
    );
    expect(kinds.toSorted()).toEqual(["entry", "entry", "reply,payment", "reply,reversal"]);
    expect(verified(proof)).toMatchObject({ status: 0 });
  });

  it("hold the tombstone and no entry, where the reversal came before any payment", async () => {
    const traxId = newTraxId();
    await host.send(reversalOf(paymentMessage({ billNumber: BILLS[0] ?? "", traxId })));
    await seal();
    const proof = await prove(traxId);
    expect(proof.items.map(({ itemKey }) => itemKey)).toEqual([
      `reply:1:payment:${traxId}`,
      `reply:1:reversal:${traxId}`,
    ]);
    expect(verified(proof)).toMatchObject({ status: 0 });
  });

  it("know nothing of a traxId that was only asked about", async () => {
    const traxId = newTraxId();
    await host.send(inquiryMessage({ billNumber: BILLS[0] ?? "", bit61: BILLS[0] ?? "", traxId }));
    await expect(prove(traxId)).rejects.toMatchObject({ code: "not_found" });
  });

  it("are refused naming the row or block that is not as it was sealed", async () => {
    const { traxId = "" } = await pay();
    await seal();
    const [row] = await database.query<{ entry: string; block: bigint; leaf: number }>(
      `select t.entry_id as entry, i.block_no as block, i.leaf_no as leaf from trax t
         join seal_item i on i.item_key = 'reply:1:payment:' || t.trax_id where t.trax_id = $1`,
      [traxId],
    );
    const { entry = "", block = 0n, leaf = 0 } = row ?? {};
    const trax = `trax (1, ${traxId}, payment)`;
    const cases: readonly (readonly [change: string, message: string])[] = [
      [
        `update trax set reply_body = reply_body || ' ' where trax_id = '${traxId}'`,
        `${trax}: it is not what was sealed`,
      ],
      [
        `update trax set entry_id = gen_random_uuid() where trax_id = '${traxId}'`,
        `${trax}: it is not what was sealed`,
      ],
      [
        `delete from trax where trax_id = '${traxId}'`,
        `${trax}: it was sealed, and is gone (block ${block}, leaf ${leaf})`,
      ],
      [
        `update posting set amount = amount + 1 where entry_id = '${entry}'`,
        `journal_entry ${entry} or its postings: it is not what was sealed`,
      ],
      [
        `delete from journal_entry where entry_id = '${entry}'`,
        `journal_entry ${entry} or its postings: it was sealed, and is gone`,
      ],
      [
        `update seal_item set leaf_no = 99 where item_key = 'reply:1:payment:${traxId}'`,
        `${trax}: the block does not hold it`,
      ],
      [
        `update seal_block set signature = set_byte(signature, 3, get_byte(signature, 3) # 1) where block_no = ${block}`,
        `seal_block ${block}: it is not signed`,
      ],
      [
        `update seal_block set block_hash = sha256('x') where block_no = ${block}`,
        `seal_block ${block}: its hash is not`,
      ],
      [
        `update seal_block set header = header || 'x' where block_no = ${block}`,
        `seal_block ${block}: its header is not`,
      ],
      [
        // The other leaves' list is changed: the row is what it was, and its path would lead to another root.
        `update seal_block set leaf_hashes = set_byte(leaf_hashes, case when ${leaf} = 0 then 32 else 0 end,
           (get_byte(leaf_hashes, case when ${leaf} = 0 then 32 else 0 end) + 1) % 256) where block_no = ${block}`,
        `seal_block ${block}: its list of leaf hashes is not what was signed`,
      ],
      [`delete from seal_block where block_no = ${block}`, `seal_block ${block}: is gone`],
    ];
    const superuser = testDb(database.superuserUrl, 1);
    try {
      for (const [change, message] of cases) {
        const told = await transact(superuser, async (tx) => {
          await tx.run({ name: "bare", text: "set local session_replication_role = replica", isWrite: true }, []);
          await tx.run({ name: `change_${change.length}_${change.slice(0, 20)}`, text: change, isWrite: true }, []);
          const fault: unknown = await buildProof(tx, traxId, null).catch((error: unknown) => error);
          throw Object.assign(new Error("taken back"), { fault });
        }).catch((error: unknown) => (error as { fault?: { code: string; message: string } }).fault);
        expect({ change, code: told?.code, message: told?.message }).toEqual({
          ...{ change, code: "broken_seal" },
          message: expect.stringContaining(message) as string,
        });
      }
    } finally {
      await superuser.close();
    }
    expect(verified(await prove(traxId))).toMatchObject({ status: 0 });
    await onServer(
      database.superuserUrl,
      `begin; set local session_replication_role = replica;
       update trax set amount = amount + 1 where trax_id = '${traxId}'; commit`,
    );
    const asked = await askAudit(host.url, token, `/payments/${traxId}/proof`);
    expect(asked.status).toBe(409);
    expect(asked.body["error"]).toContain(`${trax}: it is not what was sealed`);
  });
});
