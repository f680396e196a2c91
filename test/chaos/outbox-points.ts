import { sleep } from "../../src/platform";
import type { Act, Point } from "./child";
import { APPROVED_CODE } from "./history";
import { until, type WorldCase } from "./case";
import { reversalOf } from "./storms";
import { openWorld, type Place, type World } from "./world";

/** Longer than a claim of an event lasts in the copy that is tested. */
const LEASE_OVER_MS = 7_500;
const DEADLINE_MS = 4_000;
const PAYMENTS_MAX = 20;

const POINTS: readonly (readonly [crashPoint: string, point: Point])[] = [
  ["CP14 event claimed, not sent", "delivering"],
  ["CP15 delivered, not marked", "delivered"],
];

/** Something happens to a host that is delivering an event, alone or beside another one over the same outbox. */
export function outboxCases(): WorldCase[] {
  return POINTS.flatMap(([crashPoint, point]) =>
    [1, 2].flatMap((hosts) =>
      (["kill", "stop", "throw", "hang"] as const).map((act) => ({
        ...{ crashPoint, act, where: `${point}, ${hosts === 1 ? "one host" : "two hosts"}` },
        run: whileDelivering(point, act, hosts),
      })),
    ),
  );
}

/** One of these. */
export function whileDelivering(point: Point, act: Act, hosts: number): WorldCase["run"] {
  return async (stage) => {
    const world = await openWorld({ ...stage, bills: 10, shopBills: 40, deadlineMs: DEADLINE_MS });
    try {
      for (let n = 0; n < hosts; n++) await world.start(await world.addPlace());
      const [subject] = world.places as readonly [Place];
      const host = subject.host;
      if (host === null) throw new Error("the host did not start");
      await host.arm(point, act, { hangMs: LEASE_OVER_MS });
      // Whose turn it is to claim, nobody knows: payments are made until it was this host's.
      const paid = [];
      while (!host.reached.includes(point) && paid.length < PAYMENTS_MAX) {
        const payment = shopPayment(world);
        paid.push(payment);
        await world.send(payment, world.places.at(-1));
        await until(() => host.reached.includes(point), 400);
      }
      const wasReached = host.reached.includes(point);
      if (act === "kill") {
        await host.ended;
        await world.start(subject);
      }
      const untilMs = performance.now() + LEASE_OVER_MS;
      await goOn(world, act === "stop" && hosts === 1 ? null : act === "stop" ? world.places.at(-1) : subject, paid);
      if (act === "stop") {
        await sleep(Math.max(0, untilMs - performance.now()));
        host.thaw();
        await goOn(world, subject, paid);
      }
      await world.heal();
      await world.settle(8_000);
      return { wasReached, violations: await world.check(), world };
    } finally {
      await world.close();
    }
  };
}

function shopPayment(world: World) {
  const payment = world.payment({ ...world.freshShopBill() });
  world.note(payment);
  return payment;
}

/**
 * While one event stands still, payments go on as ever, and further events of the same bills wait for their turn: each bill
 * is reversed and paid again.
 */
async function goOn(
  world: World,
  place: Place | null | undefined,
  paid: ReturnType<typeof shopPayment>[],
): Promise<void> {
  if (!place) return;
  for (const payment of paid.splice(0)) {
    const again = world.payment({ billNumber: payment["billNumber"] ?? "", amount: payment["amount"] ?? "" });
    const reversal = reversalOf(payment);
    for (const message of [reversal, again]) {
      world.note(message);
      await world.send(message, place);
    }
  }
  const others = [world.payment(), shopPayment(world), world.payment()];
  for (const message of others) world.note(message);
  for (const { reply, traxId } of await Promise.all(others.map((message) => world.send(message, place)))) {
    if (reply?.code !== APPROVED_CODE)
      world.violate("unresolved", traxId, "not approved while an event was being delivered");
  }
}
