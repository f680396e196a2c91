import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCheckpointFile } from "../../src/callbacks";
import { openChainWatch, readLastBlock, verifySeals } from "../../src/ledger";
import { type Db, loadConfig } from "../../src/platform";
import { CHECKPOINT_FILE, openSealing, type Sealing } from "../../src/sealing";
import { paymentMessage, TEST_KEYS, testDb, transact } from "../support/builders";
import { type Ended, startBiller } from "../support/command-line";
import { startTestHost, type TestHost } from "../support/host";
import { fillWithBills, newSealKey, payBills } from "../support/seal";
import { createTestDatabase, onServer, type TestDatabase } from "../support/services";

jest.setTimeout(120_000);

/** What is left of a database that was put back to an earlier moment: everything behind that block is gone. */
const rollBackTo = (blockNo: bigint): string => `
  begin;
  set local session_replication_role = replica;
  create temporary table lost on commit drop as select item_key from seal_item where block_no > ${blockNo};
  update bill set paid_amount = 0, paid_at = null
   where bill_key in (select bill_key from journal_entry where 'entry:' || entry_id in (select item_key from lost));
  delete from posting where 'entry:' || entry_id in (select item_key from lost);
  delete from journal_entry where 'entry:' || entry_id in (select item_key from lost);
  delete from trax where 'reply:' || partner_id || ':' || family || ':' || trax_id in (select item_key from lost);
  delete from operator_action where 'action:' || action_id in (select item_key from lost);
  delete from seal_checkpoint where block_no > ${blockNo};
  delete from seal_item where block_no > ${blockNo};
  delete from seal_block where block_no > ${blockNo};
  update posting_total_state set block_no = 0;
  delete from posting_total;
  commit`;

