import { type Command, Option } from "commander";
import { type EventState, type Lane, listEvents, replayEvents } from "../../callbacks";
import { Fault } from "../../platform";
import { recordOperatorAction } from "../../store";
import { operatorName } from "../operator-name";
import { print, printJson, printTable } from "../output";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

/** `callback list`, `callback replay`. */
export function callbackCommands(program: Command): void {
  const callback = program
    .command("callback")
    .description("what merchants were told and customers were mailed, and what could not be delivered");

  callback
    .command("list")
    .description("events, the latest first")
    .addOption(new Option("--state <state>", "only these").choices(["waiting", "delivered", "dead"]))
    .addOption(new Option("--lane <lane>", "only callbacks to merchants, or only mail").choices(["callback", "email"]))
    .option("--merchant <serviceId>", "only of this merchant")
    .option("--json", "machine-readable output")
    .action(async (options: { state?: EventState; lane?: Lane; merchant?: string; json?: true }) => {
      const { state = null, lane = null, merchant: serviceId = null } = options;
      const filter = { state, lane, serviceId, limit: 200 };
      const events = await withServices((services) =>
        withOwner(services, ({ transact }) => transact((tx) => listEvents(tx, filter))),
      );
      if (options.json) {
        printJson(events);
        return;
      }
      if (events.length === 0) print("none");
      else {
        printTable(
          ["event", "merchant", "bill", "what", "state", "attempts", "next attempt (UTC)", "last fault"],
          events.map((each) => [
            ...[each.eventId, each.serviceId, each.billKey, each.kind, each.state, String(each.attempts)],
            each.state === "waiting" ? each.nextAttemptAt.toISOString().slice(0, 19).replace("T", " ") : "",
            each.lastFault ?? "",
          ]),
        );
      }
    });

  callback
    .command("replay <eventId...>")
    .description("send events again, under their own ids: dead letters, or any that somebody has lost")
    .action(async (eventIds: string[]) => {
      const wrong = eventIds.filter((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id));
      if (wrong.length > 0) throw new Fault("event_id", `no event id: ${wrong.join(", ")}`);
      const found = await withServices((services) =>
        withOwner(services, ({ transact }) =>
          transact(async (tx) => {
            const replayed = await replayEvents(tx, eventIds);
            for (const eventId of replayed) {
              await recordOperatorAction(tx, {
                actor: operatorName(),
                action: "callback.replay",
                object: `event:${eventId}`,
              });
            }
            return replayed;
          }),
        ),
      );
      const missing = eventIds.filter((id) => !found.includes(id.toLowerCase()));
      print(`${found.length} will be sent again by a running host`);
      if (missing.length > 0) throw new Fault("event_id", `not found, or being sent just now: ${missing.join(", ")}`);
    });
}
