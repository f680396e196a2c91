import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { PostingPoint } from "../../src/flows";
import { TEST_KEYS } from "./builders";
import { post, type Reply } from "./host";
import { type TestDatabase, testServices } from "./services";

/** A host in a process of its own. */
export interface HostProcess {
  readonly url: string;
  readonly child: ChildProcess;
  send(message: unknown): Promise<Reply>;
  /** Resolves with how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

const started = new Set<ChildProcess>();
/** A test that fails halfway must not leave processes behind, which would keep the whole run from ending. */
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
});

const ENTRY = join(__dirname, "host-entry.ts");

/** Starts it and waits until it listens. */
export async function startHostProcess(
  database: TestDatabase,
  options: {
    readonly redisUrl?: string | null;
    readonly crashAt?: PostingPoint;
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
): Promise<HostProcess> {
  const { redisUrl = testServices().redisUrl, crashAt, settings = {} } = options;
  const child = spawn(process.execPath, ["--import", "tsx", ENTRY], {
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      DATABASE_URL: database.appUrl,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
      ALLOW_UNSAFE_DURABILITY: "true",
      ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
      ...(crashAt === undefined ? {} : { CRASH_AT: crashAt }),
      ...settings,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.add(child);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const found = /^listening (\S+)$/m.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(({ code, signal }) =>
      reject(new Error(`the host ended with ${code ?? signal} before it listened`)),
    );
  });
  return { url, child, ended, send: (message) => post(`${url}/finpay/billing`, JSON.stringify(message)) };
}