describe("a database that was rolled back", () => {
  const directory = mkdtempSync(join(tmpdir(), "rollback-"));
  const file = join(directory, CHECKPOINT_FILE);
  let database: TestDatabase;
  let db: Db;
  let bills: string[];
  let sealing: Sealing;
  let host: TestHost;
  const faults: string[] = [];
  const settings = { CHECKPOINT_DIR: directory };

  const sealAndCarryOut = async (): Promise<bigint> => {
    await payBills(db, bills.splice(0, 2));
    await sealing.sealer.drain();
    await sealing.sealer.checkpoint();
    await sealing.courier.deliver();
    return (await transact(db, readLastBlock))?.blockNo ?? 0n;
  };
  const readiness = async (): Promise<{ status: number; failed: string[] }> => {
    const response = await fetch(`${host.url}/readyz`);
    const { checks } = (await response.json()) as { checks: { name: string; isOk: boolean; detail: string }[] };
    return {
      status: response.status,
      failed: checks.filter(({ isOk }) => !isOk).map(({ name, detail }) => `${name}: ${detail}`),
    };
  };
  const biller = (args: readonly string[]): Promise<Ended> =>
    startBiller(args, {
      DATABASE_URL: database.appUrl,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
      ALLOW_UNSAFE_DURABILITY: "true",
      ...settings,
    }).ended;

  beforeAll(async () => {
    database = await createTestDatabase();
    bills = await fillWithBills(database, 20);
    db = testDb(database.appUrl, 3);
    await newSealKey(database);
    host = await startTestHost(database, { settings });
    sealing = openSealing({
      config: loadConfig(settings),
      services: { isEmbedded: false, databaseUrl: database.appUrl, credentialKeys: TEST_KEYS },
      isRunning: false,
      onFault: (fault) => faults.push(String(fault)),
    });
  });
  afterAll(async () => {
    await sealing.close();
    await host.stop();
    await db.close();
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  });

  it("makes the host not ready, stops the sealer, and still answers by its books", async () => {
    const kept = await sealAndCarryOut();
    const lost = await sealAndCarryOut();
    expect(await readiness()).toEqual({ status: 200, failed: [] });

    await onServer(database.superuserUrl, rollBackTo(kept));
    const { status, failed } = await readiness();
    expect(status).toBe(503);
    expect(failed).toEqual([
      expect.stringMatching(
        new RegExp(
          `^chain: a checkpoint outside .* knows block ${lost}, and the chain ends at block ${kept}: .*rolled back`,
        ),
      ),
    ]);
    expect(await (await fetch(`${host.url}/metrics`)).text()).toMatch(/^biller_chain_contradicted 1$/m);
    expect(host.logs).toContainEqual(expect.objectContaining({ msg: "alarm: rollback" }));

    await payBills(db, bills.splice(0, 1));
    await expect(sealing.sealer.drain()).rejects.toMatchObject({ code: "checkpoint_mismatch" });
    await expect(sealing.courier.deliver()).rejects.toMatchObject({ code: "checkpoint_mismatch" });
    expect((await transact(db, readLastBlock))?.blockNo).toBe(kept);

    // A payment that arrives all the same is judged by what is there.
    const [billNumber = ""] = bills.splice(0, 1);
    expect((await host.send(paymentMessage({ billNumber }))).fields["resultCode"]).toBe("00");
  });

  it("is a failure to doctor and a finding to verify", async () => {
    const doctor = await biller(["doctor"]);
    expect(doctor.code).not.toBe(0);
    expect(doctor.out).toMatch(/chain.*\n?.*rolled back/);
    expect((await biller(["ledger", "verify"])).out).toContain("outside checkpoint of block");
  });

  it("goes on when somebody says so, with a reason that is sealed", async () => {
    expect((await biller(["ledger", "accept-rollback", "--as", "Ani", "--yes"])).code).not.toBe(0);
    const before = readFileSync(file, "utf8");
    const [last] = readCheckpointFile(file).slice(-1);
    const accepted = await biller([
      "ledger",
      "accept-rollback",
      "--because",
      "failover of 1 December",
      "--as",
      "Ani",
      "--yes",
    ]);
    expect(accepted).toMatchObject({ code: 0 });
    expect(accepted.out).toContain(`are accepted as lost; hosts are ready again`);

    // What was known is kept beside; the file goes on with what both have.
    const [away = ""] = readdirSync(directory).filter((name) => name.includes(".lost-"));
    expect(readFileSync(join(directory, away), "utf8")).toBe(before);
    expect(readCheckpointFile(file).map(({ blockNo }) => blockNo)).not.toContain(last?.blockNo);
    expect(await readiness()).toEqual({ status: 200, failed: [] });

    await sealAndCarryOut();
    const verdict = await transact(db, (tx) => verifySeals(tx, { outside: readCheckpointFile(file) }));
    expect(verdict.findings).toEqual([]);
    expect(verdict.rollbacks).toMatchObject([{ object: `blocks:2-2`, detail: "failover of 1 December" }]);
    expect(verdict.rollbacks[0]?.actor).toMatch(/^Ani \(cli:/);
    expect((await biller(["ledger", "verify"])).out).toMatch(/blocks:2-2 were lost in a rollback; Ani \(cli:/);
  });

  it("is not covered by an earlier acceptance", async () => {
    const kept = (await transact(db, readLastBlock))?.blockNo ?? 0n;
    await sealAndCarryOut();
    await onServer(database.superuserUrl, rollBackTo(kept));
    expect((await readiness()).status).toBe(503);
    expect((await biller(["ledger", "accept-rollback", "--because", "again", "--yes"])).code).toBe(0);
    expect((await readiness()).status).toBe(200);
  });

  it("is noticed by a process that has seen more, without any checkpoint", async () => {
    const kept = (await transact(db, readLastBlock))?.blockNo ?? 0n;
    await sealAndCarryOut();
    const watch = openChainWatch(() => null);
    expect(await transact(db, (tx) => watch.contradictionOf(tx))).toBeNull();
    await onServer(database.superuserUrl, rollBackTo(kept));
    expect(await transact(db, (tx) => watch.contradictionOf(tx))).toMatch(/^this process knows block .* chain ends at/);
  });
});
