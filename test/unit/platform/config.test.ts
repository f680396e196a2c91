import { randomBytes } from "node:crypto";
import { ConfigFault, loadConfig, SETTINGS } from "../../../src/platform";

const KEY = Buffer.alloc(32, 1).toString("base64");
const OTHER_KEY = Buffer.alloc(32, 2).toString("base64");

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (fault) {
    return (fault as ConfigFault).problems;
  }
}

describe("settings", () => {
  it("of an empty environment are the defaults of the list", () => {
    const defaults = Object.fromEntries(Object.entries(SETTINGS).map(([name, { default: value }]) => [name, value]));
    expect(loadConfig({})).toEqual(loadConfig(defaults));
    expect(loadConfig({})).toEqual({
      host: "127.0.0.1",
      port: 8_080,
      workers: 1,
      publicUrl: null,
      merchantProduct: "900001",
      merchantStaticProduct: "900003",
      mail: null,
      paymentPage: null,
      billPageWatchers: 1_000,
      callbackAllowedHosts: [],
      attemptRetentionMonths: 24,
      clockSkewMaxMs: 5_000,
      databaseUrl: null,
      migrationDatabaseUrl: null,
      databasePoolMax: 10,
      auditDatabaseUrl: null,
      auditPoolMax: 3,
      reconUploadMaxBytes: 2 ** 30,
      redisUrl: null,
      credentialKeys: null,
      dataDir: ".data",
      operator: null,
      billerName: null,
      searchPath: "",
      logLevel: "info",
      seedDemo: null,
      batchMax: 128,
      batchesInFlight: 2,
      queueMax: 5_000,
      seal: {
        ...{ isOn: true, intervalMs: 1_000, lagMaxMs: null, checkpointIntervalMs: 60_000 },
        ...{ checkpointDir: null, s3: null, webhook: null },
      },
      shutdownTimeoutMs: 15_000,
      allowUnsafeDurability: false,
    });
  });

  it("have no default for a secret", () => {
    expect(SETTINGS.CREDENTIAL_KEYS.default).toBe("");
    expect(faultsOf({ DATABASE_URL: "postgres://h/d" }).join()).toContain("CREDENTIAL_KEYS: required");
  });

  it("are read, blanks around them taken off, and cannot be changed afterwards", () => {
    const config = loadConfig({
      HOST: " 0.0.0.0 ",
      PORT: "0",
      DATABASE_URL: "postgresql://app:x@db/biller ",
      MIGRATION_DATABASE_URL: "postgres://owner:x@db/biller",
      REDIS_URL: "rediss://cache:6380",
      CREDENTIAL_KEYS: `new:${KEY}, old:${OTHER_KEY}`,
      SEED_DEMO: "false",
      ALLOW_UNSAFE_DURABILITY: "true",
      PATH: "/bin",
      UNRELATED: "ignored",
    });
    expect(config).toMatchObject({
      host: "0.0.0.0",
      port: 0,
      databaseUrl: "postgresql://app:x@db/biller",
      migrationDatabaseUrl: "postgres://owner:x@db/biller",
      redisUrl: "rediss://cache:6380",
      credentialKeys: [
        ["new", Buffer.alloc(32, 1)],
        ["old", Buffer.alloc(32, 2)],
      ],
      seedDemo: false,
      allowUnsafeDurability: true,
      searchPath: "/bin",
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each<[string, keyof ReturnType<typeof loadConfig>, number, number]>([
    ["PORT", "port", 0, 65_535],
    ["DATABASE_POOL_MAX", "databasePoolMax", 2, 500],
    ["BATCH_MAX", "batchMax", 1, 1_000],
    ["BATCHES_IN_FLIGHT", "batchesInFlight", 1, 64],
    ["QUEUE_MAX", "queueMax", 1, 1_000_000],
    ["SHUTDOWN_TIMEOUT_MS", "shutdownTimeoutMs", 100, 600_000],
  ])("that are numbers have a range: %s", (name, member, min, max) => {
    expect(loadConfig({ [name]: String(min) })[member]).toBe(min);
    expect(loadConfig({ [name]: String(max) })[member]).toBe(max);
    for (const wrong of [min - 1, max + 1, "1e2", "0x10", "12.5", "+5", "many", "１２", "9".repeat(40)]) {
      const faults = faultsOf({ [name]: String(wrong) });
      expect(faults).toHaveLength(1);
      expect(faults[0]).toBe(`${name}: must be a whole number from ${min} to ${max}`);
    }
  });

  it.each([
    ["LOG_LEVEL", "loud", "info"],
    ["SEED_DEMO", "yes", "must be true or false"],
    ["SEED_DEMO", "TRUE", "must be true or false"],
    ["ALLOW_UNSAFE_DURABILITY", "1", "must be true or false"],
    ["REDIS_URL", "http://cache", "redis:// or rediss://"],
    ["REDIS_URL", "cache:6379", "redis:// or rediss://"],
    ["MIGRATION_DATABASE_URL", "mysql://db/x", "postgres:// or postgresql://"],
    ["MIGRATION_DATABASE_URL", "not a url", "postgres:// or postgresql://"],
  ])("say what would be right: %s=%s", (name, value, hint) => {
    const faults = faultsOf({ [name]: value });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(name);
    expect(faults[0]).toContain(hint);
  });

  it("give static numbers a product of their own, since its rules differ", () => {
    expect(faultsOf({ MERCHANT_PRODUCT: "900003" })).toEqual([
      "MERCHANT_STATIC_PRODUCT: must be another productCode than MERCHANT_PRODUCT: their rules differ",
    ]);
    expect(faultsOf({ MERCHANT_STATIC_PRODUCT: "9 0003" })).toHaveLength(1);
    expect(loadConfig({ MERCHANT_STATIC_PRODUCT: "12ab34" }).merchantStaticProduct).toBe("12ab34");
  });

  it("that are wrong are all named at once", () => {
    const env = {
      PORT: "http",
      DATABASE_URL: "mysql://h/d",
      DATABASE_POOL_MAX: "1",
      REDIS_URL: "x",
      LOG_LEVEL: "x",
      SEED_DEMO: "x",
      BATCH_MAX: "0",
      BATCHES_IN_FLIGHT: "65",
      QUEUE_MAX: "-1",
      SHUTDOWN_TIMEOUT_MS: "99",
      ALLOW_UNSAFE_DURABILITY: "x",
    };
    const named = faultsOf(env).map((fault) => fault.split(":")[0]);
    expect(named).toHaveLength(Object.keys(env).length + 1);
    expect(new Set(named)).toEqual(new Set([...Object.keys(env), "CREDENTIAL_KEYS"]));
    expect(() => loadConfig(env)).toThrow(ConfigFault);
  });

  it("of payment pages go together, and the key is not sent where it could be read on the way", () => {
    const url = "https://live.finnet.co.id/sof/bp/paymentCard";
    const given = { PAYMENT_PAGE_URL: url, PAYMENT_PAGE_MERCHANT: "M1:k:e/y", PAYMENT_PAGE_SOURCE: "va" };
    expect(loadConfig(given).paymentPage).toEqual({ url, merchant: "M1:k:e/y", source: "va" });
    expect(loadConfig({ PAYMENT_PAGE_URL: "http://sim:8081/x" }).paymentPage).toMatchObject({ merchant: null });
    expect(faultsOf({ ...given, PAYMENT_PAGE_URL: "http://127.0.0.1:8081/x" })).toEqual([]);
    for (const wrong of [{ PAYMENT_PAGE_URL: "http://finnet.example/x" }, { PAYMENT_PAGE_URL: "" }]) {
      expect(faultsOf({ ...given, ...wrong }).join()).toContain("PAYMENT_PAGE_MERCHANT: is a secret");
    }
    expect(faultsOf({ ...given, PAYMENT_PAGE_MERCHANT: "no-key" }).join()).toContain("merchantId:merchantKey");
    expect(faultsOf({ ...given, PAYMENT_PAGE_SOURCE: "c c" }).join()).toContain("PAYMENT_PAGE_SOURCE");
    expect(faultsOf({ BILL_PAGE_WATCHERS: "100001" }).join()).toContain("BILL_PAGE_WATCHERS");
  });

  it("never show in a fault, since some are secrets", () => {
    const secret = randomBytes(12).toString("hex");
    const wrong = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, `${secret}://${secret}`]));
    const keys = `${secret} ${secret}:${secret}`;
    for (const env of [wrong, { ...wrong, CREDENTIAL_KEYS: keys }, { CREDENTIAL_KEYS: `a:${secret},a:${secret}` }]) {
      expect(faultsOf(env).length).toBeGreaterThan(0);
      expect(() => loadConfig(env)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(secret) }));
    }
  });
});

