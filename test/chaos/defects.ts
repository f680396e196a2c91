import type { Edit } from "./build";
import type { ScenarioName } from "./scenarios";

/** A mistake that somebody could make: the product with it must not pass. */
export interface Defect {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The smallest runs that should find it, in the order in which they are tried. */
  readonly scenarios: readonly ScenarioName[];
  /** Its migrations are changed: it needs a schema of its own. */
  readonly ownSchema?: true;
}

const DB = "src/platform/db.ts";
const TRANSACTION = "src/platform/transaction.ts";
const POSTING = "src/flows/post-payments.ts";
const REVERSAL = "src/flows/post-reversal.ts";
const DESK = "src/flows/keyed-desk.ts";
const ANSWER = "src/flows/answer-message.ts";
const JOURNAL = "src/flows/attempt-journal.ts";
const TRAX = "src/ledger/trax.ts";
const BILLS = "src/store/bills.ts";
const LOCK = "src/platform/key-lock.ts";
const DECIDE = "src/domain/payment.ts";
const DECIDE_REVERSAL = "src/domain/reversal.ts";
const LANE = "src/callbacks/lane.ts";
const OUTBOX = "src/callbacks/outbox.ts";
const BLOCKS = "src/ledger/seal/blocks.ts";
const SCHEMA = "migrations/003-ledger.ts";
const MANUAL_SCHEMA = "migrations/019-manual-postings.ts";

const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });

const UNIQUE_KEY_DROPPED = [
  edit(SCHEMA, "constraint trax_pkey primary key (partner_id, trax_id, family),", ""),
  edit(
    MANUAL_SCHEMA,
    "create unique index trax_payment_key on trax (partner_id, trax_id)",
    "create index trax_payment_key on trax (partner_id, trax_id)",
  ),
  edit(TRAX, "on conflict do nothing", ""),
];
const CLAIM_WITHOUT_VERSION = edit(
  BILLS,
  "where b.bill_key = c.bill_key and b.version = c.expected_version",
  "where b.bill_key = c.bill_key",
);
const TAG_IGNORED = edit(TRANSACTION, `if (tag !== "COMMIT") throw`, `if (tag === "") throw`);

