import { type Actor, actorText } from "../../domain";
import type { Statement, Tx } from "../../platform";
import { recordOperatorAction } from "../../store";

export { type Actor, PERSON_NAME } from "../../domain";

/** What happened to an item of the queue. `changed`, `reopened` and `lapsed` are what runs find, not what people do. */
export type EventKind =
  | "note"
  | "assigned"
  | "carried"
  | "closed"
  | "changed"
  | "reopened"
  | "proposed"
  | "approved"
  | "refused"
  | "withdrawn"
  | "lapsed";

/** One step of an item's history. */
export interface HistoryEvent {
  readonly at: Date;
  readonly kind: EventKind;
  readonly actor: string;
  readonly via: string;
  readonly detail: string;
}

const INSERT: Statement = {
  name: "ops_insert_exception_event",
  isWrite: true,
  text: `insert into exception_event (item_id, kind, actor, via, detail) values ($1::uuid, $2, $3, $4, $5)`,
};

/** Writes a step into an item's history and, as an operator action, into what is sealed. */
export async function recordEvent(
  tx: Tx,
  actor: Actor,
  event: { readonly itemId: string; readonly kind: EventKind; readonly detail: string; readonly after?: unknown },
): Promise<void> {
  const { itemId, kind, detail, after } = event;
  await tx.run(INSERT, [itemId, kind, actor.name, actor.via, detail]);
  await recordOperatorAction(tx, {
    actor: actorText(actor),
    action: `exception.${kind}`,
    object: `exception:${itemId}`,
    detail,
    ...(after === undefined ? {} : { after }),
  });
}

const READ: Statement = {
  name: "ops_read_exception_events",
  text: `select at, kind, actor, via, detail from exception_event where item_id = $1::uuid order by event_id`,
};

/** Everything that happened to an item, the earliest first. */
export function readHistory(tx: Tx, itemId: string): Promise<HistoryEvent[]> {
  return tx.run<HistoryEvent>(READ, [itemId]);
}
