import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { compileProduct, PRODUCTS, type ProductDefinition } from "../../src/flows";
import { createSecretBox } from "../../src/platform";
import {
  type EmbeddedPostgres,
  type EmbeddedRedis,
  startEmbeddedPostgres,
  startEmbeddedRedis,
} from "../../src/platform/embedded";
import { migrateToLatest } from "../../src/platform/migrate";
import { insertPartner, saveProduct } from "../../src/store";
import { TEST_KEYS, testDb, transact } from "../support/builders";
import { onServer, type TestDatabase } from "../support/services";
import { type Bit61, billNumberOf, SCENE } from "./messages";
import { type Contestant, startContestant } from "./processes";

export const ROOT = join(__dirname, "..", "..");

/** The servers of a run: one PostgreSQL with durable settings, one Redis. */
export interface Stage {
  readonly dir: string;
  readonly postgres: EmbeddedPostgres;
  readonly redis: EmbeddedRedis;
  /** The compiled host as it was when the run began: others may build meanwhile. */
  readonly hostDir: string;
  readonly say: (line: string) => void;
  /** NAME=VALUE, checked. */
  readonly roleSettings: readonly string[];
  readonly sqlFile: string | null;
  /** Beside those that every host here has. */
  readonly hostSettings: Readonly<Record<string, string>>;
}

const TEMPLATE = "bench_template";

