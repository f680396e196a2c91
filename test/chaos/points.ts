import { connect } from "node:net";
import { randomBytes } from "node:crypto";
import type { PostingPoint } from "../../src/flows";
import { sleep } from "../../src/platform";
import { type Bench, type Case, until, type WorldCase } from "./case";
import type { Act } from "./child";
import { isDefinite, type Message } from "./history";
import { openLink, type Verdict } from "./link";
import { outboxCases } from "./outbox-points";
import { reconciliationCases } from "./reconciliation-points";
import { sealerCases } from "./sealer-points";
import { onDatabase, signal } from "./servers";
import type { Stage } from "./stage";
import { reversalOf } from "./storms";
import { inParallel, migrate, openWorld, type Place, type World } from "./world";
import type { Violation } from "./check";

/** One line of the result. */
export interface PointResult {
  readonly crashPoint: string;
  readonly where: string;
  readonly acts: readonly string[];
  readonly cases: number;
  readonly reached: number;
}

/** What the crash points came to. */
export interface PointsOutcome {
  readonly results: readonly PointResult[];
  readonly cases: number;
  readonly violations: readonly Violation[];
  readonly exchanges: World["history"]["exchanges"];
  /** Events that merchants took, and how often one came again. */
  readonly events: number;
  readonly repeats: number;
}

const ACTS: readonly Act[] = ["kill", "stop", "throw", "hang"];
const DEADLINE_MS = 4_000;
/** Longer than a lock lives in Redis. */
const STANDSTILL_MS = 3_500;
const HANG_MS = DEADLINE_MS + 600;
const WORKERS = 5;
/** Each with one or two hosts. */
const WORLD_WORKERS = 3;

/** The points that the product names, and which of the eighteen places each stands for. */
const NAMED: readonly (readonly [crashPoint: string, point: PostingPoint])[] = [
  ["CP02 parsed", "parsed"],
  ["CP03 authenticated", "authenticated"],
  ["CP04 lock held", "locked"],
  ["CP05 BEGIN", "begun"],
  ["CP07 bill read, balance checked", "facts-read"],
  ["CP09 bill claimed", "bills-claimed"],
  ["CP06, CP08 key, entry and postings written", "appended"],
  ["CP11 committed, nothing written to the switch", "committed"],
  ["CP13 lock given back", "released"],
  ["CP11 reply complete, not sent", "replying"],
  ["CP13 reply sent", "replied"],
  ["CP13 attempt kept", "attempt-kept"],
  ["CP16 while draining", "draining"],
];
const IN_TRANSACTION: readonly PostingPoint[] = ["begun", "facts-read", "bills-claimed", "appended", "committed"];
const BEFORE_COMMIT: readonly PostingPoint[] = ["locked", "begun", "facts-read", "bills-claimed", "appended"];

/** Tries everything at every point; `acts` limits what, `isNamed` where. */
export async function runPoints(
  stage: Stage,
  say: (line: string) => void,
  acts: readonly string[] = ["kill", "stop", "throw", "hang", "cut"],
  isNamed: (crashPoint: string) => boolean = () => true,
): Promise<PointsOutcome> {
  const isWanted = ({ act, crashPoint }: { readonly act: string; readonly crashPoint: string }): boolean =>
    acts.includes(act) && isNamed(crashPoint);
  const cases = allCases().filter(isWanted);
  const worldCases = [...outboxCases(), ...sealerCases(), ...reconciliationCases()].filter(isWanted);
  const reached = new Set<Case | WorldCase>();
  const found: Violation[] = [];
  const worlds: Pick<World, "history" | "shop">[] = [];
  const keep = (world: Pick<World, "history" | "shop">, violations: readonly Violation[]): void => {
    worlds.push(world);
    found.push(...violations);
  };
  if (cases.length > 0) await inOneWorld(stage, cases, reached, keep);
  await inParallel(WORLD_WORKERS, worldCases, async (each) => {
    const { wasReached, violations, world } = await each.run(stage);
    if (wasReached) reached.add(each);
    keep(world, violations);
    say(`${each.crashPoint}, ${each.where}, ${each.act}: ${violations.length} violations`);
  });
  for (const each of [...cases, ...worldCases]) {
    if (reached.has(each)) continue;
    const what = `not reached: ${each.crashPoint}, ${each.where}, ${each.act}`;
    say(what);
    found.push({ kind: "host", traxId: null, detail: what });
  }
  const calls = worlds.flatMap(({ shop }) => shop.calls);
  const events = new Set(calls.flatMap(({ isTaken, eventId }) => (isTaken ? [eventId] : []))).size;
  return {
    results: resultsOf([...cases, ...worldCases], reached),
    cases: cases.length + worldCases.length,
    violations: found,
    exchanges: worlds.flatMap(({ history }) => history.exchanges),
    ...{ events, repeats: calls.length - events },
  };
}

