import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { sleep } from "../../src/platform";
import { fill, paymentMessage, telkomBill } from "../support/builders";
import { type LyingRedis, startLyingRedis } from "../support/lying-redis";
import type { TestDatabase } from "../support/services";
import type { Build } from "./build";
import { check, type Query, type Violation, type ViolationKind } from "./check";
import { type Exchange, type History, isDefinite, type Message, openHistory } from "./history";
import { type HostProcess, startHost } from "./host";
import { type Link, openLink } from "./link";
import { type ChaosPostgres, type ChaosRedis, onDatabase } from "./servers";
import { checkShop, fillShop, openShop, type Shop, shopBills } from "./shop";

/** Servers that worlds share, one world at a time. */
export interface Servers {
  readonly postgres: ChaosPostgres;
  readonly redis: ChaosRedis;
}

/** What a host asks for locks. */
export type RedisKind = "real" | "none" | "grants all" | "grants none";

/** What a world is made of. */
export interface WorldOptions {
  readonly servers: Servers;
  readonly build: Build;
  /** Migrate by the build itself instead of copying the template: its migrations are changed. */
  readonly ownSchema?: boolean;
  readonly bills: number;
  /** Bills of a merchant beside them, which is told of their payments. */
  readonly shopBills?: number;
  readonly dialect?: Readonly<Record<string, unknown>>;
  readonly deadlineMs?: number;
}

/** A host's place: it is started there, killed, and started again, always over the same lines. */
export interface Place {
  readonly name: string;
  readonly postgres: Link;
  readonly redis: Link;
  host: HostProcess | null;
}

/** A bill and what is due for it, digits. */
export interface FreshBill {
  readonly billNumber: string;
  readonly amount: string;
}

/** One database, hosts over it, a client with its history. */
export interface World {
  readonly places: readonly Place[];
  readonly history: History;
  readonly query: Query;
  readonly servers: Servers;
  readonly deadlineMs: number;
  /** The merchant. */
  readonly shop: Shop;
  /** The database as the superuser. */
  adminUrl(): string;
  /** The database with the service's own rights, past all lines; its owner. */
  appUrl(): string;
  ownerUrl(): string;
  /** A bill that nobody has touched yet: every third one is the merchant's, while there are any. */
  freshBill(): FreshBill;
  /** One of the merchant's. */
  freshShopBill(): FreshBill;
  /** A signed payment of the whole bill under a new traxId. */
  payment(changes?: Message): Message;
  addPlace(redis?: RedisKind): Promise<Place>;
  /** A host in a place whose earlier one has ended. */
  start(place: Place): Promise<HostProcess>;
  /** Sends to one place, or to the next one in turn that has a host. */
  send(message: Message, place?: Place): Promise<Exchange>;
  /** Remembers a key, so that `settle` asks for it. */
  note(message: Message): void;
  /** Starts PostgreSQL again on the same data. */
  restartPostgres(): Promise<void>;
  /** Heals all lines and starts what is missing. */
  heal(): Promise<void>;
  /** Sends every noted message again until it has one definite answer, then once more; notes who has none in time. */
  settle(withinMs: number): Promise<void>;
  violate(kind: ViolationKind, traxId: string | null, detail: string): void;
  /** Everything that did not hold, so far. */
  check(): Promise<Violation[]>;
  close(): Promise<void>;
}

const LATE_PATIENCE_MS = 3_000;
const BILL_BASE = 20_000_000;

