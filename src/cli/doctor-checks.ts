import { openMailer } from "../callbacks";
import { loadCatalog } from "../flows";
import {
  findContradictions,
  readBrokenReceivables,
  readSealStatus,
  readTrialBalance,
  type Recomputed,
} from "../ledger";
import { type Config, deadlineIn, messageOf, openRedis, systemClock } from "../platform";
import { pendingMigrations } from "../platform/migrate";
import { checkpointFileOf, openChainState } from "../sealing";
import type { Services } from "../services";
import { readClockSkew, readSafeguards, readServerState } from "../store";
import { rupiahText } from "./output";
import { type DatabaseContext, withApp } from "./with-database";

/** One finding. `advice` says what to do about it. */
export interface Finding {
  readonly name: string;
  readonly verdict: "ok" | "warning" | "failed";
  readonly detail: string;
  readonly advice?: string;
}

const RECEIVABLES_SHOWN = 5;
/** Below what a host refuses to be ready with, and worth a word. */
const CLOCK_SKEW_NOTED_MS = 2_000;

const CONTRADICTIONS_SHOWN = 5;

type Check = () => Promise<Omit<Finding, "name">>;

/** Looks at everything that has to be right for payments to be posted, each on its own, so that all faults show at once. */
export async function examine(services: Services, config: Config): Promise<Finding[]> {
  return withApp(services, async (context) => {
    const checks: readonly (readonly [name: string, check: Check])[] = [
      ["node", checkNode],
      ["database", () => checkServer(context, config)],
      ["migrations", () => checkMigrations(context)],
      ["append-only books", () => checkSafeguards(context)],
      ["partitions", () => checkPartitions(context)],
      ["books balance", () => checkBooks(context)],
      ["receivables", () => checkReceivables(context)],
      ["bills and books", () => checkContradictions(context)],
      ["partners, products and keys", () => checkCatalog(context)],
      ["clock", () => checkClock(context, config)],
      ["chain", () => checkChain(context, services, config)],
      ["redis", () => checkRedis(services)],
      ["mail", () => checkMail(config)],
    ];
    const findings: Finding[] = [];
    for (const [name, check] of checks) findings.push({ name, ...(await orFailed(check)) });
    return findings;
  });
}

async function orFailed(check: Check): Promise<Omit<Finding, "name">> {
  try {
    return await check();
  } catch (error) {
    return { verdict: "failed", detail: messageOf(error) };
  }
}

const checkNode: Check = async () => {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= 20) return { verdict: "ok", detail: `Node.js ${process.versions.node}` };
  return { verdict: "failed", detail: `Node.js ${process.versions.node}`, advice: "install version 20 or later" };
};

async function checkServer({ db }: DatabaseContext, config: Config): Promise<Omit<Finding, "name">> {
  const { isReplica, switchedOff, version } = await readServerState(db, deadlineIn(systemClock, 5_000));
  const detail = `PostgreSQL ${version}`;
  if (isReplica)
    return { verdict: "failed", detail: `${detail}, a replica`, advice: "point DATABASE_URL at the primary" };
  if (Number.parseInt(version, 10) < 15) return { verdict: "failed", detail, advice: "use version 15 or later" };
  if (switchedOff.length === 0) return { verdict: "ok", detail: `${detail}, durable settings on` };
  return {
    verdict: config.allowUnsafeDurability ? "warning" : "failed",
    detail: `${detail}; off: ${switchedOff.join(", ")}`,
    advice: "switch them on: a crash would lose payments that were acknowledged",
  };
}

async function checkMigrations({ db }: DatabaseContext): Promise<Omit<Finding, "name">> {
  const pending = await pendingMigrations(db.knex);
  if (pending.length === 0) return { verdict: "ok", detail: "all applied" };
  return { verdict: "failed", detail: `pending: ${pending.join(", ")}`, advice: "run: biller migrate" };
}

async function checkSafeguards({ transact }: DatabaseContext): Promise<Omit<Finding, "name">> {
  const { role, isSuperuser, changeableTables, unguardedTables, forgeableColumns } = await transact(readSafeguards);
  const advice = "let DATABASE_URL name the role biller_app, and MIGRATION_DATABASE_URL the owner";
  if (isSuperuser) return { verdict: "failed", detail: `the service runs as ${role}, a superuser`, advice };
  if (changeableTables.length > 0) {
    return { verdict: "failed", detail: `role ${role} may change ${changeableTables.join(", ")}`, advice };
  }
  if (unguardedTables.length > 0) {
    return {
      verdict: "failed",
      detail: `triggers missing or off on ${unguardedTables.join(", ")}`,
      advice: "somebody altered the schema: find out who, then restore the triggers of its migration",
    };
  }
  if (forgeableColumns.length > 0) {
    return {
      verdict: "failed",
      detail: `role ${role} may set ${forgeableColumns.join(", ")}`,
      advice: "the time of recording is the database's: run select reserve_columns(…) as migration 021 does",
    };
  }
  return { verdict: "ok", detail: `role ${role} may only append; triggers are on` };
}

async function checkPartitions({ transact }: DatabaseContext): Promise<Omit<Finding, "name">> {
  const { lastPartition, hasStrayEntries, serverTimeMs } = await transact(readSafeguards);
  const nextMonth = new Date(serverTimeMs + 31 * 86_400_000).toISOString().slice(0, 7);
  if (hasStrayEntries) {
    return {
      verdict: "warning",
      detail: "there are entries in the default partition",
      advice: "nothing is lost; move them to their month before archiving",
    };
  }
  if (lastPartition === null || lastPartition < nextMonth) {
    return {
      verdict: "warning",
      detail: `the last month is ${lastPartition ?? "none"}`,
      advice: "a running host creates months ahead; is none running?",
    };
  }
  return { verdict: "ok", detail: `months up to ${lastPartition} are there` };
}

