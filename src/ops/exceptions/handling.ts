import { dateAfter, FILE_KINDS, moneyActionsFor } from "../../domain";
import { Fault, type Statement, type Tx } from "../../platform";
import { type Actor, recordEvent } from "./history";
import { lockProfileOfItem } from "./items";
import { type QueueItem, readItem } from "./queue";

const SET_OWNER: Statement = {
  name: "ops_set_exception_owner",
  isWrite: true,
  text: `
    insert into exception_handling (item_id, owner) values ($1::uuid, $2)
    on conflict (item_id) do update set owner = excluded.owner`,
};
const SET_CARRIED: Statement = {
  name: "ops_set_exception_carried",
  isWrite: true,
  text: `
    insert into exception_handling (item_id, carried_to) values ($1::uuid, $2::date)
    on conflict (item_id) do update set carried_to = excluded.carried_to`,
};
const CLOSE: Statement = {
  name: "ops_close_exception",
  isWrite: true,
  text: `
    update exception set closed_at = clock_timestamp(), closed_because = $2
     where exception_id = $1::uuid and closed_at is null returning exception_id`,
};

/** What one person may do about an item alone: nothing of it moves money. */
export type PlainAction =
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "assign"; readonly owner: string }
  /** It is looked at again on another business date; until the end of that day it is not overdue. */
  | { readonly kind: "carry"; readonly today: string; readonly to: string | null; readonly text: string }
  /** Of what payments opened and moved nothing, or is well as it is. A finding is closed by what explains its money. */
  | { readonly kind: "close"; readonly text: string };

const CARRY_DAYS_MAX = 31;

/** Money of these stands somewhere until it is moved: closing would leave it there. */
const HOLDS_MONEY: readonly string[] = ["suspense"];
/** About files: two people close these, or the file that comes. */
const NEEDS_TWO: readonly string[] = FILE_KINDS;

/** @throws Fault `no_exception`, `closed`, `not_possible` */
export async function handleItem(tx: Tx, actor: Actor, itemId: string, action: PlainAction): Promise<QueueItem> {
  const found = await readItem(tx, itemId);
  // A note changes nothing of the item: it waits for no run.
  if (action.kind !== "note") await lockProfileOfItem(tx, found.itemId);
  const item = action.kind === "note" ? found : await readItem(tx, found.itemId);
  if (item.closedAt !== null && action.kind !== "note") {
    throw new Fault("closed", `exception ${item.itemId} is closed since ${item.closedAt.toISOString()}`);
  }
  switch (action.kind) {
    case "note":
      await recordEvent(tx, actor, { itemId: item.itemId, kind: "note", detail: action.text });
      return item;
    case "assign":
      await tx.run(SET_OWNER, [item.itemId, action.owner]);
      await recordEvent(tx, actor, { itemId: item.itemId, kind: "assigned", detail: `to ${action.owner}` });
      return { ...item, owner: action.owner };
    case "carry": {
      const carriedTo = action.to ?? dateAfter(action.today, 1);
      if (carriedTo <= action.today || carriedTo > dateAfter(action.today, CARRY_DAYS_MAX)) {
        throw new Fault("not_possible", `it can be carried to one of the ${CARRY_DAYS_MAX} days after ${action.today}`);
      }
      await tx.run(SET_CARRIED, [item.itemId, carriedTo]);
      await recordEvent(tx, actor, {
        itemId: item.itemId,
        kind: "carried",
        detail: `to ${carriedTo}: ${action.text}`,
      });
      return { ...item, carriedTo };
    }
    case "close": {
      if (item.itemKind === "finding" || HOLDS_MONEY.includes(item.class)) {
        throw new Fault("not_possible", `${item.class} is about money: accept, reverse or write off`);
      }
      if (NEEDS_TWO.includes(item.class)) {
        const [instead = ""] = moneyActionsFor(item.class);
        throw new Fault("not_possible", `${item.class} is closed by two people: propose ${instead}`);
      }
      if (item.proposalId !== null) throw new Fault("not_possible", "a proposal about it waits for a decision");
      if ((await tx.run(CLOSE, [item.itemId, action.text])).length === 0) throw new Fault("closed", "it is closed");
      await recordEvent(tx, actor, { itemId: item.itemId, kind: "closed", detail: action.text });
      return item;
    }
  }
}
