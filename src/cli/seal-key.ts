import { randomBytes } from "node:crypto";
import type { KeyStatement } from "../domain";
import { addSealKey, listSealKeys } from "../ledger";
import { recordOperatorAction } from "../store";
import { operatorName } from "./operator-name";
import type { DatabaseContext } from "./with-database";

/** Makes the next signing key, and writes down who did. */
export function newSealKey({ transact, secrets }: DatabaseContext): Promise<KeyStatement> {
  return transact(async (tx) => {
    const made = await addSealKey(tx, secrets, randomBytes(32), new Date().toISOString());
    await recordOperatorAction(tx, {
      ...{ actor: operatorName(), action: "seal-key.new", object: `seal-key:${made.keyId}` },
      after: made,
      detail: made.previousKeyId === null ? "the first key" : `follows ${made.previousKeyId}`,
    });
    return made;
  });
}

/** Makes the first signing key unless there is one. @returns its id, or null */
export async function ensureSealKey(context: DatabaseContext): Promise<string | null> {
  const keys = await context.transact(listSealKeys);
  return keys.length > 0 ? null : (await newSealKey(context)).keyId;
}