/** Seeded defects. Each is applied to a copy of the sources. */
export const DEFECTS: readonly Defect[] = [
  { name: "unique key dropped", edits: UNIQUE_KEY_DROPPED, scenarios: ["storms of declines"], ownSchema: true },
  {
    name: "check, then insert: a taken key is ignored",
    edits: [
      edit(POSTING, "if (!(await appendTrax(tx, records))) throw new KeyTaken();", "await appendTrax(tx, records);"),
    ],
    scenarios: ["storms of declines"],
  },
  {
    name: "reply before COMMIT",
    edits: [edit(TRANSACTION, "  await commit(session, deadline);", "  commit(session, deadline).catch(() => {});")],
    scenarios: ["COMMIT not received"],
  },
  { name: "COMMIT's tag ignored", edits: [TAG_IGNORED], scenarios: ["COMMIT answered ROLLBACK"] },
  {
    name: "error swallowed in the transaction",
    edits: [
      TAG_IGNORED,
      edit(POSTING, "if (!(await appendTrax(tx, records)))", "if (!(await appendTrax(tx, records).catch(() => true)))"),
    ],
    scenarios: ["server refuses one bill"],
  },
  { name: "bill claimed without its version", edits: [CLAIM_WITHOUT_VERSION], scenarios: ["storms of rivals"] },
  {
    name: "the lock as the only guard",
    edits: [...UNIQUE_KEY_DROPPED, CLAIM_WITHOUT_VERSION],
    scenarios: ["Redis grants all"],
    ownSchema: true,
  },
  {
    name: "replay made anew instead of stored",
    edits: [
      edit(
        POSTING,
        "reply: { body: decision.known.replyBody, fields: null }",
        "reply: replyWithout(message, partner, decision.known.outcome, { sysCode: deps.ids.sysCode(), serverMicros: deps.clock.nowMicros() })",
      ),
    ],
    scenarios: ["storms"],
  },
  {
    name: "amount not compared",
    edits: [
      edit(
        DECIDE,
        `export const HARD_FIELDS = ["productCode", "billNumber", "amount", "feeAmount"] as const;`,
        `export const HARD_FIELDS = ["productCode", "billNumber", "feeAmount"] as const;`,
      ),
    ],
    scenarios: ["tampering"],
  },
  {
    name: "amounts compared as floating-point numbers",
    edits: [
      edit(
        DECIDE,
        "HARD_FIELDS.filter((field) => known[field] !== request[field])",
        "HARD_FIELDS.filter((field) => { const [a, b] = [known[field], request[field]]; return typeof a === 'bigint' ? Math.fround(Number(a)) !== Math.fround(Number(b)) : a !== b; })",
      ),
    ],
    scenarios: ["tampering"],
  },
  {
    name: "any amount taken",
    edits: [edit(DECIDE, `if (!isRightAmount(`, `if (false && !isRightAmount(`)],
    scenarios: ["tampering"],
  },
  {
    name: "any fee taken",
    edits: [edit(DECIDE, `if (request.feeAmount !== (quote ?? bill).feeAmount)`, `if (request.feeAmount < 0n)`)],
    scenarios: ["tampering"],
  },
  {
    name: "conflict answered with the stored reply",
    edits: [
      edit(
        DECIDE,
        `if (differing.length > 0) return { kind: "conflict", differing };`,
        `if (differing.length > 0) return { kind: "replay", known };`,
      ),
    ],
    scenarios: ["tampering"],
  },
  {
    name: "a statement on the pool instead of in the transaction",
    edits: [
      edit(
        POSTING,
        "await appendTrax(tx, records)",
        "await appendTrax({ run: (statement, values) => deps.db.run(deadline, statement, values) } as Tx, records)",
      ),
    ],
    scenarios: ["killed before COMMIT"],
  },
  {
    name: "claim on the pool instead of in the transaction",
    edits: [
      edit(
        POSTING,
        "await claimBills(tx, claims)",
        "await claimBills({ run: (statement, values) => deps.db.run(items[0]!.deadline, statement, values) } as Tx, claims)",
      ),
    ],
    scenarios: ["killed before COMMIT"],
  },
  {
    name: "declines not sticky",
    edits: [
      edit(
        POSTING,
        "return stored(decision.outcome, replyWithout(message, partner, decision.outcome, stamp), null);",
        "return { work, decision, reply: replyWithout(message, partner, decision.outcome, stamp), record: null, exception };",
      ),
    ],
    scenarios: ["declines whose reason goes away"],
  },
  {
    name: "tombstone missing",
    edits: [
      edit(
        REVERSAL,
        `if (decision.kind === "bury") records.push(`,
        `if ((decision.kind as string) === "never") records.push(`,
      ),
    ],
    scenarios: ["storms of reversals"],
  },
  {
    name: "reversal does not mirror",
    edits: [edit(DECIDE_REVERSAL, `side: line.side === "debit" ? "credit" : "debit"`, "side: line.side")],
    scenarios: ["reversing"],
  },
  {
    name: "reversal leaves the bill paid",
    edits: [
      edit(
        DECIDE_REVERSAL,
        "paidAmount: bill.paidAmount - applied",
        "paidAmount: applied < 0n ? applied : bill.paidAmount",
      ),
    ],
    scenarios: ["reversing"],
  },
  {
    name: "reversal judged anew each time",
    edits: [edit(DECIDE_REVERSAL, `if (known !== null) return { kind: "replay", known };`, "")],
    scenarios: ["reversing"],
  },
  {
    name: "success repeated after the reversal",
    edits: [edit(DECIDE, "if (known.isReversed === true)", "if (known.isReversed === null)")],
    scenarios: ["reversing"],
  },
  {
    name: "unknown told as a decline",
    edits: [
      edit(
        ANSWER,
        `{ ...refuse(deps, "UNKNOWN", message, null, partner), retryAfterS: answer.isOverload ? 1 : null }`,
        `{ ...refuse(deps, "BAD_AMOUNT", message, null, partner), retryAfterS: answer.isOverload ? 1 : null }`,
      ),
    ],
    scenarios: ["line down"],
  },
  {
    name: "in process told as a decline",
    edits: [
      edit(
        ANSWER,
        `return refuse(deps, "IN_PROCESS", message, null, partner);`,
        `return refuse(deps, "ALREADY_PAID", message, null, partner);`,
      ),
    ],
    scenarios: ["killed with locks held"],
  },
  {
    name: "clock window before the key",
    edits: [
      edit(
        DECIDE,
        "  if (known !== null) {\n    const differing",
        `  if (!facts.isFresh) return { kind: "refuse", outcome: "BAD_AUTH" };\n  if (known !== null) {\n    const differing`,
      ),
    ],
    scenarios: ["late repeats"],
  },
  {
    name: "draining cuts what is in flight",
    edits: [
      edit(
        "src/http/app.ts",
        "if (inProgress.size === 0) whenIdle();\n      await closed;",
        "whenIdle();\n      await closed;",
      ),
    ],
    scenarios: ["draining"],
  },
  {
    name: "connection used again after a timeout",
    edits: [
      edit(
        TRANSACTION,
        "if (error instanceof DeadlinePassed || error instanceof CommitUnknown || error instanceof DatabaseUnavailable) {\n    return true;",
        "if (error instanceof DatabaseUnavailable) {\n    return true;",
      ),
    ],
    scenarios: ["connections stranded"],
  },
  {
    name: "no deadline on statements",
    edits: [
      edit(
        TRANSACTION,
        "    return await Promise.race([work, expiry]);",
        "    expiry.catch(() => {});\n    return await work;",
      ),
    ],
    scenarios: ["connections stranded"],
  },
  {
    name: "no rollback after a fault",
    edits: [edit(TRANSACTION, "if (!mustDiscard(error)) await rollBack(session, error);", "")],
    scenarios: ["storms of declines", "server refuses one bill"],
  },
  {
    name: "committed after the deadline",
    edits: [edit(TRANSACTION, `if (deadline.hasPassed()) throw new DeadlinePassed("preparing to commit");`, "")],
    scenarios: ["a wait beyond the deadline"],
  },
  {
    name: "attempts dropped when they cannot be written",
    edits: [
      edit(
        JOURNAL,
        "options.onFault(`attempts not written",
        "buffer = [];\n        options.onFault(`attempts not written",
      ),
    ],
    scenarios: ["attempts while PostgreSQL is away"],
  },
  {
    name: "no attempt for accepted payments",
    edits: [
      edit(
        "src/http/routes/switch.ts",
        "  deps.attempts.record(() => attemptOf(answer, { ...seen, attemptId }));",
        `  if (outcome !== "APPROVED") deps.attempts.record(() => attemptOf(answer, { ...seen, attemptId }));`,
      ),
    ],
    scenarios: ["storms"],
  },
  {
    name: "synchronous_commit off",
    edits: [
      edit(DB, `"-c timezone=UTC",`, `"-c timezone=UTC",\n        "-c synchronous_commit=off",`),
      edit("src/compose.ts", "  await assertDurable(db, config.allowUnsafeDurability);", ""),
    ],
    scenarios: ["PostgreSQL killed after replies"],
  },
  {
    name: "lock given back without its token",
    edits: [
      edit(
        LOCK,
        `if redis.call('get', key) == ARGV[1] then released`,
        `if redis.call('get', key) ~= false then released`,
      ),
    ],
    scenarios: ["a foreign lock"],
  },
  {
    name: "lock lives for a minute",
    edits: [edit("src/compose.ts", "const LOCK_TTL_MS = 3_000;", "const LOCK_TTL_MS = 60_000;")],
    scenarios: ["the holder dies"],
  },
  {
    name: "no payment without Redis",
    edits: [
      edit(LOCK, "return { ...unavailable(keys), release: () => release(names) };", "throw error;"),
      edit(LOCK, "if (keys.length === 0 || clock.monotonicMs() < restUntilMs) return", "if (keys.length === 0) return"),
    ],
    scenarios: ["Redis killed"],
  },
  {
    name: "no timeout for Redis",
    edits: [edit("src/platform/redis.ts", "    commandTimeout: commandTimeoutMs,\n", "")],
    scenarios: ["Redis frozen"],
  },
  {
    name: "append-only trigger dropped",
    edits: [
      edit(
        SCHEMA,
        `for (const table of ["trax", "journal_entry", "posting", "attempt", "bill_item"]) {`,
        `for (const table of ["attempt", "bill_item"]) {`,
      ),
    ],
    scenarios: ["storms"],
    ownSchema: true,
  },
  {
    name: "balance trigger dropped",
    edits: [
      edit(
        SCHEMA,
        "create trigger posting_balances after insert on posting\n      referencing new table as new_postings for each statement execute function check_postings_balance();",
        "",
      ),
    ],
    scenarios: ["storms"],
    ownSchema: true,
  },
  {
    name: "an entry without its fee's posting",
    edits: [
      edit(
        SCHEMA,
        "create trigger posting_balances after insert on posting\n      referencing new table as new_postings for each statement execute function check_postings_balance();",
        "",
      ),
      edit(
        TRAX,
        "entry.postings.map(({ accountCode, side, amount }, index)",
        "entry.postings.slice(0, 2).map(({ accountCode, side, amount }, index)",
      ),
    ],
    scenarios: ["storms"],
    ownSchema: true,
  },
  {
    name: "business date in local time",
    edits: [
      edit(
        "src/domain/business-date.ts",
        "  const hours = Number(cutOff.slice(0, 2));",
        "  const local = new Date(epochMs);\n  if (cutOff === '24:00') return `${local.getFullYear()}-${String(local.getMonth() + 1).padStart(2, '0')}-${String(local.getDate()).padStart(2, '0')}`;\n  const hours = Number(cutOff.slice(0, 2));",
      ),
    ],
    scenarios: ["storms"],
  },
  {
    name: "nobody listens for errors of connections",
    edits: [edit(DB, `    connection.on("error", onError);\n`, `    connection.removeAllListeners("error");\n`)],
    scenarios: ["sessions ended", "PostgreSQL killed after replies"],
  },
  {
    name: "one bad payment takes its batch along",
    edits: [
      edit(DESK, "if (items.length > 1 && !(fault instanceof DatabaseUnavailable)) {", "if (items.length > 1e9) {"),
    ],
    scenarios: ["server refuses one bill"],
  },
  {
    name: "an unanswered COMMIT taken for an answered one",
    edits: [
      edit(
        TRANSACTION,
        "throw new CommitUnknown(`no answer to COMMIT: ${messageOf(error)}`, { cause: error });",
        `return { tag: "COMMIT", warning: null };`,
      ),
    ],
    scenarios: ["COMMIT not received"],
  },
  {
    name: "migrations without a transaction, knex's own lock left behind",
    edits: [
      edit("src/platform/migrate.ts", "    await knex.migrate.forceFreeMigrationsLock(config);\n", ""),
      edit(
        "src/platform/migrate.ts",
        "return { tableName: TABLE,",
        "return { disableTransactions: true, tableName: TABLE,",
      ),
    ],
    scenarios: ["migrations"],
  },
  {
    name: "event put into the outbox outside of the transaction",
    edits: [
      edit(
        POSTING,
        "await tellOfPayments(tx, deps.ids,",
        "await tellOfPayments({ run: (statement, values) => deps.db.run(deadline, statement, values) } as Tx, deps.ids,",
      ),
    ],
    scenarios: ["killed before COMMIT, merchant's bill"],
  },
  {
    name: "event put into the outbox after the COMMIT",
    edits: [
      edit(POSTING, "    await tellOfPayments(tx, deps.ids, settled.flatMap(merchantPostingOf));\n", ""),
      edit(
        POSTING,
        `  await deps.reach("committed");\n  return decided.map(answerOf);`,
        `  await deps.reach("committed");\n  const pool = { run: (statement, values) => deps.db.run(deadline, statement, values) } as Tx;\n  await tellOfPayments(pool, deps.ids, decided.flatMap(merchantPostingOf));\n  return decided.map(answerOf);`,
      ),
    ],
    scenarios: ["killed after COMMIT, merchant's bill"],
  },
  {
    name: "event marked before it is delivered",
    edits: [
      edit(
        LANE,
        `      await options.reach?.("delivering");\n`,
        `      await transact((tx) => recordDelivery(tx, event, { durationMs: 0, httpStatus: 200, fault: null }, null));\n      await options.reach?.("delivering");\n`,
      ),
    ],
    scenarios: ["killed before a delivery"],
  },
  {
    name: "events of a bill in any order",
    edits: [edit(OUTBOX, "and not ($6::boolean and exists (", "and not ($6::boolean and false and exists (")],
    scenarios: ["a merchant refuses at first"],
  },
  {
    name: "a refused event taken for a delivered one",
    edits: [edit("src/callbacks/send.ts", "status >= 200 && status <= 299 ? null", "status >= 200 ? null")],
    scenarios: ["a merchant refuses at first"],
  },
  {
    name: "another event id each time",
    edits: [
      edit(
        "src/callbacks/dispatcher.ts",
        "signed(event, contact,",
        "signed({ ...event, eventId: event.eventId.slice(0, -1) + String(event.attempt % 10) }, contact,",
      ),
    ],
    scenarios: ["killed after a delivery"],
  },
  {
    name: "a claim for ever",
    edits: [
      edit(
        OUTBOX,
        "and (o.claimed_until is null or o.claimed_until < clock_timestamp())\n         and coalesce",
        "and o.claimed_until is null\n         and coalesce",
      ),
    ],
    scenarios: ["killed before a delivery"],
  },
  {
    name: "merchants not told of reversals",
    edits: [
      edit(
        REVERSAL,
        `await tellMerchant(deps, tx, instruction,`,
        `if ((decision.kind as string) === "never") await tellMerchant(deps, tx, instruction,`,
      ),
    ],
    scenarios: ["a merchant refuses at first"],
  },
  {
    name: "the chain of seals goes on from memory",
    edits: [
      edit(
        BLOCKS,
        `previous: before?.blockHash.toString("hex") ?? NO_BLOCK,`,
        `previous: (globalThis as { last?: string }).last ?? NO_BLOCK,`,
      ),
      edit(
        BLOCKS,
        "  const { blockHash, signature, leafHashes } = block;",
        `  const { blockHash, signature, leafHashes } = block;\n  (globalThis as { last?: string }).last = blockHash.toString("hex");`,
      ),
    ],
    scenarios: ["killed while sealing"],
  },
  {
    name: "an import without a transaction",
    edits: [
      edit(
        "src/ops/reconciliation/session.ts",
        "await client.query(`begin isolation level ${options.isolation}`);",
        "if (options.isolation === 'repeatable read') await client.query(`begin isolation level ${options.isolation}`);",
      ),
    ],
    scenarios: ["an import breaks off"],
  },
];