/** Makes the database, the lines and the client; hosts come with `addPlace` and `start`. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { servers, build, deadlineMs = 4_000 } = options;
  const { postgres, redis } = servers;
  const name = `w_${randomBytes(6).toString("hex")}`;
  const template = options.ownSchema === true ? "template0" : "chaos_template";
  const serverUrl = (): string => at(postgres.urls.superuserUrl, postgres.port, "postgres");
  await onDatabase(serverUrl(), (client) =>
    client.query(`create database ${name} template ${template} owner biller_owner`),
  );
  const ownerUrl = (): string => at(postgres.urls.ownerUrl, postgres.port, name);
  if (options.ownSchema === true) await migrate(build, ownerUrl());
  const query: Query = <Row extends object>(text: string, values: readonly unknown[] = []) =>
    onDatabase(at(postgres.urls.superuserUrl, postgres.port, name), async (client) => {
      const { rows } = await client.query<Row & Record<string, unknown>>(text, [...values]);
      return rows;
    });

  const bills = Array.from({ length: options.bills }, (_, index) => billOf(index));
  await fill({ ownerUrl: ownerUrl() } as TestDatabase, bills, { ...options.dialect, deadlineMs });
  const shop = await openShop();
  const ofShop = shopBills(options.shopBills ?? 0);
  if (ofShop.length > 0) await fillShop(ownerUrl(), shop, ofShop);
  const dues = new Map(
    [...bills, ...ofShop].map(({ billNumber, productCode, feeAmount, items }) => [
      billNumber,
      { productCode, amount: items.reduce((sum, item) => sum + item.amount, 0n), feeAmount },
    ]),
  );
  const fresh = (list: readonly { readonly billNumber: string }[], at: number): FreshBill => {
    const bill = list[at];
    if (bill === undefined) throw new Error("no bill is left");
    return { billNumber: bill.billNumber, amount: String(dues.get(bill.billNumber)?.amount).padStart(12, "0") };
  };

  const history = openHistory();
  const places: Place[] = [];
  const violations: Violation[] = [];
  const noted = new Map<string, Message>();
  const liars: LyingRedis[] = [];
  let usedBills = 0;
  let usedShopBills = 0;
  let turn = 0;
  let starts = 0;

  const portOf = async (kind: RedisKind): Promise<number> => {
    if (kind === "real" || kind === "none") return redis.port;
    const liar = await startLyingRedis(kind === "grants all" ? 1 : 0);
    liars.push(liar);
    return Number(new URL(liar.url).port);
  };
  const kinds = new Map<Place, RedisKind>();

  const world: World = {
    ...{ places, history, query, servers, deadlineMs, shop, ownerUrl },
    adminUrl: () => at(postgres.urls.superuserUrl, postgres.port, name),
    appUrl: () => at(postgres.urls.appUrl, postgres.port, name),
    freshBill() {
      const isTurn = (usedBills + usedShopBills) % 3 === 2 && usedShopBills < ofShop.length;
      return isTurn ? world.freshShopBill() : fresh(bills, usedBills++);
    },
    freshShopBill: () => fresh(ofShop, usedShopBills++),
    payment(changes = {}) {
      const bill = changes["billNumber"] === undefined ? world.freshBill() : {};
      const due = dues.get(changes["billNumber"] ?? (bill as Partial<FreshBill>).billNumber ?? "");
      const terms = due === undefined ? {} : { productCode: due.productCode, feeAmount: String(due.feeAmount) };
      return paymentMessage({ ...terms, ...bill, ...changes });
    },
    async addPlace(kind = "real") {
      const place: Place = {
        name: String.fromCharCode(65 + places.length),
        postgres: await openLink(postgres.port),
        redis: await openLink(await portOf(kind)),
        host: null,
      };
      kinds.set(place, kind);
      places.push(place);
      return place;
    },
    async start(place) {
      starts += 1;
      const host = await startHost({
        name: `${place.name}${starts}`,
        build,
        appUrl: at(postgres.urls.appUrl, place.postgres.port, name),
        redisUrl: kinds.get(place) === "none" ? null : `redis://127.0.0.1:${place.redis.port}`,
        settings: { TZ: adverseZone(), CALLBACK_ALLOWED_HOSTS: "127.0.0.1" },
      });
      place.host = host;
      void host.ended.then(() => {
        if (!host.isDoomed)
          world.violate("host", null, `host ${host.name} ended by itself: ${host.log.slice(-3).join(" ")}`);
      });
      return host;
    },
    async send(message, place) {
      const chosen = place ?? nextPlace();
      if (chosen?.host === null || chosen === undefined) throw new Error("no host lives");
      return history.send(chosen.host, message, deadlineMs + LATE_PATIENCE_MS);
    },
    note(message) {
      noted.set(`${message["transactionType"]} ${message["traxId"]}`, message);
    },
    async restartPostgres() {
      await postgres.start();
      for (const place of places) place.postgres.aim(postgres.port);
    },
    async heal() {
      redis.thaw();
      if (!postgres.isUp()) await world.restartPostgres();
      for (const place of places) {
        place.postgres.heal();
        place.redis.heal();
        if (kinds.get(place)?.startsWith("grants") === true) {
          // A Redis that says that everything is held keeps a host from answering; repairing it is putting in a true one.
          place.redis.aim(redis.port);
          place.redis.reset();
        }
        place.host?.thaw();
        if (place.host?.end === null) await place.host.disarm();
        if (place.host === null || place.host.end !== null) await world.start(place);
      }
    },
    async settle(withinMs) {
      const messages = [...noted.values()];
      // Payments before reversals would tell nothing about payments that have been taken back: either order is right.
      const untilMs = performance.now() + withinMs;
      await inParallel(16, messages, async (message) => {
        let exchange = await world.send(message);
        for (; !isDefinite(exchange.reply); exchange = await world.send(message)) {
          if (performance.now() > untilMs) {
            world.violate(
              "unresolved",
              message["traxId"] ?? null,
              `no definite answer within ${withinMs} ms of the repair`,
            );
            return;
          }
          await sleep(50);
        }
        await world.send(message);
      });
    },
    violate: (kind, traxId, detail) => void violations.push({ kind, traxId, detail }),
    async check() {
      const found = await check({
        exchanges: history.exchanges,
        query,
        living: living(),
        ownerUrl: ownerUrl(),
        deadlineMs,
        dues,
      });
      return [...violations, ...found, ...(await checkShop(query, shop))];
    },
    async close() {
      for (const { host } of places) if (host?.end === null) await host.kill();
      for (const place of places) await Promise.all([place.postgres.close(), place.redis.close()]);
      for (const liar of liars) await liar.close();
      await shop.close();
      redis.thaw();
      if (!postgres.isUp()) await postgres.start();
      await onDatabase(serverUrl(), (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
  function living(): Set<string> {
    return new Set(
      places.flatMap(({ host }) => (host === null || host.end !== null || host.isDoomed ? [] : [host.name])),
    );
  }
  function nextPlace(): Place | undefined {
    for (let n = 0; n < places.length; n++) {
      const place = places[turn++ % places.length];
      if (place?.host?.end === null && !place.host.isFrozen()) return place;
    }
    return places.find(({ host }) => host !== null);
  }
  return world;
}

/** A third of the bills owes what a Float32 cannot tell from one rupiah more. */
function billOf(index: number) {
  const billNumber = `00210${BILL_BASE + index}`;
  if (index % 3 !== 0) return telkomBill({ billNumber });
  const items = ["304A", "305A", "306A"].map((reference) => ({ reference, amount: 41_152_263n }));
  return telkomBill({ billNumber, items });
}

/** The same URL, of another port and database. */
function at(url: string, port: number, database: string): string {
  const changed = new URL(url);
  changed.port = String(port);
  changed.pathname = `/${database}`;
  return changed.toString();
}

/** A time zone in which it is another day than in Jakarta. */
function adverseZone(): string {
  const hour = (new Date().getUTCHours() + 7) % 24;
  return hour >= 17 ? "Pacific/Kiritimati" : "Etc/GMT+12";
}

/** Runs the build's migrations in a process of their own. */
export function migrate(build: Build, ownerUrl: string, dieAt = 0): Promise<number | null> {
  const child = spawn(process.execPath, [build.child, "migrate"], {
    env: { PATH: process.env["PATH"], MIGRATION_DATABASE_URL: ownerUrl, DIE_AT_MIGRATION: String(dieAt) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}

/** Works on all items, at most `width` at a time. */
export async function inParallel<T>(
  width: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}
