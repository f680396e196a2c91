import { sleep } from "../../src/platform";
import { paymentMessage } from "../support/builders";
import type { Chance } from "../fuzz/random";
import type { Message } from "./history";
import type { World } from "./world";

/** What a storm is made of. */
export const STORMS = ["same", "amounts", "rivals", "reversals", "declines", "tombstones"] as const;
export type StormKind = (typeof STORMS)[number];

/** The reversal of a payment: its own body and traxId. */
export function reversalOf(payment: Message, changes: Message = {}): Message {
  const { signature: _, ...rest } = payment;
  return paymentMessage({ ...rest, transactionType: "51", ...changes });
}

/** The same traxId with other money, or of another bill: one character that a thief would change. */
export function tamperedWith(chance: Chance, payment: Message, otherBill: string): Message {
  const { signature: _, ...rest } = payment;
  const amount = BigInt(payment["amount"] ?? "0");
  const changes = chance.pick<Message>([
    { amount: String(amount + 1n) },
    { amount: String(amount - 1n) },
    { amount: "1" },
    { feeAmount: payment["feeAmount"] === "0" ? "5000" : "0" },
    { billNumber: otherBill },
  ]);
  return paymentMessage({ ...rest, ...changes });
}

/**
 * One storm of duplicates, over all hosts in turn: each message several times at once, and some again later. All that has
 * to get a definite answer in the end is noted.
 */
export async function storm(
  world: World,
  chance: Chance,
  kind: StormKind,
  copies = chance.between(3, 8),
): Promise<void> {
  const payment = world.payment();
  const [now, later] = messagesOf(world, chance, kind, payment, copies);
  await sendAll(world, shuffled(chance, now));
  await sleep(chance.between(0, 400));
  await sendAll(world, shuffled(chance, later));
}

function messagesOf(
  world: World,
  chance: Chance,
  kind: StormKind,
  payment: Message,
  copies: number,
): [Message[], Message[]] {
  const again = (message: Message): Message[] => Array<Message>(chance.between(1, 3)).fill(message);
  const many = (message: Message): Message[] => Array<Message>(copies).fill(message);
  switch (kind) {
    case "same":
      world.note(payment);
      return [many(payment), again(payment)];
    case "amounts": {
      // Whoever is first is judged; so none of them is noted but by its traxId.
      world.note(payment);
      const other = world.freshBill().billNumber;
      const changed = Array.from({ length: 3 }, () => tamperedWith(chance, payment, other));
      return [
        [...many(payment), ...(chance.oneIn(2) ? changed : [])],
        [...changed, payment],
      ];
    }
    case "rivals": {
      const { billNumber, amount } = payment as { billNumber: string; amount: string };
      const rivals = Array.from({ length: chance.between(1, 3) }, () => world.payment({ billNumber, amount }));
      const all = [payment, ...rivals];
      for (const each of all) world.note(each);
      return [all.flatMap((each) => [each, each, each]), all];
    }
    case "reversals": {
      const reversal = reversalOf(payment);
      world.note(payment);
      world.note(reversal);
      const next = world.payment({ billNumber: payment["billNumber"] ?? "", amount: payment["amount"] ?? "" });
      world.note(next);
      const isAtOnce = chance.oneIn(2);
      return [
        [...many(payment), ...(isAtOnce ? again(reversal) : [])],
        [...again(reversal), ...again(payment), ...again(next)],
      ];
    }
    case "declines": {
      const wrong = world.payment({ billNumber: payment["billNumber"] ?? "", amount: "1" });
      const nobodys = world.payment({ billNumber: "0021999999999", amount: "000000030000" });
      for (const each of [wrong, nobodys, payment]) world.note(each);
      return [
        [...many(wrong), ...many(nobodys)],
        [payment, ...again(wrong), ...again(nobodys)],
      ];
    }
    case "tombstones": {
      const reversal = reversalOf(payment);
      world.note(reversal);
      world.note(payment);
      return [again(reversal), [...many(payment), reversal]];
    }
  }
}

async function sendAll(world: World, messages: readonly Message[]): Promise<void> {
  await Promise.all(messages.map((message) => world.send(message)));
}

function shuffled<T>(chance: Chance, items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(chance.below(left.length), 1)[0] as T);
}
