import { z } from "zod";
import { ConfigFault } from "./faults";
import { mayCarryKey } from "./key-address";
import { type MailSettings, readMailSettings } from "./mail-settings";
import type { SealSettings } from "./seal-settings";

/** Process settings. Everything an owner tunes per counterparty is data in the database instead. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Processes behind the port. */
  readonly workers: number;
  /** Null: the embedded PostgreSQL is started, its data under `dataDir`. */
  readonly databaseUrl: string | null;
  /** Where customers and merchants reach this host; null: the address that it listens on. */
  readonly publicUrl: string | null;
  /** Product that merchants' bills are paid under. */
  readonly merchantProduct: string;
  /** Product that merchants' static numbers are paid under. */
  readonly merchantStaticProduct: string;
  /** Where payment pages are asked for, and what with; null: bills' pages have no button for it. */
  readonly paymentPage: { readonly url: string; readonly merchant: string | null; readonly source: string } | null;
  /** Open pages of bills that one process tells of changes. */
  readonly billPageWatchers: number;
  /** Hosts that callbacks may be sent to although they are private, and over http. */
  readonly callbackAllowedHosts: readonly string[];
  /** Where customers' bills are mailed from; null: no mail is sent. Holds a password. */
  readonly mail: MailSettings | null;
  /** The owner's connection for migrations; null: `databaseUrl` serves for both. */
  readonly migrationDatabaseUrl: string | null;
  readonly databasePoolMax: number;
  /** Where auditors' questions are answered from, for instance a replica; null: the service's own database. */
  readonly auditDatabaseUrl: string | null;
  readonly auditPoolMax: number;
  readonly reconUploadMaxBytes: number;
  /** Null: `redis-server` from the PATH in embedded mode, otherwise none. */
  readonly redisUrl: string | null;
  /** Ring of 32-byte keys that encrypt credentials, the first one active; null: generated in embedded mode only. */
  readonly credentialKeys: readonly (readonly [keyId: string, key: Buffer])[] | null;
  readonly dataDir: string;
  /** Who works on exceptions where a command does not say; null: the account. */
  readonly operator: string | null;
  /** Whose business it is, as reports name it; null: they name nobody. */
  readonly billerName: string | null;
  /** The process's own PATH, where a Redis server is looked for. */
  readonly searchPath: string;
  readonly logLevel: string;
  /** Null: seed in embedded mode only. */
  readonly seedDemo: boolean | null;
  readonly batchMax: number;
  readonly batchesInFlight: number;
  readonly queueMax: number;
  readonly shutdownTimeoutMs: number;
  /** Months of attempts kept beside the present one; 0: all. */
  readonly attemptRetentionMonths: number;
  readonly seal: SealSettings;
  /** Not ready when this machine's clock and the database's differ by more. */
  readonly clockSkewMaxMs: number;
  /** Accept a database whose settings can lose an acknowledged commit. For tests. */
  readonly allowUnsafeDurability: boolean;
}