/** Brings the servers up, does the work, and takes everything down whatever happens. */
export async function onStage<T>(
  options: {
    readonly settings: Readonly<Record<string, string>>;
    readonly roleSettings: readonly string[];
    readonly sqlFile: string | null;
    readonly hostSettings: Readonly<Record<string, string>>;
    readonly say: (line: string) => void;
  },
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { say, roleSettings, sqlFile, hostSettings } = options;
  const dir = mkdtempSync(join(tmpdir(), "biller-bench-"));
  chmodSync(dir, 0o755);
  const stops: (() => Promise<void>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
  try {
    const hostDir = snapshotOfHost(dir);
    const postgres = await startEmbeddedPostgres({
      dataDir: join(dir, "postgres"),
      log: () => {},
      durable: true,
      settings: { max_connections: "300", ...options.settings },
      database: TEMPLATE,
    });
    stops.push(() => postgres.stop());
    const redis = await startEmbeddedRedis({ dir: join(dir, "redis"), path: process.env["PATH"] ?? "", log: say });
    if (redis === null) throw new Error("the bench needs redis-server or valkey-server on the PATH");
    stops.push(() => redis.stop());
    return await work({ dir, postgres, redis, hostDir, say, roleSettings, sqlFile, hostSettings });
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** Compiles what is not compiled, and takes a copy that is run. */
function snapshotOfHost(dir: string): string {
  const built = spawnSync(process.execPath, [join(ROOT, "bin", "prepare.mjs")], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
  });
  if (built.status !== 0) throw new Error("the host does not compile");
  const hostDir = join(dir, "host");
  mkdirSync(hostDir);
  cpSync(join(ROOT, "dist"), join(hostDir, "dist"), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(hostDir, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(hostDir, "node_modules"));
  return hostDir;
}

/** The definition of the product that is paid; with `isPartial` a bill may be paid again and again. */
export function definitionOf(isPartial: boolean): ProductDefinition {
  const product = PRODUCTS.find(({ productCode }) => productCode === SCENE.productCode);
  if (product === undefined) throw new Error(`product ${SCENE.productCode} does not ship`);
  if (!isPartial) return product.definition;
  const copy = JSON.parse(JSON.stringify(product.definition)) as ProductDefinition;
  return { ...copy, rules: { ...copy.rules, rule: { kind: "part", minAmount: "1" } } };
}

/** bit61 as the host's inquiry would answer it for bill 0. */
export function bit61Of(itemAmount: number, isPartial: boolean): Bit61 {
  const product = compileProduct(SCENE.productCode, "bench", definitionOf(isPartial));
  const items = SCENE.references.map((reference, index) => ({
    itemNo: index + 1,
    reference,
    amount: BigInt(itemAmount),
    outstanding: BigInt(itemAmount),
  }));
  const billNumber = billNumberOf(0);
  const amount = BigInt(itemAmount * items.length);
  const { productCode, customerName, details } = SCENE;
  const bill = {
    ...{ billKey: `${productCode}:${billNumber}`, productCode, billNumber, version: 1, isCancelled: false },
    ...{ totalAmount: amount, paidAmount: 0n, feeAmount: BigInt(SCENE.feeAmount), customerName, details },
    ...{ dueAtMs: null, items },
  };
  const values = product.valuesOf(bill, { items, amount, feeAmount: bill.feeAmount });
  const text = product.layout.encode(values);
  return { text, bodyWidth: text.length - product.layout.tailWidth };
}

/** Migrates the template and stores partner and product. */
export async function prepareTemplate({ postgres, roleSettings, sqlFile }: Stage, isPartial: boolean): Promise<void> {
  await migrateToLatest(postgres.ownerUrl, { log: () => {} });
  for (const setting of roleSettings) {
    await onServer(postgres.superuserUrl, `alter role biller_app set ${setting}`);
  }
  if (sqlFile !== null) await onServer(postgres.superuserUrl, readFileSync(sqlFile, "utf8"));
  const db = testDb(postgres.ownerUrl, 2);
  const { productCode, userName, password } = SCENE;
  try {
    await transact(db, async (tx) => {
      await saveProduct(tx, { productCode, name: "Telkom", definition: definitionOf(isPartial) });
      const partner = { userName, name: "bench", productCodes: [productCode], dialect: {}, password };
      await insertPartner(tx, partner, createSecretBox(TEST_KEYS));
    });
  } finally {
    await db.close();
  }
}

/** A database of the run; its files go with those of the server. */
export interface BenchDatabase extends TestDatabase {
  close(): Promise<void>;
}

/** A database of the run under its name, with a connection of the superuser. */
export async function openDatabase({ postgres }: Stage, name: string): Promise<BenchDatabase> {
  const urlFor = (url: string): string => url.replace(/\/[^/]*$/, `/${name}`);
  const client = new pg.Client({ connectionString: urlFor(postgres.superuserUrl) });
  client.on("error", () => {});
  await client.connect();
  return {
    name,
    superuserUrl: urlFor(postgres.superuserUrl),
    ownerUrl: urlFor(postgres.ownerUrl),
    appUrl: urlFor(postgres.appUrl),
    auditorUrl: urlFor(postgres.auditorUrl),
    query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(text, [...values])).rows,
    close: () => client.end(),
    async drop() {
      await client.end();
      await onServer(postgres.superuserUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** The template itself. */
export const openTemplate = (stage: Stage): Promise<BenchDatabase> => openDatabase(stage, TEMPLATE);

/** A copy of the template; nobody may be connected to that. */
export async function cloneTemplate(stage: Stage, name: string): Promise<BenchDatabase> {
  await onServer(
    stage.postgres.superuserUrl.replace(/\/[^/]*$/, "/postgres"),
    `create database ${name} template ${TEMPLATE} owner biller_owner strategy file_copy`,
  );
  return openDatabase(stage, name);
}

/** The host in its production form. */
export function startOurHost(
  stage: Stage,
  database: TestDatabase,
  options: { readonly logLevel?: string; readonly nodeArgs?: readonly string[] } = {},
): Promise<Contestant> {
  return startContestant({
    args: [...(options.nodeArgs ?? []), join("dist", "main.js")],
    cwd: stage.hostDir,
    readyPath: "/readyz",
    env: {
      PORT: "0",
      LOG_LEVEL: options.logLevel ?? "warn",
      DATABASE_URL: database.appUrl,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      REDIS_URL: stage.redis.url,
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
      ...stage.hostSettings,
    },
  });
}

/** The bare echo. */
export function startEcho(): Promise<Contestant> {
  return startContestant({ args: ["--import", "tsx", join(__dirname, "echo.ts")], cwd: ROOT, env: {} });
}

/** The straightforward implementation, with as many database connections as the host has. */
export function startStraightforward(stage: Stage, database: TestDatabase, poolMax: number): Promise<Contestant> {
  return startContestant({
    args: ["--import", "tsx", join(__dirname, "straightforward", "main.ts")],
    cwd: ROOT,
    env: { DATABASE_URL: database.appUrl, REDIS_URL: stage.redis.url, DATABASE_POOL_MAX: String(poolMax) },
  });
}
