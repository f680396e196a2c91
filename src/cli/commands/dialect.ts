import type { Command } from "commander";
import { codesOf, dialectJsonSchema, DIALECT_PRESETS, parseDialect } from "../../domain";
import { faultsOfDialect } from "../../flows";
import { ConfigFault, Fault } from "../../platform";
import { listDrift, readDialect, recordOperatorAction, saveDialect } from "../../store";
import { readJsonFile } from "../json-file";
import { operatorName } from "../operator-name";
import { print, printJson, printTable } from "../output";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

/** `partner dialect show|set|check|schema` and `partner drift`. */
export function dialectCommands(partner: Command): void {
  const dialect = partner
    .command("dialect")
    .description("how a partner speaks: signature, codes, forms of amounts and times, deadline, addresses")
    .addHelpText(
      "after",
      `\nA dialect file holds only what differs from a preset: {"preset":"finpay-md5","deadlineMs":6000}.\n` +
        `Presets: ${Object.keys(DIALECT_PRESETS).join(", ")}. "biller partner dialect schema" prints every setting.`,
    );

  dialect
    .command("show <userName>")
    .description("a partner's dialect: what is stored, and what it comes to with every default filled in")
    .option("--stored", "only what is stored, ready to be edited and set again")
    .action(async (userName: string, options: { stored?: true }) => {
      const stored = await withStored(userName, (given) => given);
      printJson(options.stored ? stored : { stored, dialect: effective(stored) });
    });

  dialect
    .command("check <file>")
    .description("everything that is wrong with a dialect file, without a database")
    .action((file: string) => {
      assertValid(file, readJsonFile(file, "dialect_file"));
      print(`${file} is a valid dialect`);
    });

  dialect
    .command("set <userName> <file>")
    .description("store a dialect; a running host speaks it within two seconds")
    .option("--dry-run", "only show what would change")
    .action(async (userName: string, file: string, options: { dryRun?: true }) => {
      const wanted = readJsonFile(file, "dialect_file");
      assertValid(file, wanted);
      const before = await withStored(userName, (given) => given);
      const changes = differencesOf("", effective(before), effective(wanted));
      for (const change of changes) print(change);
      if (changes.length === 0) print("nothing changes");
      if (options.dryRun || changes.length === 0) return;
      await withServices((services) =>
        withOwner(services, ({ transact }) =>
          transact(async (tx) => {
            await saveDialect(tx, userName, wanted as Record<string, unknown>);
            await recordOperatorAction(tx, {
              ...{ actor: operatorName(), action: "partner.dialect.set", object: `partner:${userName}` },
              ...{ before, after: wanted, detail: changes.join("\n") },
            });
          }),
        ),
      );
      print(`stored; what was stored before: ${JSON.stringify(before)}`);
    });

  dialect
    .command("schema")
    .description("the JSON Schema of a dialect file")
    .action(() => printJson(dialectJsonSchema()));

  partner
    .command("drift [userName]")
    .description("in which ways messages differ from the partners' dialects, how often and since when")
    .option("--json", "machine-readable output")
    .action(async (userName: string | undefined, options: { json?: true }) => {
      const rows = await withServices((services) =>
        withOwner(services, ({ transact }) => transact((tx) => listDrift(tx, userName ?? null))),
      );
      if (options.json) {
        printJson(rows);
        return;
      }
      if (rows.length === 0) print("no deviation was seen");
      else {
        printTable(
          ["partner", "field", "deviation", "times", "first seen (UTC)", "last seen (UTC)"],
          rows.map((row) => [
            row.userName,
            row.field,
            row.kind,
            String(row.count),
            instantText(row.firstSeenAt),
            instantText(row.lastSeenAt),
          ]),
        );
      }
    });
}

/** Reads a dialect file and checks it; the object as it is to be stored. For `partner add`. */
export function dialectFromFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  const given = readJsonFile(file, "dialect_file");
  assertValid(file, given);
  return given as Record<string, unknown>;
}

/** @throws ConfigFault naming everything that is wrong with the dialect */
function assertValid(file: string, given: unknown): void {
  const faults = faultsOfDialect(given);
  if (faults.length > 0) throw new ConfigFault(`${file} is no dialect that a partner could be served with`, faults);
}

async function withStored<T>(userName: string, use: (stored: unknown) => T): Promise<T> {
  const stored = await withServices((services) =>
    withOwner(services, ({ transact }) => transact((tx) => readDialect(tx, userName))),
  );
  if (stored === undefined) throw new Fault("unknown_partner", `there is no partner with userName ${userName}`);
  return use(stored);
}

/** The dialect with every default filled in, its whole code map included. */
function effective(given: unknown): unknown {
  const parsed = parseDialect(given);
  if (!parsed.ok) throw new ConfigFault("the stored dialect is not valid", parsed.faults);
  return { ...parsed.dialect, codes: codesOf(parsed.dialect) };
}

function differencesOf(path: string, before: unknown, after: unknown): string[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => differencesOf(path === "" ? name : `${path}.${name}`, before[name], after[name]));
  }
  const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
  return was === is ? [] : [`${path}: ${was} -> ${is}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function instantText(instant: Date): string {
  return instant.toISOString().slice(0, 19).replace("T", " ");
}