async function checkBooks({ transact }: DatabaseContext): Promise<Omit<Finding, "name">> {
  const totals = await transact(readTrialBalance);
  const debits = totals.reduce((sum, total) => sum + total.debits, 0n);
  const credits = totals.reduce((sum, total) => sum + total.credits, 0n);
  if (debits === credits) return { verdict: "ok", detail: `debits and credits ${rupiahText(debits)} each` };
  return {
    verdict: "failed",
    detail: `debits ${rupiahText(debits)}, credits ${rupiahText(credits)}`,
    advice: "the database was changed past its safeguards: stop, keep the evidence, compare with a backup",
  };
}

async function checkReceivables({ transact }: DatabaseContext): Promise<Omit<Finding, "name">> {
  const broken = await transact((tx) => readBrokenReceivables(tx, RECEIVABLES_SHOWN));
  const [first] = broken;
  if (first === undefined) return { verdict: "ok", detail: "due from switch is what the open receivables add up to" };
  const more = broken.length === 1 ? "" : `, and ${broken.length - 1} more at least`;
  return {
    verdict: "failed",
    detail: `${first.entryId}: ${first.what}${more}`,
    advice: "biller ledger verify names all of them; undo what cleared too much, by two people",
  };
}

async function checkContradictions({ transact }: DatabaseContext): Promise<Omit<Finding, "name">> {
  let found: readonly Recomputed[];
  try {
    found = await transact((tx) => findContradictions(tx, CONTRADICTIONS_SHOWN));
  } catch (error) {
    // A ledger of millions takes longer than a command may; verify has all the time that it needs.
    return { verdict: "warning", detail: `not finished: ${messageOf(error)}`, advice: "run: biller ledger verify" };
  }
  if (found.length === 0) return { verdict: "ok", detail: "bills, registry, journal and chart say the same" };
  return {
    verdict: "failed",
    detail: found
      .slice(0, CONTRADICTIONS_SHOWN)
      .map(({ row, what }) => `${row}: ${what}`)
      .join("; "),
    advice: "the database was changed past its safeguards: keep the evidence; biller ledger verify names more",
  };
}

async function checkCatalog({ transact, secrets }: DatabaseContext): Promise<Omit<Finding, "name">> {
  const { partners, products } = await transact((tx) => loadCatalog(tx, secrets));
  const withoutPassword = [...partners.values()].filter((partner) => partner.passwords.length === 0);
  if (partners.size === 0)
    return { verdict: "warning", detail: "no active partner", advice: "run: biller partner add" };
  if (withoutPassword.length > 0) {
    return {
      verdict: "warning",
      detail: `without a password: ${withoutPassword.map((partner) => partner.userName).join(", ")}`,
      advice: "such a partner is refused with every message",
    };
  }
  return { verdict: "ok", detail: `${partners.size} partners, ${products.size} products, all passwords open` };
}

async function checkClock({ db }: DatabaseContext, { clockSkewMaxMs }: Config): Promise<Omit<Finding, "name">> {
  const { skewMs, errorMs } = await readClockSkew(db, systemClock);
  const detail = `${Math.round(skewMs)} ms from the database's`;
  const off = Math.abs(skewMs) - errorMs;
  const advice = "due times and business dates follow this machine's clock: synchronise it";
  if (off > clockSkewMaxMs) return { verdict: "failed", detail: `${detail}: a host here is not ready`, advice };
  return off > CLOCK_SKEW_NOTED_MS ? { verdict: "warning", detail, advice } : { verdict: "ok", detail };
}

async function checkChain(
  { db, transact }: DatabaseContext,
  services: Services,
  config: Config,
): Promise<Omit<Finding, "name">> {
  const file = checkpointFileOf(config, services);
  const chain = openChainState(db, file, () => {});
  const { isOk, detail } = await chain.check();
  chain.close();
  if (!isOk) return { verdict: "failed", detail, advice: "a host here is not ready: docs/OPERATIONS.md, Rolled back" };
  const { keyId } = await transact((tx) => readSealStatus(tx));
  if (keyId === null || file !== null || config.seal.s3 !== null || config.seal.webhook !== null) {
    return { verdict: "ok", detail };
  }
  return {
    verdict: "warning",
    detail: "no checkpoint leaves the database",
    advice: "set CHECKPOINT_DIR: a database that was rolled back is noticed by nothing else",
  };
}

async function checkRedis(services: Services): Promise<Omit<Finding, "name">> {
  if (services.redisUrl === null) {
    return { verdict: "ok", detail: "none; it is optional and only makes repeats in flight cheaper" };
  }
  const redis = openRedis(services.redisUrl, 1_000, () => {});
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once("ready", resolve);
      redis.once("error", reject);
    });
    await redis.ping();
    return { verdict: "ok", detail: "answers" };
  } catch (error) {
    return { verdict: "warning", detail: messageOf(error), advice: "payments go on without it; check REDIS_URL" };
  } finally {
    redis.disconnect();
  }
}

async function checkMail({ mail }: Config): Promise<Omit<Finding, "name">> {
  if (mail === null) return { verdict: "ok", detail: "none: customers are not mailed their bills" };
  const { host, port } = mail;
  try {
    await openMailer(mail).verify();
    return { verdict: "ok", detail: `${host}:${port} takes us in, sender ${mail.from.address}` };
  } catch (error) {
    return { verdict: "warning", detail: messageOf(error), advice: "mails wait and are tried again; check SMTP_URL" };
  }
}
