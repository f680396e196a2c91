import type { Command } from "commander";
import { configFromProcess } from "../../platform";
import { migrateToLatest, pendingMigrations } from "../../platform/migrate";
import { seedDemo } from "../demo/seed";
import { print, printJson, say } from "../output";
import { serve } from "../serve";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

/** `serve`, `migrate`, `seed`. */
export function serveCommands(program: Command, exit: (code: number) => void): void {
  program
    .command("serve")
    .description("run the host; starts what the settings do not name (see README)")
    .action(async () => {
      await serve(configFromProcess);
      // The process lives on; it ends in serve's own stop.
      await new Promise(() => {});
    });

  program
    .command("migrate")
    .description("bring the database's schema up to date, as the owner role")
    .option("--check", "change nothing; exit code 1 when something is pending")
    .option("--json", "machine-readable output")
    .action(async (options: { check?: true; json?: true }) => {
      await withServices(async (services) => {
        if (options.check) {
          const pending = await withOwner(services, ({ db }) => pendingMigrations(db.knex));
          if (options.json) printJson({ pending });
          else print(pending.length === 0 ? "up to date" : `pending: ${pending.join(", ")}`);
          if (pending.length > 0) exit(1);
          return;
        }
        const applied = await migrateToLatest(services.migrationDatabaseUrl, { log: say });
        if (options.json) printJson({ applied });
        else print(applied.length === 0 ? "up to date" : `applied: ${applied.join(", ")}`);
      });
    });

  program
    .command("seed")
    .description("put the demo's partner, products and bills into the database; may be repeated")
    .action(async () => {
      await withServices(async (services) => {
        await migrateToLatest(services.migrationDatabaseUrl, { log: say });
        print(await withOwner(services, seedDemo));
      });
    });
}
