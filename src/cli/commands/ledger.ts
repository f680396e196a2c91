import { once } from "node:events";
import { createWriteStream, existsSync, writeFileSync } from "node:fs";
import { finished } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import { readCheckpointFile } from "../../callbacks";
import { acceptRollbackCommand } from "./accept-rollback";
import {
  buildProof,
  exportSealed,
  type Finding,
  listSealKeys,
  readSealStatus,
  type Sealer,
  verifySeals,
} from "../../ledger";
import { type Config, type Db, deadlineIn, Fault, messageOf, systemClock, type Tx } from "../../platform";
import { checkpointFileOf, openSealing, openSealingDb, type Sealing } from "../../sealing";
import type { Services } from "../../services";
import { print, printJson, printTable, say, startProgress } from "../output";
import { newSealKey } from "../seal-key";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

/** Reading a whole ledger takes as long as it takes. */
const LONG_MS = 24 * 3_600_000;

/** `ledger key|seal|status|verify|proof|export|checkpoint`. */
export function ledgerCommands(program: Command, exit: (code: number) => void): void {
  const ledger = program
    .command("ledger")
    .description("the sealed ledger: keys, proofs, verification (see docs/AUDIT.md)");
  keyCommands(ledger);
  sealCommands(ledger);
  verifyCommand(ledger, exit);
  acceptRollbackCommand(ledger);
  proofCommands(ledger);
}

function keyCommands(ledger: Command): void {
  const key = ledger.command("key").description("keys that sign blocks; private halves stay encrypted in the database");
  key
    .command("new")
    .description("make the next signing key; from the next block on it signs, the ones before stay in the chain")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      const made = await withServices((services) => withOwner(services, newSealKey));
      if (options.json) {
        printJson(made);
        return;
      }
      print(`key ${made.keyId}, number ${made.keyNo}`);
      print(`public key ${made.publicKey}`);
      if (made.previousKeyId === null) print("Hand its id to your auditors now, by a way that they trust.");
    });
  key
    .command("list")
    .description("all signing keys, public halves")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      const keys = await withServices((services) => withOwner(services, ({ transact }) => transact(listSealKeys)));
      const rows = keys.map((each) => ({
        ...{ keyNo: each.keyNo, keyId: each.keyId, publicKey: each.publicKey.toString("hex") },
        createdAt: each.createdAt.toISOString(),
      }));
      if (options.json) printJson(rows);
      else if (rows.length === 0) print("no key yet: biller ledger key new");
      else
        printTable(
          ["number", "key", "public key", "since"],
          rows.map((row) => [String(row.keyNo), row.keyId, row.publicKey, row.createdAt]),
        );
    });
}

function sealCommands(ledger: Command): void {
  ledger
    .command("seal")
    .description("seal now what is not sealed yet; a running host does it by itself")
    .option("--watch", "go on until interrupted, for a process that does nothing else (hosts then run with SEAL=false)")
    .option("--json", "machine-readable output")
    .action(async (options: { watch?: true; json?: true }) => {
      await withSealing(async ({ db, sealer }) => {
        if (options.watch) await untilInterrupted();
        else await sealNow(db, sealer, options.json === true);
      }, options.watch === true);
    });
  ledger
    .command("status")
    .description("how far sealing has come")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      const status = await withServices((services) =>
        withOwner(services, ({ transact }) => transact((tx) => readSealStatus(tx, true))),
      );
      if (options.json) {
        printJson(status);
        return;
      }
      print(`key:         ${status.keyId ?? "none yet: biller ledger key new"}`);
      print(`sealed:      ${status.leaves} leaves in ${status.blocks} blocks`);
      print(`behind by:   ${status.lagSeconds === null ? "not begun" : `${status.lagSeconds.toFixed(1)} s`}`);
      print(`checkpoint:  ${status.checkpointBlock === null ? "none yet" : `block ${status.checkpointBlock}`}`);
      print(`undelivered: ${status.undelivered}`);
    });
  ledger
    .command("checkpoint")
    .description("seal, make a checkpoint of the newest block, and carry it to where checkpoints go")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      await withSealing(async ({ sealer, courier }, file) => {
        await sealer.drain();
        const made = await sealer.checkpoint();
        await courier.deliver();
        const block = made?.blockNo ?? null;
        if (options.json)
          printJson({ block, file, statement: made?.statement, signature: made?.signature.toString("hex") });
        else if (block === null) print("nothing new since the last checkpoint");
        else print(`checkpoint of block ${block}${file === null ? "" : `, written to ${file}`}`);
      });
    });
}

function withSealing(work: (sealing: Sealing, file: string | null) => Promise<void>, isRunning = false): Promise<void> {
  return withServices(async (services, config) => {
    const sealing = openSealing({
      ...{ config, services, isRunning },
      onFault: (fault, where) => say(`${where}: ${messageOf(fault)}`),
      onBlock: ({ blockNo, leaves }) => say(`block ${blockNo}: ${leaves} leaves`),
    });
    try {
      await work(sealing, checkpointFileOf(config, services));
    } finally {
      await sealing.close();
    }
  });
}

