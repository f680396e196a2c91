import { type Host, startHost } from "../../src/compose";
import { type Clock, createLogger, loadConfig } from "../../src/platform";
import { TEST_KEYS } from "./builders";
import { type TestDatabase, testServices } from "./services";

/** What came back over HTTP. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly fields: Record<string, unknown>;
  readonly isReplay: boolean;
}

/** A host in this process, on a port of its own, over a test database. */
export interface TestHost {
  readonly url: string;
  readonly port: number;
  /** Log lines so far, parsed. */
  readonly logs: Record<string, unknown>[];
  send(message: unknown, path?: string): Promise<Reply>;
  stop(): Promise<void>;
}

/** Starts a host; settings are those of the environment, in their own form. */
export async function startTestHost(
  database: TestDatabase,
  options: {
    readonly redisUrl?: string | null;
    readonly settings?: Readonly<Record<string, string>>;
    readonly clock?: Clock;
  } = {},
): Promise<TestHost> {
  const { redisUrl = testServices().redisUrl, settings = {} } = options;
  const logs: Record<string, unknown>[] = [];
  const config = loadConfig({ PORT: "0", ALLOW_UNSAFE_DURABILITY: "true", DATABASE_POOL_MAX: "6", ...settings });
  const host: Host = await startHost({
    config,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    services: {
      isEmbedded: false,
      databaseUrl: database.appUrl,
      migrationDatabaseUrl: database.ownerUrl,
      auditDatabaseUrl: config.auditDatabaseUrl ?? database.auditorUrl,
      redisUrl,
      credentialKeys: TEST_KEYS,
      stop: () => Promise.resolve(),
    },
    logger: createLogger({
      level: "debug",
      destination: { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) },
    }),
  });
  return {
    url: host.url,
    port: host.port,
    logs,
    send: (message, path = "/finpay/billing") => post(`${host.url}${path}`, JSON.stringify(message)),
    stop: () => host.stop(),
  };
}

/** Posts raw text as JSON. */
export async function post(
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    fields: JSON.parse(text) as Record<string, unknown>,
    isReplay: response.headers.get("x-replayed") === "true",
  };
}
