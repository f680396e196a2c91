import { randomBytes } from "node:crypto";
import pg from "pg";

/** What the run's global set-up started; every test file shares the servers and has a database of its own. */
export interface TestServices {
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly auditorUrl: string;
  readonly redisUrl: string;
  readonly templateDatabase: string;
}

export const SERVICES_VARIABLE = "BILLER_TEST_SERVICES";

/** The servers of this run. */
export function testServices(): TestServices {
  const text = process.env[SERVICES_VARIABLE];
  if (text === undefined) throw new Error("no servers: this test belongs to the whole suite, run it with npm test");
  return JSON.parse(text) as TestServices;
}

/** A migrated database of its own, empty but for the chart of accounts. */
export interface TestDatabase {
  readonly name: string;
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly auditorUrl: string;
  /** Runs one statement as the superuser, past all grants. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

/** Clones the run's template: a few milliseconds. */
export async function createTestDatabase(template = testServices().templateDatabase): Promise<TestDatabase> {
  const services = testServices();
  const name = `t_${randomBytes(6).toString("hex")}`;
  await cloned(services.superuserUrl, `create database ${name} template ${template} owner biller_owner`);
  const urlFor = (url: string): string => url.replace(/\/[^/]*$/, `/${name}`);
  const client = new pg.Client({ connectionString: urlFor(services.superuserUrl) });
  client.on("error", () => {});
  await client.connect();
  return {
    name,
    superuserUrl: urlFor(services.superuserUrl),
    ownerUrl: urlFor(services.ownerUrl),
    appUrl: urlFor(services.appUrl),
    auditorUrl: urlFor(services.auditorUrl),
    query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(text, [...values])).rows,
    async drop() {
      await client.end();
      await onServer(services.superuserUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** Another worker that clones the template at the same moment, or the server's own upkeep of it, makes the server refuse. */
async function cloned(url: string, text: string): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      return void (await onServer(url, text));
    } catch (error) {
      if ((error as { code?: unknown }).code !== TEMPLATE_IN_USE || round === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

const TEMPLATE_IN_USE = "55006";

/** Runs one statement on a connection of its own. */
export async function onServer(url: string, text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}