async function withSealingDb<T>(services: Services, work: (db: Db) => Promise<T>): Promise<T> {
  const db = openSealingDb(services.databaseUrl, (fault) => say(messageOf(fault)));
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

async function sealNow(db: Db, sealer: Sealer, isJson: boolean): Promise<void> {
  const blocks = await sealer.drain();
  const status = await db.withTransaction(deadlineIn(systemClock, 60_000), (tx) => readSealStatus(tx, true));
  if (status.keyId === null) throw new Fault("no_key", "there is no signing key: biller ledger key new");
  if (isJson) printJson({ newBlocks: blocks, ...status });
  else if (blocks === null) print("another process is sealing at this moment");
  else print(`${blocks} new blocks; ${status.leaves} leaves in ${status.blocks} blocks are sealed`);
}

async function untilInterrupted(): Promise<void> {
  say("sealing until interrupted");
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}

/** One transaction of the service's role that may take long: nothing is changed in it. */
function reading<T>(work: (tx: Tx, config: Config, services: Services) => Promise<T>): Promise<T> {
  return withServices((services, config) =>
    withSealingDb(services, (db) =>
      db.withTransaction(deadlineIn(systemClock, LONG_MS), (tx) => work(tx, config, services)),
    ),
  );
}

function verifyCommand(ledger: Command, exit: (code: number) => void): void {
  ledger
    .command("verify")
    .description("check every block against the rows as they are now; names the first row that is not what was sealed")
    .option("--checkpoints <file>", "checkpoints kept outside; default: the file of the settings, when there is one")
    .option("--key <keyId>", "a key that has to be among those that signed")
    .option("--json", "machine-readable output")
    .action(async (options: { checkpoints?: string; key?: string; json?: true }) => {
      const progress = startProgress("verifying");
      const verdict = await reading((tx, config, services) => {
        const own = checkpointFileOf(config, services);
        const file = options.checkpoints ?? (own !== null && existsSync(own) ? own : null);
        return verifySeals(tx, {
          outside: file === null ? [] : readCheckpointFile(file),
          trustedKeyId: options.key ?? null,
          onBlock: (blockNo, leaves) => progress.update(`block ${blockNo}, ${leaves} leaves`),
        });
      });
      progress.done();
      if (verdict.findings.length > 0) exit(1);
      if (options.json) {
        printJson({ isSound: verdict.findings.length === 0, ...verdict });
        return;
      }
      print(`${verdict.leaves} leaves in ${verdict.blocks} blocks, ${verdict.checkpoints} checkpoints`);
      if (verdict.masked > 0) print(`${verdict.masked} rows are masked; the rest of them was checked`);
      if (verdict.expired > 0) print(`${verdict.expired} minutes of attempts have expired with their month`);
      if (verdict.late > 0) print(`${verdict.late} rows were sealed after rows that are more than an hour younger:`);
      for (const row of verdict.lateRows) print(`  ${row}`);
      for (const { object, actor, at, detail } of verdict.rollbacks) {
        print(`${object} were lost in a rollback; ${actor} accepted that at ${at}: ${detail}`);
      }
      if (verdict.findings.length === 0) print("everything is as it was sealed");
      else showFindings(verdict.findings);
    });
}

function showFindings([first, ...others]: readonly Finding[]): void {
  if (first === undefined) return;
  print(`FIRST BAD ROW: ${first.row}: ${first.what}`);
  for (const { row, what } of others) print(`also: ${row}: ${what}`);
}

function proofCommands(ledger: Command): void {
  ledger
    .command("proof <traxId>")
    .description("a small file that proves one payment; node verify/verify.mjs checks it anywhere")
    .option("--partner <userName>", "whose traxId, when several partners have used it")
    .option("--out <file>", "write it there; default: standard output")
    .action(async (traxId: string, options: { partner?: string; out?: string }) => {
      const proof = await reading((tx) => buildProof(tx, traxId, options.partner ?? null));
      const text = JSON.stringify(proof, null, 1);
      if (options.out === undefined) print(text);
      else {
        writeFileSync(options.out, `${text}\n`);
        say(`${options.out}: ${proof.items.length} leaves proven`);
      }
    });
  ledger
    .command("export")
    .description("everything that is sealed as NDJSON; node verify/verify.mjs checks it anywhere")
    .option("--from-block <n>", "first block", blockNumber, 1n)
    .option("--to-block <n>", "last block; default: the newest", blockNumber)
    .option("--out <file>", "write it there; default: standard output")
    .action(async (options: { fromBlock: bigint; toBlock?: bigint; out?: string }) => {
      const sink = options.out === undefined ? process.stdout : createWriteStream(options.out);
      await reading(async (tx) => {
        for await (const line of exportSealed(tx, { from: options.fromBlock, to: options.toBlock ?? null })) {
          if (!sink.write(line)) await once(sink, "drain");
        }
      });
      if (sink === process.stdout) return;
      sink.end();
      await finished(sink);
    });
}

function blockNumber(text: string): bigint {
  if (!/^[1-9][0-9]{0,17}$/.test(text)) throw new InvalidArgumentError("must be a block's number, 1 or more");
  return BigInt(text);
}