describe("mail settings", () => {
  const mailOf = (env: Record<string, string>) => loadConfig({ MAIL_FROM: "billing@example.com", ...env }).mail;
  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    [
      "STARTTLS and a password, both percent-encoded",
      {
        SMTP_URL: "smtp://toko%40example.com:p%3A%2F%40@mail.example.com",
        MAIL_FROM: "Toko Maju <billing@example.com>",
      },
      {
        ...{ host: "mail.example.com", port: 587, tls: "starttls" },
        credentials: { user: "toko@example.com", password: "p:/@" },
        from: { name: "Toko Maju", address: "billing@example.com" },
      },
    ],
    ["TLS from the start", { SMTP_URL: "smtps://mail.example.com" }, { port: 465, tls: "implicit", credentials: null }],
    ["a port", { SMTP_URL: "smtps://mail.example.com:2465/" }, { port: 2_465 }],
    ["no TLS", { SMTP_URL: "smtp://relay:25", SMTP_TLS: "off" }, { port: 25, tls: "none", host: "relay" }],
    ["no TLS and a password on this machine", { SMTP_URL: "smtp://u:p@[::1]:25", SMTP_TLS: "off" }, { host: "::1" }],
  ])("are read: %s", (_, env, wanted) => {
    expect(mailOf(env)).toMatchObject(wanted);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["another protocol", { SMTP_URL: "http://mail" }, /^SMTP_URL: must be a URL starting with smtp:\/\/ or smtps/],
    ["no URL", { SMTP_URL: "mail.example.com:587" }, /^SMTP_URL: must be a URL/],
    [
      "a query",
      { SMTP_URL: "smtp://mail?tls.rejectUnauthorized=false" },
      /^SMTP_URL: must hold nothing after the port/,
    ],
    ["a path", { SMTP_URL: "smtp://mail/x" }, /^SMTP_URL: must hold nothing after the port/],
    ["a user without a password", { SMTP_URL: "smtp://u@mail" }, /^SMTP_URL: must hold both/],
    ["a line feed in the password", { SMTP_URL: "smtp://u:a%0Ab@mail" }, /^SMTP_URL: .*percent-encoded/],
    ["a broken escape", { SMTP_URL: "smtp://u:a%zz@mail" }, /^SMTP_URL: .*percent-encoded/],
    ["smtps without TLS", { SMTP_URL: "smtps://mail", SMTP_TLS: "off" }, /contradict/],
    [
      "a password in plain text",
      { SMTP_URL: "smtp://u:p@mail", SMTP_TLS: "off" },
      /^SMTP_URL: a password is sent in plain text/,
    ],
    ["TLS of another kind", { SMTP_URL: "smtp://mail", SMTP_TLS: "maybe" }, /^SMTP_TLS: must be on or off/],
    ["no sender", { SMTP_URL: "smtp://mail", MAIL_FROM: "" }, /^MAIL_FROM: required/],
    ["a sender that is no address", { SMTP_URL: "smtp://mail", MAIL_FROM: "Toko" }, /^MAIL_FROM: must be an address/],
    ["two senders", { SMTP_URL: "smtp://mail", MAIL_FROM: "a@b.id, c@d.id" }, /^MAIL_FROM: must be an address/],
    [
      "a header in the sender",
      { SMTP_URL: "smtp://mail", MAIL_FROM: "A\nBcc: c@d.id <a@b.id>" },
      /^MAIL_FROM: must be/,
    ],
    ["a sender and no server", { SMTP_URL: "" }, /^SMTP_URL: required with MAIL_FROM/],
  ])("are refused: %s", (_, env, fault) => {
    expect(faultsOf({ MAIL_FROM: "billing@example.com", ...env })).toEqual([expect.stringMatching(fault)]);
  });

  it("never show their password in a fault", () => {
    const secret = "geheim";
    for (const SMTP_URL of [`smtp://u:${secret}@mail?x`, `smtp://u:${secret}@mail`, `ftp://u:${secret}@mail`]) {
      expect(faultsOf({ SMTP_URL, SMTP_TLS: "off" }).join()).not.toContain(secret);
    }
  });
});

