import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fill, PARTNER, telkomBill, TEST_KEYS } from "../support/builders";
import globalSetup from "../support/global-setup";
import globalTeardown from "../support/global-teardown";
import { createTestDatabase, type TestDatabase, testServices } from "../support/services";
import type { World } from "./http-cases";

/** Real servers and a host in a process of its own, for programs outside jest. */
export interface Stage {
  readonly database: TestDatabase;
  readonly url: string;
  readonly port: number;
  readonly world: World;
  /** Memory of the host, bytes, after it has collected garbage. */
  readonly memory: () => Promise<Memory>;
  /** How the host ended, or null while it lives. */
  readonly ended: () => string | null;
}

/** As `process.memoryUsage()` has it. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** Names of `count` bills. */
export function billNumbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `0021009${String(index).padStart(6, "0")}`);
}

/** Brings up PostgreSQL, Redis, bills and a host, does the work, and takes everything down whatever happens. */
export async function onStage<T>(seed: number, bills: number, work: (stage: Stage) => Promise<T>): Promise<T> {
  await globalSetup();
  try {
    const database = await createTestDatabase();
    try {
      const numbers = billNumbers(bills);
      await fill(database, [telkomBill(), ...numbers.map((billNumber) => telkomBill({ billNumber }))]);
      const child = spawnHost(database);
      let end: string | null = null;
      const ended = new Promise<void>((resolve) => {
        child.once("exit", (code, signal) => {
          end = String(code ?? signal);
          resolve();
        });
      });
      try {
        const url = await lineOf(child, /^listening (\S+)$/m);
        const world = { ...PARTNER, billNumbers: numbers, seed };
        const memory = async (): Promise<Memory> => {
          const line = lineOf(child, /^memory (\{.*\})$/m);
          child.kill("SIGUSR2");
          return JSON.parse(await line) as Memory;
        };
        return await work({ database, url, port: Number(new URL(url).port), world, memory, ended: () => end });
      } finally {
        if (end === null) child.kill("SIGTERM");
        await ended;
      }
    } finally {
      await database.drop();
    }
  } finally {
    const dir = globalThis.startedServices?.dir;
    await globalTeardown();
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  }
}

function spawnHost(database: TestDatabase): ChildProcess {
  const probe = join(__dirname, "memory-probe.cjs");
  const entry = join(__dirname, "..", "support", "host-entry.ts");
  return spawn(process.execPath, ["--require", probe, "--import", "tsx", entry], {
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      DATABASE_URL: database.appUrl,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      REDIS_URL: testServices().redisUrl,
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
      ALLOW_UNSAFE_DURABILITY: "true",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** What a pattern captures in the host's next output. */
function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => reject(new Error(`the host did not print ${pattern.source}`)), 30_000);
    const listen = (chunk: Buffer): void => {
      text += chunk.toString();
      const found = pattern.exec(text)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      child.stdout?.off("data", listen);
      resolve(found);
    };
    child.stdout?.on("data", listen);
  });
}
