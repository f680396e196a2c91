import { sleep } from "../../src/platform";
import { paymentMessage } from "../support/builders";
import { Chance } from "../fuzz/random";
import type { Build } from "./build";
import type { Violation } from "./check";
import { until, type WorldCase } from "./case";
import type { Act } from "./child";
import { APPROVED_CODE, isDefinite, type Message } from "./history";
import type { Verdict } from "./link";
import { whileDelivering } from "./outbox-points";
import { holdBill, migrationsSurvive } from "./points";
import { FILE_WRITTEN, whileReconciling } from "./reconciliation-points";
import { BLOCK_WRITTEN, whileSealing } from "./sealer-points";
import { onDatabase } from "./servers";
import type { Stage } from "./stage";
import { reversalOf, storm, type StormKind } from "./storms";
import { openWorld, type Place, type RedisKind, type World } from "./world";
import type { PostingPoint } from "../../src/flows";

/** The smallest run that shows one kind of defect. Resolves with what did not hold. */
export type Scenario = (stage: Stage, build: Build, ownSchema: boolean) => Promise<Violation[]>;

interface Setting {
  readonly redis?: readonly RedisKind[];
  readonly dialect?: Readonly<Record<string, unknown>>;
  readonly deadlineMs?: number;
  readonly bills?: number;
  readonly shopBills?: number;
  readonly settleMs?: number;
  /** Leave what was broken as it is until the end: all must be settled without it. */
  readonly unhealed?: boolean;
}

/** A world with hosts, something that happens in it, repair, and all checks. */
function inWorld(setting: Setting, happen: (world: World, places: readonly Place[]) => Promise<void>): Scenario {
  return async (stage, build, ownSchema) => {
    const { redis = ["real", "real"], bills = 200, shopBills = 0, deadlineMs = 2_000, dialect = {} } = setting;
    const world = await openWorld({ servers: stage.servers, build, ownSchema, bills, shopBills, deadlineMs, dialect });
    try {
      await Promise.all((await eachPlace(world, redis)).map((place) => world.start(place)));
      await happen(world, world.places);
      if (setting.unhealed !== true) await world.heal();
      await world.settle(setting.settleMs ?? 5_000);
      return await world.check();
    } finally {
      await world.close();
    }
  };
}

async function eachPlace(world: World, kinds: readonly RedisKind[]): Promise<Place[]> {
  const places: Place[] = [];
  for (const kind of kinds) places.push(await world.addPlace(kind));
  return places;
}

/** Storms of some kinds, `each` of every kind, four at a time. */
const storms = (kinds: readonly StormKind[], each: number, setting: Setting = {}): Scenario =>
  inWorld({ redis: ["none", "none"], ...setting }, async (world) => {
    const chance = new Chance(7, each);
    const all = Array.from({ length: each }, () => kinds).flat();
    await Promise.all(
      [0, 1, 2, 3].map(async (worker) => {
        for (const [index, kind] of all.entries()) if (index % 4 === worker) await storm(world, chance, kind, 8);
      }),
    );
  });

const isCommit = (chunk: Buffer): boolean => chunk.includes("commit\0");

/** Something happens to the first COMMIT of each of ten payments. */
const atCommit = (verdictOf: (chunk: Buffer) => Verdict): Scenario =>
  inWorld({ redis: ["real"] }, async (world, [place]) => {
    await sleep(300);
    for (let n = 0; n < 10; n++) {
      const payment = world.payment();
      world.note(payment);
      let isDone = false;
      if (place === undefined) return;
      place.postgres.judge = (chunk, fromServer) => {
        if (isDone || fromServer || !isCommit(chunk)) return "pass";
        isDone = true;
        return verdictOf(chunk);
      };
      await world.send(payment, place);
      place.postgres.judge = null;
    }
  });