async function inOneWorld(
  stage: Stage,
  cases: readonly Case[],
  reached: Set<Case | WorldCase>,
  keep: (world: World, violations: readonly Violation[]) => void,
): Promise<void> {
  const world = await openWorld({
    ...stage,
    bills: cases.length * 3,
    shopBills: cases.length,
    deadlineMs: DEADLINE_MS,
  });
  const queue = [...cases];
  try {
    await Promise.all(
      Array.from({ length: WORKERS }, async () => {
        const bench = { stage, world, subject: await world.addPlace(), other: await world.addPlace() };
        for (let each = queue.shift(); each !== undefined; each = queue.shift()) {
          for (const place of [bench.subject, bench.other]) {
            place.postgres.heal();
            if (place.host === null || place.host.end !== null || place.host.isDoomed) await renew(world, place);
          }
          if (await each.run(bench)) reached.add(each);
        }
      }),
    );
    await world.heal();
    await world.settle(8_000);
    keep(world, await world.check());
  } finally {
    await world.close();
  }
}

async function renew(world: World, place: Place): Promise<void> {
  if (place.host?.end === null) await place.host.kill();
  await world.start(place);
}

function resultsOf(cases: readonly (Case | WorldCase)[], reached: ReadonlySet<Case | WorldCase>): PointResult[] {
  const lines = new Map<string, (Case | WorldCase)[]>();
  for (const each of cases) {
    const key = `${each.crashPoint}|${each.where}`;
    lines.set(key, [...(lines.get(key) ?? []), each]);
  }
  return [...lines.values()].map((group) => ({
    crashPoint: group[0]?.crashPoint ?? "",
    where: group[0]?.where ?? "",
    acts: group.map(({ act }) => act),
    cases: group.length,
    reached: group.filter((each) => reached.has(each)).length,
  }));
}

function allCases(): Case[] {
  const cases: Case[] = [];
  for (const [crashPoint, point] of NAMED) {
    for (const act of ACTS) {
      const run = point === "draining" ? whileDraining(act) : atPoint(point, act, "payment");
      cases.push({ crashPoint, where: point, act, run });
      if (IN_TRANSACTION.includes(point)) {
        cases.push({ crashPoint, where: `${point}, reversal`, act, run: atPoint(point, act, "reversal") });
      }
    }
  }
  for (const act of ["kill", "stop", "cut"] as const) {
    cases.push(
      { crashPoint: "CP10a COMMIT sent, not received", where: "line", act, run: atCommit("drop-and-cut", act) },
      { crashPoint: "CP10b received, not answered", where: "line", act, run: atCommit("pass-and-cut", act) },
      { crashPoint: "CP10c answer broken off", where: "line", act, run: atCommit("half", act) },
      { crashPoint: "CP12 half of the reply sent", where: "line", act, run: halfAReply(act) },
    );
  }
  cases.push(
    { crashPoint: "CP01 body incomplete", where: "line", act: "kill", run: halfABody },
    { crashPoint: "CP17 in a migration", where: "each migration", act: "kill", run: inMigrations },
  );
  for (const name of ["ledger_restore_attempts", "ledger_open_divergences", "ledger_ensure_month_partitions"]) {
    cases.push({ crashPoint: "CP18 housekeeping", where: name, act: "kill", run: inHousekeeping(name) });
  }
  return cases;
}

