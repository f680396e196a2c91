import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Config, Fault, messageOf } from "../../platform";
import { migrateToLatest } from "../../platform/migrate";
import { openServices, type Services } from "../../services";
import { newSecret } from "../merchant-secrets";
import { print, say } from "../output";
import { untilStopped } from "../until-stopped";
import { withOwner } from "../with-database";
import { checkDemo } from "./check";
import { type Child, startChild } from "./child";
import { openInBrowser } from "./open-browser";
import { type DemoParties, prepareParties } from "./parties";
import { type DemoPorts, demoPorts } from "./ports";
import { tour } from "./tour";

/** How the demo is run. */
export interface DemoOptions {
  /** First of three ports; 0: any. */
  readonly port: number;
  /** Open the shop in this machine's browser. */
  readonly isOpened: boolean;
  /** Go the whole way without a browser, report, and stop. */
  readonly isCheck: boolean;
  /** How long the short time to pay is, seconds. */
  readonly shortDueSeconds: number;
}

/** Addresses of the demo's processes. */
export interface DemoUrls {
  readonly shop: string;
  readonly finpay: string;
  readonly host: string;
}

const urlsOf = (ports: DemoPorts): DemoUrls => ({
  shop: `http://127.0.0.1:${ports.shop}`,
  finpay: `http://127.0.0.1:${ports.finpay}`,
  host: `http://127.0.0.1:${ports.host}`,
});

/**
 * Runs a host, a simulated Finpay and a merchant's shop, each a process of its own, until told to stop; with a database
 * server of its own unless the settings name one.
 *
 * @returns the exit code: 0 stopped or passed, 1 a check failed or a process was lost
 * @throws Fault when something cannot be started; what was started is stopped first
 */
export async function runDemo(config: Config, options: DemoOptions): Promise<number> {
  const stopped = untilStopped().then((reason) => ({ reason, code: 0 }));
  const ports = await demoPorts(options.port);
  const urls = urlsOf(ports);
  const dir = resolve(config.dataDir, "demo");
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    let lose: (reason: string) => void = () => {};
    const lost = new Promise<{ reason: string; code: number }>((resolve) => {
      lose = (reason) => resolve({ reason, code: 1 });
    });
    say("starting a database, the host, a simulated Finpay and a shop");
    const services = await openServices({
      ...{ config: { ...config, dataDir: dir }, log: say, onLost: lose, mayShare: false },
    });
    stops.push(() => services.stop());
    if (!services.isEmbedded) say("DATABASE_URL is set: the demo's merchant and bills go into that database");
    await migrateToLatest(services.migrationDatabaseUrl, { log: say });
    const parties = await withOwner(services, (context) =>
      prepareParties(context, config.merchantProduct, `${urls.shop}/callbacks/biller`),
    );
    for (const start of starts({ config, services, parties, ports, urls, dir, options })) {
      const early = await Promise.race([stopped, lost, start()]);
      if ("code" in early) return await finish(early);
      stops.push(() => early.stop());
      void early.ended.then(lose);
    }
    if (options.isCheck) {
      const code = await Promise.race([checkDemo(urls, print), lost, stopped]);
      return typeof code === "number" ? code : await finish(code);
    }
    print(tour(urls, dir));
    if (options.isOpened) openInBrowser(urls.shop, say);
    return await finish(await Promise.race([stopped, lost]));
  } finally {
    await stop().catch((error: unknown) => say(`while stopping: ${messageOf(error)}`));
  }

  async function finish({ reason, code }: { readonly reason: string; readonly code: number }): Promise<number> {
    say(`${reason}: stopping everything`);
    await stop();
    say("stopped");
    return code;
  }
}

interface Cast {
  readonly config: Config;
  readonly services: Services;
  readonly parties: DemoParties;
  readonly ports: DemoPorts;
  readonly urls: DemoUrls;
  readonly dir: string;
  readonly options: DemoOptions;
}

/** The three processes, in the order in which they need each other. */
function starts(cast: Cast): readonly (() => Promise<Child>)[] {
  const { ports, urls, parties, dir } = cast;
  const merchantKey = newSecret();
  const logFile = (name: string): string => join(dir, `${name}.log`);
  return [
    () => startChild({ name: "the host", args: ["serve"], settings: hostSettings(cast), logFile: logFile("host") }),
    async () => {
      const secret = mkdtempSync(join(dir, "key-"));
      const keyFile = join(secret, "merchant-key");
      writeFileSync(keyFile, merchantKey, { mode: 0o600 });
      const { userName, password } = parties.partner;
      const args = ["--port", String(ports.finpay), "--biller", `${urls.host}/finpay/billing`, "--user", userName];
      try {
        return await startChild({
          name: "the simulated Finpay",
          args: ["simulate", ...args, "--password-file", "-", "--merchant-key-file", keyFile],
          input: password,
          logFile: logFile("finpay"),
        });
      } finally {
        rmSync(secret, { recursive: true, force: true });
      }
    },
    () =>
      startChild({
        name: "the shop",
        args: ["shop", "--port", String(ports.shop), "--settings-file", "-"],
        input: JSON.stringify(shopSettings(cast, merchantKey)),
        logFile: logFile("shop"),
      }),
  ];
}

function hostSettings({ config, services, ports, urls }: Cast): Record<string, string> {
  const keys = services.credentialKeys.map(([keyId, key]) => `${keyId}:${key.toString("base64")}`);
  return {
    HOST: "127.0.0.1",
    PORT: String(ports.host),
    WORKERS: "1",
    DATABASE_URL: services.databaseUrl,
    MIGRATION_DATABASE_URL: services.migrationDatabaseUrl,
    CREDENTIAL_KEYS: keys.join(),
    REDIS_URL: services.redisUrl ?? "",
    PUBLIC_URL: urls.host,
    // The shop is on this machine, without a certificate.
    CALLBACK_ALLOWED_HOSTS: [...config.callbackAllowedHosts, "127.0.0.1"].join(),
    SEED_DEMO: "false",
    PAYMENT_PAGE_URL: `${urls.finpay}/sof/bp/paymentCard`,
  };
}

function shopSettings({ config, parties, urls, options }: Cast, finpayKey: string): Readonly<Record<string, unknown>> {
  const { serviceId, userName, secrets } = parties.merchant;
  const [password, hmacSecret, callbackSecret] = [secrets.password[0], secrets.hmac[0], secrets.callback[0]];
  if (password === undefined || hmacSecret === undefined || callbackSecret === undefined) {
    throw new Fault("demo_merchant", `merchant ${serviceId} lacks a secret`);
  }
  return {
    ...{ billerUrl: urls.host, finpayUrl: urls.finpay, finpayKey, productCode: config.merchantProduct },
    ...{ serviceId, userName, password, hmacSecret, callbackSecret, shortDueSeconds: options.shortDueSeconds },
  };
}
