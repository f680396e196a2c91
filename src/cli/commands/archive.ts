import { once } from "node:events";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { finished, pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { type Command, Option } from "commander";
import {
  ARCHIVED_TABLES,
  type ArchivedTable,
  type ArchiveManifest,
  countLines,
  hasPartition,
  linesOf,
  makeRestoreTable,
  partitionOf,
  restoreLines,
} from "../../ops";
import { Fault, messageOf } from "../../platform";
import { recordOperatorAction } from "../../store";
import { operatorName } from "../operator-name";
import { print } from "../output";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

/** `retention archive`, `retention restore`. */
export function archiveCommands(retention: Command): void {
  retention
    .command("archive")
    .description("copy a month into a compressed file with a manifest; nothing is removed")
    .addOption(new Option("--table <table>", "what").choices(ARCHIVED_TABLES).makeOptionMandatory())
    .requiredOption("--month <YYYY-MM>", "a month that is over")
    .requiredOption("--to <directory>", "where the files go")
    .action(async (options: { table: ArchivedTable; month: string; to: string }) => {
      const manifest = await archive(options);
      print(`${manifest.rows} rows of ${manifest.table}, ${manifest.month}, SHA-256 ${manifest.sha256}`);
      print(join(options.to, `${manifest.table}-${manifest.month}.manifest.json`));
    });
  retention
    .command("restore <manifest>")
    .description("check an archive and put it into a schema of its own, never among the books")
    .requiredOption("--schema <name>", "a schema without a table of this name")
    .action(async (file: string, options: { schema: string }) => {
      const manifest = await restore(file, options.schema);
      print(`${manifest.rows} rows are in ${options.schema}.${manifest.table}, and are what was archived`);
    });
}

async function archive(options: { table: ArchivedTable; month: string; to: string }): Promise<ArchiveManifest> {
  const { table, month, to } = options;
  const partition = partitionOf(table, month);
  if (partition === null) throw new Fault("archive_month", "the month must be written YYYY-MM");
  // The last business date of a month ends hours after it.
  const isOver = month < new Date(Date.now() - 86_400_000).toISOString().slice(0, 7);
  if (!isOver) throw new Fault("archive_month", `${month} is not over: what is archived must not change any more`);
  const name = `${table}-${month}`;
  const [data, notes] = [join(to, `${name}.ndjson.gz`), join(to, `${name}.manifest.json`)];
  for (const file of [data, notes]) if (existsSync(file)) throw new Fault("archive_exists", `${file} is there already`);
  mkdirSync(to, { recursive: true });
  return withServices((services) =>
    withOwner(services, async ({ transact }) => {
      if (!(await transact((tx) => hasPartition(tx, partition)))) {
        throw new Fault("archive_month", `there is no month ${month} of ${table}`);
      }
      try {
        const gzip = createGzip();
        const written = pipeline(gzip, createWriteStream(`${data}.new`, { flags: "wx", mode: 0o600 }));
        const count = await countLines(linesOf(transact, table, `public.${partition}`), async (line) => {
          if (!gzip.write(line)) await once(gzip, "drain");
        });
        gzip.end();
        await written;
        renameSync(`${data}.new`, data);
        const manifest: ArchiveManifest = {
          ...{ format: "biller-archive-1", table, month, file: `${name}.ndjson.gz`, ...count },
          archivedAt: new Date().toISOString(),
        };
        // What was written is read again before it counts.
        await assertWhole(data, manifest);
        writeFileSync(notes, `${JSON.stringify(manifest, null, 2)}\n`, { flag: "wx", mode: 0o600 });
        await transact((tx) =>
          recordOperatorAction(tx, {
            ...{ actor: operatorName(), action: "retention.archive", object: `${table}:${month}`, after: manifest },
            detail: `${count.rows} rows, SHA-256 ${count.sha256}`,
          }),
        );
        return manifest;
      } catch (error) {
        // An archive that nobody answers for is none.
        for (const file of [`${data}.new`, data, notes]) rmSync(file, { force: true });
        throw error;
      }
    }),
  );
}

async function restore(file: string, schema: string): Promise<ArchiveManifest> {
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(schema) || /^(public|pg_.*|information_schema)$/.test(schema)) {
    throw new Fault("restore_schema", "the schema must be a name of its own: small letters, digits and _");
  }
  const manifest = readManifest(file);
  const data = join(dirname(file), manifest.file);
  await assertWhole(data, manifest);
  const place = `${schema}.${manifest.table}`;
  await withServices((services) =>
    withOwner(services, ({ transact }) =>
      transact(async (tx) => {
        await makeRestoreTable(tx, schema, manifest.table);
        await restoreLines(tx, place, manifest.table, linesIn(data));
        const count = await countLines(
          linesOf((work) => work(tx), manifest.table, place),
          () => Promise.resolve(),
        );
        if (count.sha256 !== manifest.sha256)
          throw new Fault("restore_differs", `${place} is not what was archived: nothing is kept of it`);
        await recordOperatorAction(tx, {
          ...{ actor: operatorName(), action: "retention.restore", object: `${manifest.table}:${manifest.month}` },
          detail: `into ${place}, SHA-256 ${count.sha256}`,
        });
      }),
    ),
  );
  return manifest;
}

function readManifest(file: string): ArchiveManifest {
  let value: Partial<ArchiveManifest>;
  try {
    value = JSON.parse(readFileSync(file, "utf8")) as Partial<ArchiveManifest>;
  } catch (error) {
    throw new Fault("archive_manifest", `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const { format, table, month = "", file: data = "", rows, sha256 = "" } = value;
  const isOurs =
    format === "biller-archive-1" &&
    table !== undefined &&
    ARCHIVED_TABLES.includes(table) &&
    data === `${table}-${month}.ndjson.gz` &&
    partitionOf(table, month) !== null &&
    Number.isInteger(rows) &&
    /^[0-9a-f]{64}$/.test(sha256);
  if (!isOurs) throw new Fault("archive_manifest", `${file} is no manifest of an archive`);
  return value as ArchiveManifest;
}

/** @throws Fault when the file is not what its manifest says */
async function assertWhole(data: string, manifest: Pick<ArchiveManifest, "rows" | "sha256">): Promise<void> {
  let count;
  try {
    count = await countLines(linesIn(data), () => Promise.resolve());
  } catch (error) {
    throw new Fault("archive_damaged", `${data} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (count.rows !== manifest.rows || count.sha256 !== manifest.sha256) {
    throw new Fault("archive_damaged", `${data} is not what its manifest says`);
  }
}

async function* linesIn(file: string): AsyncGenerator<string> {
  const unzipped = createGunzip();
  const source = createReadStream(file);
  const done = pipeline(source, unzipped);
  done.catch(() => {});
  for await (const line of createInterface({ input: unzipped, crlfDelay: Number.POSITIVE_INFINITY })) yield `${line}\n`;
  await done;
  await finished(unzipped);
}