/** Every setting with its default and meaning: the single list that docs, `.env.example` and `doctor` are made from. */
export const SETTINGS = {
  HOST: { default: "127.0.0.1", about: "address to listen on; 0.0.0.0 in a container" },
  PORT: { default: "8080", about: "port to listen on; 0 picks a free one" },
  WORKERS: { default: "1", about: "processes behind the port, sharing nothing but PostgreSQL and Redis" },
  DATABASE_URL: { default: "", about: "PostgreSQL 15 or later, the app role; unset: embedded server" },
  MIGRATION_DATABASE_URL: { default: "", about: "the owner role, for migrations; unset: DATABASE_URL" },
  PUBLIC_URL: { default: "", about: "where customers reach this host, for links to bills; unset: its own address" },
  MERCHANT_PRODUCT: { default: "900001", about: "productCode that merchants' bills are paid under at the switch" },
  MERCHANT_STATIC_PRODUCT: { default: "900003", about: "productCode that merchants' static numbers are paid under" },
  PAYMENT_PAGE_URL: {
    default: "",
    about: "Finpay's /sof/bp/paymentCard, asked when a customer presses Pay now; unset: no such button",
  },
  PAYMENT_PAGE_MERCHANT: { default: "", about: "merchantId:merchantKey for it, a secret; unset: none is sent" },
  PAYMENT_PAGE_SOURCE: { default: "cc", about: "sourceOfFunds.type that payment pages are asked for with" },
  BILL_PAGE_WATCHERS: { default: "1000", about: "open bill pages that one process tells of changes; others ask" },
  CALLBACK_ALLOWED_HOSTS: {
    default: "",
    about: "hosts, comma separated, that callbacks may reach although they are private, and over http",
  },
  SMTP_URL: { default: "", about: "smtp://user:password@host:587 or smtps://…:465; unset: no mail to customers" },
  SMTP_TLS: { default: "on", about: "off: plain text over smtp://, for a mail server inside one's own network" },
  MAIL_FROM: {
    default: "",
    about: "sender, billing@example.com or Name <billing@example.com>; required with SMTP_URL",
  },
  DATABASE_POOL_MAX: { default: "10", about: "connections of this process to PostgreSQL" },
  AUDIT_DATABASE_URL: {
    default: "",
    about: "what the audit API reads from, with the auditor role; may be a replica; unset: DATABASE_URL, read-only",
  },
  AUDIT_POOL_MAX: { default: "3", about: "connections of this process for auditors, apart from those that post" },
  RECON_UPLOAD_MAX_MIB: { default: "1024", about: "largest settlement file taken over HTTP, 1,048,576 bytes each" },
  REDIS_URL: { default: "", about: "Redis 6 or later; optional, only ever affects latency" },
  CREDENTIAL_KEYS: {
    default: "",
    about: "id:base64 of 32 bytes, comma separated, first is active; required with DATABASE_URL",
  },
  BILLER_OPERATOR: { default: "", about: "who works on exceptions where --as does not say; empty: the account" },
  BILLER_NAME: { default: "", about: "name of the business, on reports of closed days; empty: they name nobody" },
  DATA_DIR: { default: ".data", about: "where the embedded servers keep their data" },
  LOG_LEVEL: { default: "info", about: "trace, debug, info, warn, error, silent" },
  SEED_DEMO: { default: "", about: "true or false; unset: demo data in embedded mode only" },
  BATCH_MAX: { default: "128", about: "payments in one transaction at most" },
  BATCHES_IN_FLIGHT: { default: "2", about: "transactions posting at the same time" },
  QUEUE_MAX: { default: "5000", about: "payments waiting at most; beyond it the answer is UNKNOWN at once" },
  SHUTDOWN_TIMEOUT_MS: { default: "15000", about: "how long to finish accepted work after SIGTERM, milliseconds" },
  ATTEMPT_RETENTION_MONTHS: { default: "24", about: "months of attempts kept, 3 or more; 0 keeps all" },
  CLOCK_SKEW_MAX_SECONDS: { default: "5", about: "not ready when this clock and the database's differ by more" },
  SEAL: { default: "true", about: "whether this process seals the ledger; of several that do, one works at a time" },
  SEAL_INTERVAL_MS: { default: "1000", about: "rest between two passes of the sealer, milliseconds" },
  SEAL_LAG_MAX_SECONDS: { default: "0", about: "not ready when sealing is further behind; 0: readiness only tells" },
  CHECKPOINT_INTERVAL_SECONDS: { default: "60", about: "a checkpoint of new blocks at most this often" },
  CHECKPOINT_DIR: {
    default: "",
    about: "directory, best on another machine's disk, of checkpoints.ndjson; unset: under DATA_DIR in embedded mode",
  },
  CHECKPOINT_S3_URL: { default: "", about: "address of a bucket, with prefix, that checkpoints are put into" },
  CHECKPOINT_S3_REGION: { default: "us-east-1", about: "region that requests to the bucket are signed for" },
  CHECKPOINT_S3_ACCESS_KEY_ID: { default: "", about: "required with CHECKPOINT_S3_URL" },
  CHECKPOINT_S3_SECRET_ACCESS_KEY: { default: "", about: "required with CHECKPOINT_S3_URL" },
  CHECKPOINT_WEBHOOK_URL: { default: "", about: "address that checkpoints are posted to" },
  CHECKPOINT_WEBHOOK_SECRET: { default: "", about: "key that signs those posts, HMAC-SHA256; unset: not signed" },
  ALLOW_UNSAFE_DURABILITY: {
    default: "false",
    about: "start on a database with fsync or synchronous_commit off (tests)",
  },
} as const;

