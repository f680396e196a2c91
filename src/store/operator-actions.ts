import { createHash, randomUUID } from "node:crypto";
import { type ActorText, canonicalJson } from "../domain";
import type { Statement, Tx } from "../platform";

/** Something that a person did to partners, products, keys, exceptions or settings. */
export interface OperatorAction {
  readonly actor: ActorText;
  /** What, as a word of ours: `partner.add`, `product.load`, `seal-key.new`. */
  readonly action: string;
  /** To what: `partner:finpay`, `product:001001`. */
  readonly object: string;
  /** What the object was; left out when it was not there. Only its hash is kept; a secret must not be in it all the same. */
  readonly before?: unknown;
  /** What it is now; left out when it is gone. Only its hash is kept. */
  readonly after?: unknown;
  /** For people; never a secret. Sealed as a salted hash, so it may be masked. */
  readonly detail?: string;
}

const INSERT: Statement = {
  name: "store_record_operator_action",
  isWrite: true,
  text: `
    insert into operator_action (action_id, actor, action, object, before_hash, after_hash, detail)
    values ($1, $2, $3, $4, $5, $6, $7)`,
};

/** Writes down an action, in the transaction of what it did. @returns its id */
export async function recordOperatorAction(tx: Tx, action: OperatorAction): Promise<string> {
  const actionId = randomUUID();
  const { actor, action: what, object, before, after, detail = "" } = action;
  await tx.run(INSERT, [actionId, actor, what, object, stateHash(before), stateHash(after), detail]);
  return actionId;
}

/** SHA-256 over the canonical JSON of a state; null for none. */
export function stateHash(state: unknown): Buffer | null {
  return state === undefined ? null : createHash("sha256").update(canonicalJson(state), "utf8").digest();
}
