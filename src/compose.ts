import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import {
  answerMessage,
  type Catalog,
  composeBillMail,
  loadCatalog,
  openAttemptJournal,
  openBillPageDesk,
  openBillWatch,
  openDriftMeter,
  openHandDesk,
  openInquiryDesk,
  openCommitResolver,
  openPaymentDesk,
  openPaymentPages,
  openReversalDesk,
  type PostingPoint,
} from "./flows";
import { type DeliveryPoint, openDispatcher, openMailer, openMailLane, reportDelivery } from "./callbacks";
import { createApp, createHttpServer, type ReadinessCheck } from "./http";
import { preparePartitions, startHousekeeping } from "./housekeeping";
import {
  type Clock,
  type Config,
  createFailureAlarm,
  createMetrics,
  createRedisKeyLock,
  createSecretBox,
  type Db,
  type DbOptions,
  deadlineIn,
  droppedLogLines,
  Fault,
  type Logger,
  type Metrics,
  messageOf,
  noKeyLock,
  openDb,
  openRedis,
  randomIds,
  systemClock,
} from "./platform";
import { openAuditDesk, openReconDesk, removeLeftOvers } from "./ops";
import { checkReadiness } from "./readiness";
import { checkpointFileOf, openChainState } from "./sealing";
import type { Services } from "./services";
import { openClockWatch, readServerState } from "./store";

/** A running host. */
export interface Host {
  readonly url: string;
  readonly port: number;
  /** Refuses new work, finishes what was accepted, then closes everything that this host opened. */
  stop(): Promise<void>;
}

/** What a host is made from. */
export interface HostOptions {
  readonly config: Config;
  readonly services: Services;
  readonly logger: Logger;
  /** Where to count; left out: a registry of its own. */
  readonly metrics?: Metrics;
  /** The machine's clocks; for tests. */
  readonly clock?: Clock;
  /** Called at the named points on the way of a message or an event, for tests that end the process there. */
  readonly reach?: (point: PostingPoint | DeliveryPoint) => void | Promise<void>;
}

/** Times in milliseconds. */
const CATALOG_REFRESH_MS = 2_000;
const CATALOG_TIMEOUT_MS = 5_000;
const REDIS_COMMAND_TIMEOUT_MS = 100;
const REDIS_REST_MS = 1_000;
/** Below every sensible deadline: after a crash, a repeat elsewhere gets its answer and not "in process". */
const LOCK_TTL_MS = 3_000;

