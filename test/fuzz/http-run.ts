import type { TestDatabase } from "../support/services";
import { brokenLaws } from "../support/laws";
import { type HttpCase, httpCase, type World } from "./http-cases";
import { type Answer, RawConnection } from "./http-client";
import { Chance } from "./random";

/** What all cases of one kind led to. */
export interface KindResult {
  readonly kind: string;
  readonly cases: number;
  readonly answers: number;
  /** Answers by first digit of the status. */
  readonly byClass: Readonly<Record<string, number>>;
  readonly closed: number;
}

/** What a run found. */
export interface HttpResult {
  readonly kinds: readonly KindResult[];
  readonly failures: readonly string[];
  readonly paid: number;
}

/** What to send, where, and how much at once. */
export interface HttpRun {
  readonly port: number;
  readonly database: TestDatabase;
  readonly world: World;
  readonly count: number;
  readonly connections: number;
  /** Called about once a second. */
  readonly onProgress?: (sent: number, answers: number) => void;
}

const FAILURES_KEPT = 20;
/** A payment may take its whole deadline of 8 s; nothing may take longer. */
const ANSWER_LIMIT_MS = 9_000;
/** How long an act that may go without an answer is watched for one, and for more than one; then the connection ends. */
const WATCH_MS = 400;
const WATCH_MORE_MS = 20;

/** Sends `count` hostile requests and looks at every answer; then at the database. */
export async function fuzzHttp(run: HttpRun): Promise<HttpResult> {
  const tallies = new Map<
    string,
    { cases: number; answers: number; byClass: Record<string, number>; closed: number }
  >();
  const failures: string[] = [];
  const [mayStore, mayMove, mustPay] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let next = 0;
  let answered = 0;

  async function worker(): Promise<void> {
    const chance = new Chance();
    let connection: RawConnection | null = null;
    while (next < run.count) {
      const index = next++;
      chance.reseed(run.world.seed, 101, index);
      const test = httpCase(chance, index, run.world);
      for (const traxId of test.mayStore) mayStore.add(traxId);
      for (const traxId of test.mayMove) mayMove.add(traxId);
      if (test.mustPay !== undefined) mustPay.add(test.mustPay);
      if (connection === null || connection.isClosed || test.count === null) {
        if (test.count === null) connection?.destroy();
        connection = new RawConnection(run.port);
      }
      const problems: string[] = [];
      const { pieces, count, isShort = false, noBody = false } = test;
      const timeoutMs = count === null ? (isShort ? WATCH_MORE_MS : WATCH_MS) : ANSWER_LIMIT_MS;
      const seen = await connection.exchange(pieces, { count: count ?? 1, timeoutMs, noBody });
      const answers = [...seen.answers];
      let { isClosed } = seen;
      if (count === null) {
        const more = await connection.exchange([], { count: Infinity, timeoutMs: WATCH_MORE_MS, noBody });
        answers.push(...more.answers);
        if (!(await connection.end(ANSWER_LIMIT_MS))) problems.push("the connection was left open after its end");
        isClosed = true;
        connection = null;
      } else if (answers.length < count) {
        problems.push(
          `${answers.length} of ${count} answers${seen.isLate ? " in time" : " before the connection closed"}`,
        );
        connection.destroy();
        connection = null;
      }
      problems.push(...problemsOf(test, answers));
      answered += answers.length;
      const tally = tallies.get(test.kind) ?? { cases: 0, answers: 0, byClass: {}, closed: 0 };
      tallies.set(test.kind, tally);
      tally.cases += 1;
      tally.answers += answers.length;
      if (isClosed) tally.closed += 1;
      for (const { status } of answers) {
        const digit = `${Math.floor(status / 100)}xx`;
        tally.byClass[digit] = (tally.byClass[digit] ?? 0) + 1;
      }
      if (problems.length > 0 && failures.length < FAILURES_KEPT) {
        const request = Buffer.concat([...pieces]).toString("latin1");
        failures.push(JSON.stringify({ kind: test.kind, seed: run.world.seed, index, problems, request, answers }));
      }
    }
    connection?.destroy();
  }

  const timer = setInterval(() => run.onProgress?.(next, answered), 1_000);
  await Promise.all(Array.from({ length: run.connections }, worker));
  clearInterval(timer);
  failures.push(...(await problemsOfBooks(run.database, { mayStore, mayMove, mustPay })));
  const kinds = [...tallies].map(([kind, tally]) => ({ kind, ...tally }));
  return { kinds: kinds.toSorted((a, b) => b.cases - a.cases), failures, paid: mustPay.size };
}