describe("the key ring", () => {
  const shortKey = Buffer.alloc(31).toString("base64");
  const LENGTH = "CREDENTIAL_KEYS: each key must be id:base64 of exactly 32 bytes";
  const TWICE = "CREDENTIAL_KEYS: a key id appears twice";
  it.each<[string, string, string[]]>([
    ["no id", KEY, [LENGTH]],
    ["an empty id", `:${KEY}`, [LENGTH]],
    ["an id with a blank inside", `k 1:${KEY}`, [LENGTH]],
    ["an id of 41 characters", `${"k".repeat(41)}:${KEY}`, [LENGTH]],
    ["a key of 31 bytes", `k1:${shortKey}`, [LENGTH]],
    ["a key of 33 bytes", `k1:${Buffer.alloc(33).toString("base64")}`, [LENGTH]],
    ["a second key that is missing", `k1:${KEY},`, [LENGTH]],
    ["one id for two keys", `k1:${KEY},k1:${OTHER_KEY}`, [TWICE]],
    ["both of these faults", `k1:${KEY},k1:${shortKey}`, [LENGTH, TWICE]],
  ])("is refused with %s", (_, text, problems) => {
    expect(faultsOf({ CREDENTIAL_KEYS: text })).toEqual(problems);
  });

  it("takes ids up to forty characters", () => {
    const id = `A.b_c-${"9".repeat(34)}`;
    expect(loadConfig({ CREDENTIAL_KEYS: `${id}:${KEY}` }).credentialKeys?.[0]?.[0]).toBe(id);
  });
});