/** The server refuses one bill for a while; payments of others that stand in the same batch must not suffer. */
const serverFault: Scenario = inWorld({ redis: ["real"] }, async (world) => {
  const poisoned = world.payment();
  world.note(poisoned);
  await world.query(`
    create function chaos_refuse() returns trigger language plpgsql as $$
    begin
      if new.bill_number = '${poisoned["billNumber"]}' then raise exception 'chaos' using errcode = 'XX000'; end if;
      return new;
    end $$`);
  await world.query(`create trigger chaos_refuse before insert on trax for each row execute function chaos_refuse()`);
  for (let n = 0; n < 5; n++) {
    const neighbours = Array.from({ length: 8 }, () => world.payment());
    for (const each of neighbours) world.note(each);
    const sent = await Promise.all(
      [...neighbours.slice(4), poisoned, ...neighbours.slice(0, 4)].map((each) => world.send(each)),
    );
    for (const { message, reply, traxId } of sent) {
      if (message !== poisoned && reply?.code !== APPROVED_CODE) {
        world.violate("unresolved", traxId, "not approved because of another payment in its batch");
      }
    }
  }
  await world.query(`drop trigger chaos_refuse on trax`);
});

/** A host does something at a point; meanwhile another gets the same payments. */
const crashAt = (point: PostingPoint, act: Act, setting: Setting = {}): Scenario =>
  inWorld({ deadlineMs: 4_000, ...setting }, async (world, places) => {
    const [subject, other] = places as readonly [Place, Place];
    for (let n = 0; n < 3; n++) {
      const host = subject.host?.end === null ? subject.host : await world.start(subject);
      await host.arm(point, act);
      const payments = Array.from({ length: 3 }, () => world.payment());
      for (const each of payments) world.note(each);
      const first = payments.map((each) => world.send(each, subject));
      await sleep(100);
      await Promise.all([...first, ...payments.map((each) => world.send(each, other))]);
      if (host.end === null) await host.kill();
    }
  });

/** Acknowledged, and at that moment every process of PostgreSQL is killed. */
const killedAfterReplies: Scenario = inWorld({ redis: ["real"] }, async (world) => {
  for (let n = 0; n < 3; n++) {
    const payments = Array.from({ length: 30 }, () => world.payment());
    for (const each of payments) world.note(each);
    await Promise.all(payments.map((each) => world.send(each)));
    await world.servers.postgres.kill();
    await world.restartPostgres();
    const rows = await world.query<{ trax_id: string }>(`select trax_id from trax`);
    const stored = new Set(rows.map(({ trax_id }) => trax_id));
    for (const { traxId, reply } of world.history.exchanges) {
      if (reply?.code === APPROVED_CODE && !stored.has(traxId)) world.violate("lost", traxId, "gone after the kill");
    }
  }
});

/** Declined for a reason that goes away: the decline must stay. */
const stickyDeclines: Scenario = inWorld({}, async (world) => {
  for (let n = 0; n < 3; n++) {
    const payment = world.payment();
    world.note(payment);
    await world.query(`update bill set is_cancelled = true where bill_number = $1`, [payment["billNumber"]]);
    await world.send(payment);
    await world.query(`update bill set is_cancelled = false, version = version + 1 where bill_number = $1`, [
      payment["billNumber"],
    ]);
    await world.send(payment);
  }
});

/** Jakarta's time of day in the form of the switch. */
function timeStampNow(): string {
  const iso = new Date(Date.now() + 7 * 3_600_000).toISOString();
  return `${iso.slice(8, 10)}-${iso.slice(5, 7)}-${iso.slice(0, 4)} ${iso.slice(11, 19)}`;
}

/** A window of three seconds: repeats of what was answered come later than that. */
const lateRepeats: Scenario = inWorld({ dialect: { timestamp: { windowMs: 3_000 } } }, async (world) => {
  const payments = Array.from({ length: 4 }, () => world.payment({ timeStamp: timeStampNow() }));
  for (const each of payments) world.note(each);
  const sent = await Promise.all(payments.map((each) => world.send(each)));
  if (sent.some(({ reply }) => reply?.code !== APPROVED_CODE))
    world.violate("unresolved", null, "not even the first was approved");
  await sleep(3_600);
});

