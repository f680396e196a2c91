import { readdirSync } from "node:fs";
import { join, parse } from "node:path";
import knexFactory, { type Knex } from "knex";
import pg from "pg";
import { Fault, messageOf } from "./faults";
import { SILENT_KNEX_LOG } from "./knex-log";

/** Beside the compiled sources as beside the sources themselves. */
const MIGRATIONS_DIR = join(__dirname, "..", "..", "migrations");
const TABLE = "schema_migration";
/** Any number will do, as long as every process uses the same one. */
const ADVISORY_LOCK = 4_823_001;

/** Names of the migrations that ship with this build, in order, without extension. */
export function shippedMigrations(dir = MIGRATIONS_DIR): string[] {
  const names = readdirSync(dir).filter((file) => /^[0-9]{3}-.*\.(ts|js)$/.test(file) && !file.endsWith(".d.ts"));
  return names.map((file) => parse(file).name).toSorted();
}

/**
 * Brings the schema up to date, as the owner role. Several processes may do it at once: the others wait, then find
 * nothing to do. The wait is on an advisory lock, which ends with its connection; knex's own lock would stay behind after
 * a kill and is freed under it.
 *
 * All that are pending are one transaction.
 *
 * @returns the names that were applied
 * @throws Fault `migration` naming the one that failed; the database is as it was before
 */
export async function migrateToLatest(
  ownerUrl: string,
  options: { readonly log: (line: string) => void; readonly dir?: string },
): Promise<string[]> {
  const guard = new pg.Client({ connectionString: ownerUrl, application_name: "biller-migrate" });
  guard.on("error", () => {});
  try {
    await guard.connect();
  } catch (error) {
    throw new Fault("migration", `cannot reach the database to migrate it: ${messageOf(error)}`, { cause: error });
  }
  const knex = knexFactory({ client: "pg", connection: ownerUrl, pool: { min: 0, max: 2 }, log: SILENT_KNEX_LOG });
  let running = "preparing";
  const config = migratorConfig(options.dir, (name) => {
    running = name;
    options.log(`migrating: ${name}`);
  });
  try {
    await guard.query("select pg_advisory_lock($1)", [ADVISORY_LOCK]);
    await knex.migrate.forceFreeMigrationsLock(config);
    const [, applied] = (await knex.migrate.latest(config)) as [number, string[]];
    return applied;
  } catch (error) {
    throw new Fault("migration", `migration ${running} failed, nothing was changed: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await knex.destroy();
    await guard.end().catch(() => {});
  }
}

/** What knex's migrator needs to know, for the product and for knex's own command line alike. */
export function migratorConfig(dir = MIGRATIONS_DIR, onStart: (name: string) => void = () => {}): Knex.MigratorConfig {
  return { tableName: TABLE, migrationSource: sourceIn(dir, onStart) };
}

/** The migrations of this build that the database does not have. Any role that may read the schema can ask. */
export async function pendingMigrations(knex: Knex, dir = MIGRATIONS_DIR): Promise<string[]> {
  const shipped = shippedMigrations(dir);
  if (!(await knex.schema.hasTable(TABLE))) return shipped;
  const rows = await knex<{ name: string }>(TABLE).select("name");
  const applied = new Set(rows.map((row) => row.name));
  return shipped.filter((name) => !applied.has(name));
}

/** Names carry no extension, so that sources and compiled files count as the same migration. */
function sourceIn(dir: string, onStart: (name: string) => void): Knex.MigrationSource<string> {
  return {
    getMigrations: async () => shippedMigrations(dir),
    getMigrationName: (name) => name,
    async getMigration(name) {
      // eslint-disable-next-line typescript/no-require-imports -- import() cannot load the TypeScript form
      const migration = require(join(dir, name)) as Knex.Migration;
      return {
        ...migration,
        up: async (knex: Knex) => {
          onStart(name);
          await migration.up(knex);
        },
      };
    },
  };
}