/** The one place where the real database, Redis, clock and keys meet the rooms. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { config, services, logger, reach = () => {}, metrics = createMetrics(), clock = systemClock } = options;
  const secrets = createSecretBox(services.credentialKeys);
  const onFault = (fault: unknown, where: string): void => {
    metrics.countFault(where.split(",")[0] ?? where);
    logger.warn({ where, code: fault instanceof Fault ? fault.code : undefined }, messageOf(fault));
  };
  const openPool = (poolMax: number, planning: NonNullable<DbOptions["planning"]>): Db =>
    openDb({
      url: services.databaseUrl,
      poolMax,
      planning,
      applicationName: "biller-host",
      statementTimeoutMs: 7_000,
      lockTimeoutMs: 5_000,
      connectTimeoutMs: 2_000,
      clock,
      onFault: ({ where, message }) => onFault(new Error(message), where),
    });
  // Inquiries and payments have connections of their own, whatever else goes on, and find everything by keys.
  const besidePool = Math.max(1, Math.min(4, Math.floor(config.databasePoolMax * 0.3)));
  const db = openPool(besidePool, "by-values");
  const switchDb = openPool(config.databasePoolMax - besidePool, "once");
  const readCatalog = (): Promise<Catalog> =>
    db.withTransaction(deadlineIn(clock, CATALOG_TIMEOUT_MS), (tx) => loadCatalog(tx, secrets));

  await assertDurable(db, config.allowUnsafeDurability);
  await preparePartitions(db, clock);
  const holder: { current: Catalog } = { current: await readCatalog() };

  const redis =
    services.redisUrl === null
      ? null
      : openRedis(services.redisUrl, REDIS_COMMAND_TIMEOUT_MS, (message) => logger.debug({ message }, "redis"));
  const lock =
    redis === null
      ? noKeyLock
      : createRedisKeyLock({
          redis,
          ttlMs: LOCK_TTL_MS,
          restMs: REDIS_REST_MS,
          clock,
          onFault: (message) => onFault(new Error(message), "redis"),
        });

  const limits = {
    batchMax: config.batchMax,
    batchesInFlight: config.batchesInFlight,
    queueMax: config.queueMax,
  };
  const inquiries = openInquiryDesk({ db: switchDb, clock, ids: randomIds, limits });
  const resolver = openCommitResolver({
    db,
    clock,
    onResolved: ({ outcome, ...whose }) =>
      logger.warn(
        { ...whose, outcome },
        outcome === null ? "unknown commit: nothing was stored" : "unknown commit: it was stored",
      ),
    onFault: (message) => onFault(new Error(message), "commit resolver"),
  });
  const inFlight = new Set<string>();
  const posting = { db: switchDb, clock, ids: randomIds, lock, limits, inFlight, onFault, reach };
  const payments = openPaymentDesk({ ...posting, onCommitUnknown: (items) => resolver.watch(items) });
  // Rare, and not by keys alone: planned for each.
  const reversals = openReversalDesk({ ...posting, db });
  const attempts = openAttemptJournal({
    db,
    clock,
    flushEveryMs: 250,
    bufferMax: 20_000,
    onFault: (message) => onFault(new Error(message), "attempt journal"),
    reach,
  });
  const drift = openDriftMeter({
    db,
    clock,
    flushEveryMs: 1_000,
    onDeviation: (partner, { field, kind }) => metrics.countDeviation({ partner, field, kind }),
    onFirstSight: (partner, deviation) =>
      logger.warn({ partner, ...deviation }, "drift: a message differs from the partner's dialect, first seen now"),
    onFault: (message) => onFault(new Error(message), "drift meter"),
  });
  metrics.watch("biller_payments_waiting", "Payments waiting for a batch", () => payments.waiting);
  metrics.watch(
    "biller_commits_unknown",
    "Payments whose COMMIT got no answer and that nothing is known of yet",
    () => resolver.open,
  );
  metrics.watch("biller_attempts_dropped", "Attempts not kept while the database was away", () => attempts.dropped);
  metrics.watch("biller_log_lines_dropped", "Log lines that nobody took from standard output", droppedLogLines);

  let isDraining = false;
  const clockWatch = await openClockWatch({ db, clock, skewMaxMs: config.clockSkewMaxMs, logger, onFault });
  metrics.watch(
    "biller_clock_skew_seconds",
    "How far this machine's clock is from the database's, either way; -1 before it is known",
    () => (clockWatch.skewMs === null ? -1 : Math.abs(clockWatch.skewMs) / 1_000),
    "max",
  );
  const chain = openChainState(db, checkpointFileOf(config, services), (what) =>
    logger.error({ what }, "alarm: rollback"),
  );
  const chainHelp = "1: a checkpoint or block that is known contradicts the database; the host is not ready";
  metrics.watch("biller_chain_contradicted", chainHelp, () => (chain.isContradicted ? 1 : 0), "max");
  const readiness = (): Promise<readonly ReadinessCheck[]> =>
    checkReadiness({ config, db, redis, clockWatch, chain, isDraining: () => isDraining });
  const billing = {
    ...{ db, clock, ids: randomIds },
    products: () => holder.current.products,
    ...{ productCode: config.merchantProduct, staticProductCode: config.merchantStaticProduct },
    sendsMail: config.mail !== null,
    // Known once it listens; the address is only used in answers.
    get publicUrl() {
      return config.publicUrl ?? urlOf(config.host, (server.address() as AddressInfo).port);
    },
  };
  const pages = { db, clock, catalog: holder, watchersMax: config.billPageWatchers };
  const billPages = openBillPageDesk(pages);
  const billWatch = openBillWatch({ ...pages, onFault: (fault) => onFault(fault, "bill watch") });
  metrics.watch("biller_bill_pages_open", "Open bill pages that are told of changes", () => billWatch.watching);
  const paymentPages =
    config.paymentPage === null
      ? null
      : openPaymentPages({ settings: config.paymentPage, clock, onFault: (fault) => onFault(fault, "payment page") });
  const audit = openAuditDesk({
    ...{ db, clock, logger, onFault, auditUrl: services.auditDatabaseUrl, poolMax: config.auditPoolMax },
    layoutOf: (productCode) => holder.current.products.get(productCode)?.layout ?? null,
  });
  metrics.watch(
    "biller_audit_reads_unwritten",
    "Answers to auditors that are not recorded yet",
    () => audit.log.unwritten,
  );
  const recon = openReconDesk({
    ...{ databaseUrl: services.databaseUrl, clock, ids: randomIds, onFault },
    byHand: () => openHandDesk({ catalog: holder.current, clock, ids: randomIds }),
    cutOffs: () => [...holder.current.partners.values()].map(({ dialect }) => dialect.cutOff),
    billerName: config.billerName,
  });
  await removeLeftOvers(tmpdir(), clock.nowMs());
  const app = createApp({
    ...{ recon, uploadMaxBytes: config.reconUploadMaxBytes, uploadDir: tmpdir() },
    audit,
    billing,
    billPages,
    billWatch,
    paymentPages,
    merchants: () => holder.current.merchants,
    answer: (arrival) =>
      answerMessage(
        { clock, ids: randomIds, catalog: holder, inquiries, payments, reversals, drift, onFault, reach },
        arrival,
      ),
    attempts,
    authAlarm: createFailureAlarm({
      clock,
      threshold: 100,
      windowMs: 60_000,
      onAlarm: (source, failures) =>
        logger.warn({ source, failures }, "alarm: many messages from one address are not authentic"),
    }),
    clock,
    logger,
    metrics,
    readiness,
    reach,
  });
  const { server, drain } = createHttpServer(app);
  await listen(server, config.host, config.port);

  const refresh = setInterval(() => {
    readCatalog().then(
      (catalog) => {
        holder.current = catalog;
      },
      (error: unknown) => onFault(error, "catalog refresh, the one in force is kept"),
    );
  }, CATALOG_REFRESH_MS);
  const { attemptRetentionMonths } = config;
  const housekeeping = startHousekeeping({ db, clock, logger, attemptRetentionMonths, onFault });

  const { port } = server.address() as AddressInfo;
  const delivery = {
    ...{ db, clock, onFault, reach },
    onDelivered: reportDelivery(logger, metrics),
  };
  const lanes = [
    openDispatcher({
      ...delivery,
      contactOf: (merchantId) => holder.current.merchants.byId.get(merchantId) ?? null,
      allowedHosts: config.callbackAllowedHosts,
      sendsMail: config.mail !== null,
    }),
    ...(config.mail === null
      ? []
      : [
          openMailLane({
            ...delivery,
            mailer: openMailer(config.mail),
            compose: (event) => composeBillMail(billing, event),
          }),
        ]),
  ];
  return {
    port,
    url: urlOf(config.host, port),
    async stop() {
      isDraining = true;
      await reach("draining");
      // Open pages would keep their connections, and this process, for as long as they are looked at.
      billWatch.close();
      clockWatch.close();
      chain.close();
      clearInterval(refresh);
      housekeeping.stop();
      await drain(config.shutdownTimeoutMs);
      await Promise.all([payments.idle(), reversals.idle(), inquiries.idle(), billPages.idle()]);
      resolver.close();
      await Promise.all(lanes.map((lane) => lane.close()));
      await Promise.all([attempts.close(), drift.close(), audit.close(), recon.close()]);
      redis?.disconnect();
      await Promise.all([switchDb.close(), db.close()]);
    },
  };
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const hint = error.code === "EADDRINUSE" ? `port ${port} is taken; choose another with PORT=…` : error.message;
      reject(new Fault("listen", `cannot listen on ${host}:${port}: ${hint}`, { cause: error }));
    });
    server.listen(port, host, 1024, resolve);
  });
}

/**
 * Refuses a server that may forget a commit that it has acknowledged, or that is not the primary.
 *
 * @throws Fault `unsafe_database` naming every setting that is wrong
 */
async function assertDurable(db: Db, isAllowed: boolean): Promise<void> {
  const { isReplica, switchedOff } = await readServerState(db, deadlineIn(systemClock, 5_000));
  if (isReplica) throw new Fault("unsafe_database", "this PostgreSQL is a read-only replica: connect to the primary");
  if (switchedOff.length > 0 && !isAllowed) {
    throw new Fault(
      "unsafe_database",
      `this PostgreSQL can lose acknowledged payments: ${switchedOff.join(", ")} off. Switch on, or set ` +
        "ALLOW_UNSAFE_DURABILITY=true where losing them does not matter",
    );
  }
}