/** Everything that is wrong with the answers to one act. */
function problemsOf(test: HttpCase, answers: readonly Answer[]): string[] {
  const problems: string[] = [];
  for (const [at, { status, headers, body }] of answers.entries()) {
    if (!(status >= 200 && status < 500)) problems.push(`status ${status}`);
    if (headers["x-injected"] !== undefined) problems.push("a header was injected");
    if (body === "" || headers["content-type"]?.startsWith("text/plain; version=")) continue;
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(body) as Record<string, unknown>;
    } catch {
      problems.push("the body is no JSON");
      continue;
    }
    const { resultCode, error, traxId } = value;
    const isPlatform = value["status"] !== undefined || value["openapi"] !== undefined;
    if (typeof resultCode !== "string" && typeof error !== "string" && !isPlatform)
      problems.push("neither resultCode nor error");
    if (/node_modules|\/src\/|\bat (?:async )?\S+ \(|\.[jt]s:[0-9]+/.test(body)) problems.push("shows a stack");
    if (typeof resultCode === "string") problems.push(...problemsOfReply(value));
    if (resultCode === "00" && !test.mayApprove.has(String(traxId)))
      problems.push("approved what is not authentic and whole");
    if (resultCode === "68") problems.push("an unknown outcome although nothing is broken");
    if (test.echoes !== undefined && traxId !== test.echoes[at]) problems.push(`answer ${at} echoes another traxId`);
    if (test.mustPay !== undefined && resultCode !== "00")
      problems.push(`a good payment was answered ${String(resultCode)}`);
  }
  return problems;
}

const REPLY_TEXTS =
  "bit61 resultCode resultDesc sysCode productCode terminal transactionType amount feeAmount bit48 traxId timeStamp timeStampServer".split(
    " ",
  );

function problemsOfReply(reply: Readonly<Record<string, unknown>>): string[] {
  const bad = REPLY_TEXTS.filter((name) => typeof reply[name] !== "string" || !/^[ -~]*$/.test(reply[name]));
  const problems = bad.map((name) => `${name} of the reply is not printable text`);
  if (!/^[0-9]{2,4}$/.test(String(reply["resultCode"]))) problems.push("resultCode is not two to four digits");
  if (typeof reply["customerData"] !== "object" || reply["customerData"] === null)
    problems.push("customerData is no object");
  return problems;
}

/** Whether anything is in the books that should not be, or is not that should. */
async function problemsOfBooks(
  database: TestDatabase,
  { mayStore, mayMove, mustPay }: Readonly<Record<"mayStore" | "mayMove" | "mustPay", ReadonlySet<string>>>,
): Promise<string[]> {
  const problems = await brokenLaws(database);
  const stored = await database.query<{ trax_id: string; result_code: string }>(
    `select trax_id, result_code from trax`,
  );
  const moved = await database.query<{ trax_id: string; amount: bigint }>(
    `select trax_id, amount::text from journal_entry`,
  );
  for (const { trax_id } of stored)
    if (!mayStore.has(trax_id)) problems.push(`stored, but never validly sent: ${trax_id}`);
  for (const { trax_id, amount } of moved) {
    if (!mayMove.has(trax_id)) problems.push(`moved money, but was no right payment: ${trax_id}`);
    if (String(amount) !== "30000") problems.push(`moved another amount: ${trax_id}`);
  }
  const paid = new Set(moved.map(({ trax_id }) => trax_id));
  for (const traxId of mustPay) if (!paid.has(traxId)) problems.push(`a good payment is not in the journal: ${traxId}`);
  return problems.slice(0, FAILURES_KEPT);
}
