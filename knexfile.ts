import type { Knex } from "knex";
import { configFromProcess } from "./src/platform";
import { migratorConfig } from "./src/platform/migrate";

/**
 * For knex's own command line, in development, for instance
 * `DATABASE_URL=… CREDENTIAL_KEYS=… node --import tsx node_modules/knex/bin/cli.js migrate:status`.
 * The product migrates by itself (`biller migrate`), with the same configuration.
 */
const { migrationDatabaseUrl, databaseUrl } = configFromProcess();
const config: Knex.Config = {
  client: "pg",
  connection: migrationDatabaseUrl ?? databaseUrl ?? "",
  migrations: migratorConfig(),
};

export default config;