async function finish(world: World, message: Message, place: Place): Promise<void> {
  const endMs = performance.now() + 2 * DEADLINE_MS;
  for (;;) {
    const { reply } = await world.send(message, place);
    if (isDefinite(reply)) break;
    if (performance.now() > endMs) {
      world.violate("unresolved", message["traxId"] ?? null, "no definite answer from the host that went on");
      return;
    }
    await sleep(50);
  }
  await world.send(message, place);
}

function atPoint(point: PostingPoint, act: Act, family: "payment" | "reversal"): Case["run"] {
  return async ({ world, subject, other }) => {
    const { host } = subject;
    if (host === null) return false;
    const payment = world.payment();
    world.note(payment);
    const message = family === "payment" ? payment : reversalOf(payment);
    if (family === "reversal") {
      await world.send(payment, other);
      world.note(message);
    }
    await host.arm(point, act, { hangMs: HANG_MS });
    const first = world.send(message, subject);
    const wasReached = await until(() => host.reached.includes(point));
    if (act === "kill") await host.ended;
    if (act === "hang") {
      const { reply } = await first;
      await sleep(HANG_MS - DEADLINE_MS + 300);
      await assertNothingLater(world, message, point, reply !== null && isDefinite(reply));
    } else {
      const again = Promise.all([world.send(message, other), world.send(message, other)]);
      if (act === "stop") {
        await sleep(STANDSTILL_MS);
        host.thaw();
      }
      await Promise.all([first, again]);
    }
    await finish(world, message, other);
    // What it was armed for is over; the next case begins with a host that was never harmed.
    if (host.end === null) await host.kill();
    return wasReached;
  };
}

/** A wait inside the transaction that outlives the deadline: it was answered as not known, and must not be committed then. */
async function assertNothingLater(
  world: World,
  message: Message,
  point: PostingPoint,
  isAnswered: boolean,
): Promise<void> {
  if (isAnswered || !BEFORE_COMMIT.includes(point)) return;
  const family = message["transactionType"] === "51" ? "reversal" : "payment";
  const rows = await world.query(`select 1 from trax where trax_id = $1 and family = $2`, [message["traxId"], family]);
  if (rows.length > 0)
    world.violate("doubled", message["traxId"] ?? null, `committed after its deadline, from ${point}`);
}

function whileDraining(act: Act): Case["run"] {
  return async ({ world, subject, other }) => {
    const { host } = subject;
    if (host === null) return false;
    const payment = world.payment();
    world.note(payment);
    await host.arm("draining", act, { hangMs: 800 });
    const release = await holdBill(world, payment["billNumber"] ?? "");
    const first = world.send(payment, subject);
    await sleep(200);
    signal(host.pid, "SIGTERM");
    const wasReached = await until(() => host.reached.includes("draining"));
    if (act === "stop") {
      await sleep(STANDSTILL_MS);
      host.thaw();
    }
    await release();
    const { reply } = await first;
    if (act === "hang" && !isDefinite(reply))
      world.violate("late", payment["traxId"] ?? null, "cut off while draining");
    await host.ended;
    await finish(world, payment, other);
    return wasReached;
  };
}

/** Locks a bill's row, so that a payment of it stands in the middle of its transaction. */
export async function holdBill(world: World, billNumber: string): Promise<() => Promise<void>> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isHeld = (): void => {};
  const held = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const holding = onDatabase(world.adminUrl(), async (client) => {
    await client.query("begin");
    await client.query(`select 1 from bill where bill_number = $1 for update`, [billNumber]);
    isHeld();
    await released;
    await client.query("commit");
  });
  await held;
  return async () => {
    release();
    await holding;
  };
}

function atCommit(verdict: Verdict, act: "kill" | "stop" | "cut"): Case["run"] {
  return async ({ world, subject, other }) => {
    const { host } = subject;
    if (host === null) return false;
    const payment = world.payment();
    world.note(payment);
    // The transactions that a host begins with are over soon.
    await sleep(300);
    let isReached = false;
    subject.postgres.judge = (chunk, fromServer) => {
      const isIt = fromServer === (verdict === "half") && chunk.includes(fromServer ? "COMMIT\0" : "commit\0");
      if (isReached || !isIt) return "pass";
      isReached = true;
      if (act === "kill") void host.kill();
      if (act === "stop") host.freeze();
      return verdict;
    };
    const first = world.send(payment, subject);
    await until(() => isReached);
    if (act === "kill") await host.ended;
    const again = world.send(payment, other);
    if (act === "stop") {
      await sleep(STANDSTILL_MS);
      host.thaw();
    }
    await Promise.all([first, again]);
    await finish(world, payment, other);
    if (host.end === null) await host.kill();
    return isReached;
  };
}