type SettingName = keyof typeof SETTINGS;

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);
const flag = z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");
const url = (...protocols: string[]) =>
  z.string().refine(
    (text) => {
      try {
        return protocols.includes(new URL(text).protocol);
      } catch {
        return false;
      }
    },
    `must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  );
const productCode = z.string().regex(/^[0-9A-Za-z]{6}$/, "must be a productCode of six letters or digits");
const orNull = <T>(schema: z.ZodType<T, string>) => z.union([z.literal("").transform(() => null), schema]);

const schema = z.object({
  HOST: z.string().min(1),
  PORT: wholeNumber(0, 65_535),
  WORKERS: wholeNumber(1, 64),
  DATABASE_URL: orNull(url("postgres:", "postgresql:")),
  MIGRATION_DATABASE_URL: orNull(url("postgres:", "postgresql:")),
  PUBLIC_URL: orNull(url("http:", "https:")),
  MERCHANT_PRODUCT: productCode,
  MERCHANT_STATIC_PRODUCT: productCode,
  PAYMENT_PAGE_URL: orNull(url("http:", "https:")),
  PAYMENT_PAGE_MERCHANT: orNull(z.string().regex(/^[!-9;-~]+:[!-~]+$/, "must be merchantId:merchantKey")),
  PAYMENT_PAGE_SOURCE: z.string().regex(/^[A-Za-z0-9_-]{1,30}$/, "must be 1 to 30 letters, digits, dashes"),
  BILL_PAGE_WATCHERS: wholeNumber(0, 100_000),
  CALLBACK_ALLOWED_HOSTS: z.string().transform((text) => text.split(",").flatMap((host) => host.trim() || [])),
  SMTP_URL: z.string(),
  SMTP_TLS: z.enum(["on", "off"], "must be on or off"),
  MAIL_FROM: z.string(),
  DATABASE_POOL_MAX: wholeNumber(2, 500),
  AUDIT_DATABASE_URL: orNull(url("postgres:", "postgresql:")),
  AUDIT_POOL_MAX: wholeNumber(1, 50),
  RECON_UPLOAD_MAX_MIB: wholeNumber(1, 5_120),
  REDIS_URL: orNull(url("redis:", "rediss:")),
  CREDENTIAL_KEYS: orNull(z.string().transform(parseCredentialKeys)),
  BILLER_OPERATOR: orNull(z.string().max(100)),
  BILLER_NAME: orNull(z.string().max(100, "must have at most 100 characters")),
  DATA_DIR: z.string().min(1),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
  SEED_DEMO: orNull(flag),
  BATCH_MAX: wholeNumber(1, 1_000),
  BATCHES_IN_FLIGHT: wholeNumber(1, 64),
  QUEUE_MAX: wholeNumber(1, 1_000_000),
  SHUTDOWN_TIMEOUT_MS: wholeNumber(100, 600_000),
  ATTEMPT_RETENTION_MONTHS: wholeNumber(0, 1_200).refine(
    (months) => months === 0 || months >= 3,
    "must be 0 or at least 3",
  ),
  SEAL: flag,
  SEAL_INTERVAL_MS: wholeNumber(50, 3_600_000),
  CLOCK_SKEW_MAX_SECONDS: wholeNumber(1, 3_600),
  SEAL_LAG_MAX_SECONDS: wholeNumber(0, 86_400),
  CHECKPOINT_INTERVAL_SECONDS: wholeNumber(1, 86_400),
  CHECKPOINT_DIR: z.string(),
  CHECKPOINT_S3_URL: orNull(url("http:", "https:")),
  CHECKPOINT_S3_REGION: z.string().regex(/^[a-z0-9-]{1,40}$/, "must be a region's name"),
  CHECKPOINT_S3_ACCESS_KEY_ID: z.string(),
  CHECKPOINT_S3_SECRET_ACCESS_KEY: z.string(),
  CHECKPOINT_WEBHOOK_URL: orNull(url("http:", "https:")),
  CHECKPOINT_WEBHOOK_SECRET: z.string(),
  ALLOW_UNSAFE_DURABILITY: flag,
});

const NO_MAIL = { mail: null, problems: [] };

/**
 * Reads settings from an environment. Pure.
 *
 * @throws ConfigFault naming every missing or malformed setting at once; values are never repeated in the text, since
 * some of them are secrets.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    (Object.keys(SETTINGS) as SettingName[]).map((name) => [name, env[name]?.trim() || SETTINGS[name].default]),
  );
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => problemsOf(issue).map((problem) => `${issue.path.join(".")}: ${problem}`));
  if (given["DATABASE_URL"] && !given["CREDENTIAL_KEYS"]) {
    problems.push(
      "CREDENTIAL_KEYS: required with DATABASE_URL, it has no default. Make one with: " +
        `node -e "console.log('k1:'+require('crypto').randomBytes(32).toString('base64'))"`,
    );
  }
  if (given["MERCHANT_PRODUCT"] === given["MERCHANT_STATIC_PRODUCT"]) {
    problems.push("MERCHANT_STATIC_PRODUCT: must be another productCode than MERCHANT_PRODUCT: their rules differ");
  }
  const { mail, problems: ofMail } = parsed.success ? readMailSettings(parsed.data) : NO_MAIL;
  problems.push(...ofMail);
  if (given["PAYMENT_PAGE_MERCHANT"] && !mayCarryKey(given["PAYMENT_PAGE_URL"])) {
    problems.push("PAYMENT_PAGE_MERCHANT: is a secret, PAYMENT_PAGE_URL must be https (or this machine)");
  }
  for (const name of ["CHECKPOINT_S3_ACCESS_KEY_ID", "CHECKPOINT_S3_SECRET_ACCESS_KEY"] as const) {
    if (given["CHECKPOINT_S3_URL"] && !given[name]) problems.push(`${name}: required with CHECKPOINT_S3_URL`);
  }
  if (!parsed.success || problems.length > 0) throw new ConfigFault("these settings are wrong", problems);
  const value = parsed.data;
  return Object.freeze({
    host: value.HOST,
    port: value.PORT,
    workers: value.WORKERS,
    databaseUrl: value.DATABASE_URL,
    publicUrl: value.PUBLIC_URL?.replace(/\/+$/, "") ?? null,
    merchantProduct: value.MERCHANT_PRODUCT,
    merchantStaticProduct: value.MERCHANT_STATIC_PRODUCT,
    paymentPage:
      value.PAYMENT_PAGE_URL === null
        ? null
        : { url: value.PAYMENT_PAGE_URL, merchant: value.PAYMENT_PAGE_MERCHANT, source: value.PAYMENT_PAGE_SOURCE },
    billPageWatchers: value.BILL_PAGE_WATCHERS,
    callbackAllowedHosts: value.CALLBACK_ALLOWED_HOSTS,
    mail,
    migrationDatabaseUrl: value.MIGRATION_DATABASE_URL,
    databasePoolMax: value.DATABASE_POOL_MAX,
    auditDatabaseUrl: value.AUDIT_DATABASE_URL,
    auditPoolMax: value.AUDIT_POOL_MAX,
    reconUploadMaxBytes: value.RECON_UPLOAD_MAX_MIB * 2 ** 20,
    redisUrl: value.REDIS_URL,
    credentialKeys: value.CREDENTIAL_KEYS,
    dataDir: value.DATA_DIR,
    operator: value.BILLER_OPERATOR,
    billerName: value.BILLER_NAME,
    searchPath: env["PATH"] ?? "",
    logLevel: value.LOG_LEVEL,
    seedDemo: value.SEED_DEMO,
    batchMax: value.BATCH_MAX,
    batchesInFlight: value.BATCHES_IN_FLIGHT,
    queueMax: value.QUEUE_MAX,
    shutdownTimeoutMs: value.SHUTDOWN_TIMEOUT_MS,
    attemptRetentionMonths: value.ATTEMPT_RETENTION_MONTHS,
    seal: sealSettings(value),
    clockSkewMaxMs: value.CLOCK_SKEW_MAX_SECONDS * 1_000,
    allowUnsafeDurability: value.ALLOW_UNSAFE_DURABILITY,
  });
}

function sealSettings(value: z.output<typeof schema>): SealSettings {
  const { CHECKPOINT_S3_URL: s3Url, CHECKPOINT_WEBHOOK_URL: webhookUrl } = value;
  return Object.freeze({
    isOn: value.SEAL,
    intervalMs: value.SEAL_INTERVAL_MS,
    lagMaxMs: value.SEAL_LAG_MAX_SECONDS === 0 ? null : value.SEAL_LAG_MAX_SECONDS * 1_000,
    checkpointIntervalMs: value.CHECKPOINT_INTERVAL_SECONDS * 1_000,
    checkpointDir: value.CHECKPOINT_DIR || null,
    s3:
      s3Url === null
        ? null
        : {
            url: s3Url,
            region: value.CHECKPOINT_S3_REGION,
            accessKeyId: value.CHECKPOINT_S3_ACCESS_KEY_ID,
            secretAccessKey: value.CHECKPOINT_S3_SECRET_ACCESS_KEY,
          },
    webhook: webhookUrl === null ? null : { url: webhookUrl, secret: value.CHECKPOINT_WEBHOOK_SECRET },
  });
}

/** The only place that looks at the process environment. */
export function configFromProcess(): Config {
  return loadConfig(process.env);
}

/** The environment of a process that this one starts: its own, with some settings in place of what it has of them. */
export function environmentWith(settings: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, ...settings };
}

type KeyRing = readonly (readonly [string, Buffer])[];

function parseCredentialKeys(text: string, context: z.RefinementCtx): KeyRing {
  const ring = text.split(",").map((part): readonly [string, Buffer] => {
    const [keyId = "", encoded = ""] = part.trim().split(/:(.*)/s);
    return [keyId, Buffer.from(encoded, "base64")];
  });
  if (ring.some(([keyId, key]) => !/^[A-Za-z0-9._-]{1,40}$/.test(keyId) || key.length !== 32)) {
    context.addIssue({ code: "custom", message: "each key must be id:base64 of exactly 32 bytes" });
  }
  if (new Set(ring.map(([keyId]) => keyId)).size !== ring.length) {
    context.addIssue({ code: "custom", message: "a key id appears twice" });
  }
  return ring;
}

/** zod reports a union as "Invalid input"; the reader wants what the setting itself, the last of the union, complains of. */
function problemsOf(issue: z.core.$ZodIssue): string[] {
  const inner = issue.code === "invalid_union" ? (issue.errors.at(-1) ?? []) : [];
  return inner.length > 0 ? inner.map((each) => each.message) : [issue.message];
}
