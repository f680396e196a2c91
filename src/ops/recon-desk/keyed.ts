import { createHash } from "node:crypto";
import { Fault, type Statement, type Tx } from "../../platform";

/** A request that may come again, and the key that its sender gave it; null: none. */
export interface RepeatableRequest {
  readonly person: string;
  /** 8 to 128 printable characters. */
  readonly key: string | null;
  /** Method and address, and the body as it was read. */
  readonly what: string;
}

/** What was answered. */
export interface KeyedAnswer {
  readonly status: number;
  /** JSON text: a repeat gets the same bytes. */
  readonly body: string;
  readonly isReplay: boolean;
}

const LOCK: Statement = {
  name: "ops_lock_request_key",
  isWrite: true,
  text: `select pg_advisory_xact_lock(hashtextextended('biller:keyed-request ' || $1 || chr(31) || $2, 0))`,
};
const FIND: Statement = {
  name: "ops_find_keyed_request",
  text: `select fingerprint, http_status, reply_body from keyed_request where person = $1 and request_key = $2`,
};
const INSERT: Statement = {
  name: "ops_insert_keyed_request",
  isWrite: true,
  text: `
    insert into keyed_request (person, request_key, fingerprint, http_status, reply_body)
    values ($1, $2, $3::bytea, $4::smallint, $5)`,
};

/**
 * Does what a request asks for once for each key: a repeat gets the stored answer. One that comes while the first is at work
 * waits for it. What ends in a fault is not stored, and can be tried again under the same key.
 *
 * @throws Fault `key_reused`: the key was used for another request
 */
export async function onceForKey(
  tx: Tx,
  { person, key, what }: RepeatableRequest,
  work: (tx: Tx) => Promise<{ readonly status: number; readonly body: string }>,
): Promise<KeyedAnswer> {
  if (key === null) return { ...(await work(tx)), isReplay: false };
  const who = person.trim().toLowerCase();
  const fingerprint = createHash("sha256").update(what, "utf8").digest();
  await tx.run(LOCK, [who, key]);
  const [known] = await tx.run<{ fingerprint: Buffer; http_status: number; reply_body: string }>(FIND, [who, key]);
  if (known !== undefined) {
    if (!known.fingerprint.equals(fingerprint)) {
      throw new Fault("key_reused", "this Idempotency-Key was used for another request: every request needs its own");
    }
    return { status: known.http_status, body: known.reply_body, isReplay: true };
  }
  const { status, body } = await work(tx);
  await tx.run(INSERT, [who, key, fingerprint, status, body]);
  return { status, body, isReplay: false };
}
