import type { Command } from "commander";
import { configFromProcess, createLogger, Fault, messageOf, systemClock } from "../../platform";
import { shopSettingsFrom, startShop } from "../../simulator";
import { runDemo } from "../demo/run";
import { publicUrlFrom, readText, whole } from "../options";
import { say } from "../output";
import { untilStopped } from "../until-stopped";

interface DemoFlags {
  readonly port: number;
  readonly open?: true;
  readonly check?: true;
  readonly shortDue: number;
}

interface ShopFlags {
  readonly port: number;
  readonly host: string;
  readonly publicUrl?: string;
  readonly settingsFile: string;
}

/** `demo`: the whole way of a payment in a browser. `shop`: its merchant, which can be run alone. */
export function demoCommands(program: Command, exit: (code: number) => void): void {
  program
    .command("demo")
    .description("a customer pays a merchant's bill in your browser: host, simulated Finpay and shop in one command")
    .option("--port <port>", "first of three ports on 127.0.0.1; 0 for any free ones", whole(0, 65_533), 8090)
    .option("--open", "open the shop in the browser")
    .option("--check", "go the whole way without a browser, tell each step, and stop; exit code 1 when one fails")
    .option("--short-due <seconds>", "the short time to pay that the shop offers", whole(1, 3_600), 20)
    .action(async ({ port, open, check, shortDue }: DemoFlags) => {
      const options = { port, isOpened: open === true, isCheck: check === true, shortDueSeconds: check ? 2 : shortDue };
      exit(await runDemo(configFromProcess(), options));
    });

  program
    .command("shop")
    .description("a merchant's shop for demos: makes bills here, sends customers to Finpay's page (SIMULATION)")
    .option("--port <port>", "port to listen on; 0 for any", whole(0, 65_535), 8090)
    .option("--host <address>", "interface to listen on", "127.0.0.1")
    .option("--public-url <url>", "address that callbacks and customers find it under; default: interface and port")
    .requiredOption("--settings-file <file>", "JSON: who the shop is and its secrets; - for standard input")
    .action(async ({ port, host, publicUrl, settingsFile }: ShopFlags) => {
      const settings = shopSettingsFrom(jsonOf(settingsFile));
      const place = { host, port, publicUrl: publicUrlFrom(publicUrl) };
      const logger = createLogger({ level: "info" });
      const shop = await startShop(settings, place, { clock: systemClock, logger });
      say(`SIMULATION of a merchant's shop, listening on ${shop.url}`);
      await untilStopped();
      await shop.stop();
      // Calls that still wait for a silent biller would hold the process up.
      process.exit(0);
    });
}

function jsonOf(file: string): unknown {
  const text = readText(file === "-" ? 0 : file, file);
  try {
    return JSON.parse(text);
  } catch (error) {
    // The text of the fault may quote the file, which holds secrets.
    throw new Fault("settings_file", `${file} is no JSON`, { cause: messageOf(error) });
  }
}