const lineDown: Scenario = inWorld({ redis: ["real"] }, async (world, [place]) => {
  const payments = Array.from({ length: 6 }, () => world.payment());
  for (const each of payments) world.note(each);
  place?.postgres.refuse();
  await Promise.all(payments.map((each) => world.send(each, place)));
  place?.postgres.heal();
});

/** Connections that say nothing any more, as when a firewall forgets them; new ones would work. */
const stranded: Scenario = inWorld({ redis: ["none"], settleMs: 9_000, unhealed: true }, async (world, [place]) => {
  await sleep(500);
  for (let n = 0; n < 3; n++) {
    const payments = Array.from({ length: 12 }, () => world.payment());
    for (const each of payments) world.note(each);
    const sending = Promise.all(payments.map((each) => world.send(each, place)));
    await sleep(n * 3);
    place?.postgres.strand();
    await sending;
  }
});

const draining: Scenario = inWorld({ deadlineMs: 4_000 }, async (world, [place]) => {
  const host = place?.host;
  if (!host) return;
  const payment = world.payment();
  world.note(payment);
  const release = await holdBill(world, payment["billNumber"] ?? "");
  const pending = world.send(payment, place);
  await sleep(200);
  const over = host.terminate();
  await sleep(400);
  await release();
  const { reply, traxId } = await pending;
  if (!isDefinite(reply)) world.violate("late", traxId, "accepted, and cut off while draining");
  await over;
});

/** One host stands still until its lock is another's; when it goes on, it must leave that lock alone. */
const foreignLock: Scenario = inWorld({ deadlineMs: 6_000 }, async (world, [first, second]) => {
  if (!first?.host || !second?.host) return;
  const payment = world.payment();
  world.note(payment);
  await first.host.arm("begun", "stop");
  const one = world.send(payment, first);
  await sleep(3_300);
  await second.host.arm("begun", "hang", { hangMs: 2_000 });
  const two = world.send(payment, second);
  await sleep(300);
  const tokenOf = async (): Promise<string | null> => {
    const [key] = await world.servers.redis.admin.keys(`biller:lock:*${payment["traxId"]}`);
    return key === undefined ? null : world.servers.redis.admin.get(key);
  };
  const before = await tokenOf();
  first.host.thaw();
  await Promise.race([one, sleep(800)]);
  await sleep(200);
  const after = await tokenOf();
  if (before === null || before !== after)
    world.violate("host", payment["traxId"] ?? null, "another host's lock was given back");
  await Promise.all([one, two]);
});

/** The holder of a lock dies; another host must have an answer within the deadline of one request. */
const holderDies: Scenario = inWorld({ deadlineMs: 4_500 }, async (world, [first, second]) => {
  const payment = world.payment();
  world.note(payment);
  await first?.host?.arm("locked", "kill");
  await world.send(payment, first);
  const { reply, traxId } = await world.send(payment, second);
  if (!isDefinite(reply)) world.violate("unresolved", traxId, "a dead host's lock outlives a request");
});

/** PostgreSQL cannot be reached while attempts are to be written. */
const attemptsAway: Scenario = inWorld({}, async (world, places) => {
  for (let n = 0; n < 3; n++) {
    const payments = Array.from({ length: 6 }, () => world.payment());
    for (const each of payments) world.note(each);
    await Promise.all(payments.map((each) => world.send(each)));
    for (const { postgres } of places) postgres.refuse();
    await sleep(600);
    for (const { postgres } of places) postgres.heal();
  }
});