function halfAReply(act: "kill" | "stop" | "cut"): Case["run"] {
  return async ({ world, subject, other }) => {
    const { host } = subject;
    if (host === null) return false;
    const payment = world.payment();
    world.note(payment);
    const link = await openLink(Number(new URL(host.url).port));
    let isReached = false;
    link.judge = (_, fromServer) => {
      if (!fromServer || isReached) return "pass";
      isReached = true;
      if (act === "kill") void host.kill();
      if (act === "stop") host.freeze();
      return "half";
    };
    const behind: typeof host = Object.create(host, {
      url: { value: `http://127.0.0.1:${link.port}` },
      isDoomed: { value: true },
    }) as typeof host;
    await world.history.send(behind, payment, DEADLINE_MS);
    if (act === "stop") {
      await sleep(STANDSTILL_MS);
      host.thaw();
    }
    await finish(world, payment, other);
    await link.close();
    if (host.end === null) await host.kill();
    return isReached;
  };
}

/** Half a message, then the end of the host: nothing may be left of it. */
async function halfABody({ world, subject, other }: Bench): Promise<boolean> {
  const { host } = subject;
  if (host === null) return false;
  const payment = world.payment();
  world.note(payment);
  const body = JSON.stringify(payment);
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `POST /finpay/billing HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n` +
      body.slice(0, body.length / 2),
  );
  await sleep(200);
  await host.kill();
  socket.destroy();
  const rows = await world.query(`select 1 from trax where trax_id = $1`, [payment["traxId"]]);
  if (rows.length > 0) world.violate("tampered", payment["traxId"] ?? null, "stored from half a message");
  await finish(world, payment, other);
  return true;
}

/** Killed in each migration in turn, two others at once then bring an empty database up to date. */
async function inMigrations({ stage, world }: Bench): Promise<boolean> {
  if (!(await migrationsSurvive(stage, stage.build))) world.violate("host", null, "a migration stays broken");
  return true;
}

/** Whether migrations that were killed halfway can be run again. */
export async function migrationsSurvive({ servers: { postgres } }: Stage, build: Stage["build"]): Promise<boolean> {
  const admin = new URL(postgres.urls.superuserUrl);
  admin.pathname = "/postgres";
  const name = `m_${randomBytes(6).toString("hex")}`;
  const owner = new URL(postgres.urls.ownerUrl);
  owner.pathname = `/${name}`;
  await onDatabase(admin.toString(), (client) => client.query(`create database ${name} owner biller_owner`));
  try {
    let dieAt = 1;
    while ((await migrate(build, owner.toString(), dieAt)) === null) dieAt += 1;
    const codes = await Promise.all([migrate(build, owner.toString()), migrate(build, owner.toString())]);
    return codes.every((code) => code === 0);
  } finally {
    await onDatabase(admin.toString(), (client) => client.query(`drop database ${name} with (force)`));
  }
}

/** Killed at a statement that a host begins its life with; the next one begins and works all the same. */
function inHousekeeping(statement: string): Case["run"] {
  return async ({ world, subject, other }) => {
    await subject.host?.kill();
    let isReached = false;
    subject.postgres.judge = (chunk) => {
      if (!isReached && chunk.includes(statement)) {
        isReached = true;
        return "pass-and-cut";
      }
      return "pass";
    };
    // The cut may come before it listens: then it says that it could not start, which is what it should do.
    await world.start(subject).catch(() => null);
    await until(() => isReached);
    await subject.host?.kill();
    subject.postgres.judge = null;
    await world.start(subject);
    const payment = world.payment();
    world.note(payment);
    await finish(world, payment, subject);
    await finish(world, payment, other);
    return isReached;
  };
}