/** Redis is gone, or says nothing, and stays so. */
const withoutRedis = (how: "killed" | "frozen" | "grants all" | "flushed"): Scenario =>
  inWorld(
    {
      unhealed: true,
      settleMs: 4_000,
      ...(how === "grants all" ? { redis: ["grants all", "grants all"] as const } : {}),
    },
    async (world) => {
      const { redis } = world.servers;
      const chance = new Chance(3);
      await storm(world, chance, "same");
      if (how === "killed") await redis.kill();
      if (how === "frozen") redis.freeze();
      const flushing = setInterval(() => {
        if (how === "flushed") void redis.admin.flushall().catch(() => {});
      }, 2);
      try {
        for (let n = 0; n < 4; n++) {
          await Promise.all((["same", "rivals", "declines"] as const).map((kind) => storm(world, chance, kind)));
        }
        await world.settle(4_000);
      } finally {
        clearInterval(flushing);
        if (how === "killed") await redis.start();
        redis.thaw();
      }
    },
  );

/** A wait before COMMIT that outlives the deadline: answered as not known, so nothing may be committed afterwards. */
const nothingLater: Scenario = inWorld({ redis: ["real"] }, async (world, [place]) => {
  const payment = world.payment();
  world.note(payment);
  await place?.host?.arm("appended", "hang", { hangMs: 2_400 });
  const { reply, traxId } = await world.send(payment, place);
  await sleep(1_000);
  const rows = await world.query(`select 1 from trax where trax_id = $1`, [traxId]);
  if (!isDefinite(reply) && rows.length > 0) world.violate("doubled", traxId, "committed after its deadline");
});

/** The server ends the sessions of a host, busy and idle ones. */
const sessionsEnded: Scenario = inWorld({}, async (world) => {
  const chance = new Chance(5);
  const ending = (async () => {
    for (let n = 0; n < 30; n++) {
      await sleep(60);
      await onDatabase(world.adminUrl(), (client) =>
        client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'biller-host'`,
        ),
      );
    }
  })();
  for (let n = 0; n < 5; n++) {
    await Promise.all((["same", "rivals", "reversals"] as const).map((kind) => storm(world, chance, kind)));
  }
  await ending;
});

/** Amounts and fees that are changed under a traxId, one after the other and by single rupiah. */
const tampering: Scenario = inWorld({ redis: ["none"] }, async (world) => {
  for (let n = 0; n < 6; n++) {
    const payment = world.payment();
    const { signature: _, ...rest } = payment;
    const amount = BigInt(payment["amount"] ?? "0");
    const changes: Message[] = [
      { amount: String(amount + 1n) },
      { amount: String(amount - 1n) },
      { feeAmount: "4999" },
      { billNumber: world.freshBill().billNumber },
    ];
    const changed = changes.map((each) => paymentMessage({ ...rest, ...each }));
    world.note(payment);
    await world.send(payment);
    for (const each of changed) await world.send(each);
    // A wrong amount under a traxId of its own is judged on the bill.
    for (const more of [1n, -1n]) {
      const { signature: _own, ...fresh } = world.payment();
      await world.send(paymentMessage({ ...fresh, amount: String(BigInt(fresh["amount"] ?? "0") + more) }));
    }
    const { signature: _fee, ...cheap } = world.payment();
    await world.send(paymentMessage({ ...cheap, feeAmount: "0" }));
  }
});

/** A reversal by the book: before, after, twice, with another amount. */
const reversing: Scenario = inWorld({ redis: ["real"] }, async (world) => {
  for (let n = 0; n < 4; n++) {
    const payment = world.payment();
    const reversal = reversalOf(payment);
    for (const each of [payment, reversal]) world.note(each);
    for (const each of [payment, reversalOf(payment, { amount: "1" }), reversal, reversal, payment])
      await world.send(each);
    const next = world.payment({ billNumber: payment["billNumber"] ?? "", amount: payment["amount"] ?? "" });
    world.note(next);
    const { reply, traxId } = await world.send(next);
    if (reply?.code !== APPROVED_CODE)
      world.violate("lost", traxId, "a bill whose payment was reversed cannot be paid");
  }
});

/** The merchant takes nothing at once; each bill is paid, reversed and paid again before its first event gets through. */
const refused: Scenario = inWorld({ redis: ["real"], shopBills: 20 }, async (world) => {
  world.shop.takes = (_call, isFirst) => !isFirst;
  for (let n = 0; n < 3; n++) {
    const payment = world.payment({ ...world.freshShopBill() });
    const { billNumber = "", amount = "" } = payment;
    for (const message of [payment, reversalOf(payment), world.payment({ billNumber, amount })]) {
      world.note(message);
      await world.send(message);
    }
  }
  await until(() => world.shop.calls.length > 0, 3_000);
});

/** Killed at the end of the transaction of a merchant's payment: before its COMMIT, or after it. */
const shopCrashAt = (point: "appended" | "committed"): Scenario =>
  inWorld({ deadlineMs: 4_000, shopBills: 20 }, async (world, [subject, other]) => {
    if (!subject?.host || other === undefined) return;
    const payment = world.payment({ ...world.freshShopBill() });
    world.note(payment);
    await subject.host.arm(point, "kill");
    await world.send(payment, subject);
    await world.send(payment, other);
  });

const worldCase =
  (run: WorldCase["run"]): Scenario =>
  async (stage, build) => [...(await run({ ...stage, build })).violations];

const migrations: Scenario = async (stage, build) =>
  (await migrationsSurvive(stage, build))
    ? []
    : [{ kind: "host", traxId: null, detail: "migrations stay broken after a kill" }];

/** Every scenario by name; on the product as it is, all must find nothing. */
export const SCENARIOS = {
  storms: storms(["same", "amounts", "rivals", "declines"], 8),
  "storms of declines": storms(["declines"], 20),
  "storms of rivals": storms(["rivals"], 20),
  "storms of reversals": storms(["reversals", "tombstones"], 10),
  "Redis grants all": withoutRedis("grants all"),
  "Redis flushed": withoutRedis("flushed"),
  "Redis killed": withoutRedis("killed"),
  "Redis frozen": withoutRedis("frozen"),
  "COMMIT not received": atCommit(() => "drop-and-cut"),
  "COMMIT not answered": atCommit(() => "pass-and-cut"),
  "COMMIT answered ROLLBACK": atCommit((chunk) =>
    Buffer.from(chunk.toString("latin1").replace("commit\0", "abort \0"), "latin1"),
  ),
  "server refuses one bill": serverFault,
  "killed with locks held": crashAt("locked", "kill", { deadlineMs: 1_500 }),
  "killed before COMMIT": crashAt("appended", "kill"),
  "killed after COMMIT": crashAt("committed", "kill"),
  "thrown in the transaction": crashAt("appended", "throw"),
  "PostgreSQL killed after replies": killedAfterReplies,
  "declines whose reason goes away": stickyDeclines,
  "late repeats": lateRepeats,
  "line down": lineDown,
  "connections stranded": stranded,
  "sessions ended": sessionsEnded,
  draining,
  "a foreign lock": foreignLock,
  "the holder dies": holderDies,
  "attempts while PostgreSQL is away": attemptsAway,
  "a wait beyond the deadline": nothingLater,
  tampering,
  reversing,
  migrations,
  "a merchant refuses at first": refused,
  "killed before COMMIT, merchant's bill": shopCrashAt("appended"),
  "killed after COMMIT, merchant's bill": shopCrashAt("committed"),
  "killed before a delivery": worldCase(whileDelivering("delivering", "kill", 1)),
  "killed after a delivery": worldCase(whileDelivering("delivered", "kill", 1)),
  "killed while sealing": worldCase(whileSealing(BLOCK_WRITTEN, "kill")),
  "an import breaks off": worldCase(whileReconciling("import", FILE_WRITTEN, "throw")),
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
