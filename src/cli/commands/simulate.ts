import { randomInt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { ConfigFault, createLogger, Fault, messageOf, systemClock } from "../../platform";
import {
  billsNeeded,
  type CaseReport,
  codesFrom,
  type Credentials,
  DEFAULT_TIMES,
  reportHtml,
  reportJson,
  type ResultCodes,
  runUat,
  startSimulator,
  UAT_CASES,
  type UatReport,
  withoutSecrets,
} from "../../simulator";
import { DEMO_PARTNER } from "../demo/data";
import { publicUrlFrom, readText, secretFrom, whole } from "../options";
import { print, printTable, say } from "../output";
import { untilStopped } from "../until-stopped";

interface SwitchSide {
  readonly biller: string;
  readonly user: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly hash: "sha256" | "md5" | "sha1";
  readonly joiner: "" | ".";
  readonly codes?: string;
}

interface SimulateOptions extends SwitchSide {
  readonly port: number;
  readonly host: string;
  readonly publicUrl?: string;
  readonly merchantId: string;
  readonly merchantKeyFile?: string;
  readonly inquiryTimeout: number;
  readonly paymentTimeout: number;
  readonly tries: number;
  readonly retryDelay: number;
}

interface UatOptions extends SwitchSide {
  readonly previousPasswordFile?: string;
  readonly product: string;
  readonly bill: readonly string[];
  readonly out: string;
  readonly seed?: number;
  readonly case: readonly string[];
  readonly list?: true;
  readonly reversals: boolean;
  readonly timeout: number;
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

/** `simulate`: Finpay's side as a process of its own. `uat`: scripted faults against a running host, with a report. */
export function simulateCommands(program: Command, exit: (code: number) => void): void {
  withSwitchSide(program.command("simulate"))
    .description("play Finpay's side: payment pages, the switch with its repeats, notifications (SIMULATION)")
    .option("--port <port>", "port to listen on; 0 for any", whole(0, 65_535), 8081)
    .option("--host <address>", "interface to listen on", "127.0.0.1")
    .option("--public-url <url>", "address that payment pages are given out under; default: interface and port")
    .option("--merchant-id <id>", "merchant id in notifications", "SIMULATION")
    .option("--merchant-key-file <file>", "key that signs notifications; default: simulation-merchant-key")
    .option("--inquiry-timeout <ms>", "longest wait for an inquiry", whole(1, 600_000), DEFAULT_TIMES.inquiryTimeoutMs)
    .option("--payment-timeout <ms>", "longest wait for a payment", whole(1, 600_000), DEFAULT_TIMES.paymentTimeoutMs)
    .option("--tries <n>", "how often a message is sent at most", whole(1, 20), DEFAULT_TIMES.tries)
    .option("--retry-delay <ms>", "wait between two tries", whole(0, 600_000), DEFAULT_TIMES.retryDelayMs)
    .action(async (options: SimulateOptions) => {
      const { inquiryTimeout, paymentTimeout, retryDelay, tries, merchantId, merchantKeyFile } = options;
      const settings = {
        ...DEFAULT_TIMES,
        billerUrl: billerUrlFrom(options.biller),
        credentials: credentialsFrom(options, passwordFrom(options) ?? DEMO_PARTNER.password),
        codes: codesOfFile(options.codes),
        merchantId,
        merchantKey: merchantKeyFile === undefined ? "simulation-merchant-key" : secretFrom(merchantKeyFile),
        inquiryTimeoutMs: inquiryTimeout,
        paymentTimeoutMs: paymentTimeout,
        retryDelayMs: retryDelay,
        tries,
      };
      const place = { host: options.host, port: options.port, publicUrl: publicUrlFrom(options.publicUrl) };
      const logger = createLogger({ level: "info" });
      const simulator = await startSimulator(settings, place, { clock: systemClock, logger });
      say(`SIMULATION of Finpay's side, listening on ${simulator.url}, biller ${settings.billerUrl}`);
      await untilStopped();
      await simulator.stop();
      // Messages that still wait for a silent biller would hold the process up.
      process.exit(0);
    });

  withSwitchSide(program.command("uat"))
    .description("run scripted faults against a running host and write a report; exit code 1 when a case fails")
    .option("--previous-password-file <file>", "password that the host still takes while it is replaced")
    .option("--product <code>", "productCode of the bills; the rules must be those of a closed bill", "001001")
    .option("--bill <billNumber>", "an unpaid bill, which may be used up; repeat for several", collect, [])
    .option("--out <dir>", "where uat-report.json and uat-report.html go", ".")
    .option("--seed <n>", "draws the same traxIds again; default: a new one", whole(0, 999_999_999))
    .option("--case <name>", "run this case only; repeat for several", collect, [])
    .option("--no-reversals", "the host takes no reversals: skip their cases")
    .option("--timeout <ms>", "longest wait for an answer", whole(1, 600_000), DEFAULT_TIMES.paymentTimeoutMs)
    .option("--list", "print the cases, and run nothing")
    .action(async (options: UatOptions) => {
      if (options.list) listCases();
      else exit((await uat(options)).verdict === "pass" ? 0 : 1);
    });
}

function listCases(): void {
  printTable(
    ["case", "bills", "purpose"],
    UAT_CASES.map(({ name, bills, purpose }) => [name, String(bills), purpose]),
  );
  print(`${UAT_CASES.length} cases; together they need ${billsNeeded(UAT_CASES)} unpaid bills`);
}

async function uat(options: UatOptions): Promise<UatReport> {
  const password = passwordFrom(options);
  if (password === undefined)
    throw new Fault("no_password", "give the password with --password-file FILE (- for input)");
  const { previousPasswordFile, product, bill, out, reversals, timeout, case: names } = options;
  const previousPassword = previousPasswordFile === undefined ? null : secretFrom(previousPasswordFile);
  // Before the run: a report that cannot be written would cost the bills.
  mkdirSync(out, { recursive: true });
  const report = await runUat(
    {
      billerUrl: billerUrlFrom(options.biller),
      credentials: credentialsFrom(options, password),
      previousPassword,
      codes: codesOfFile(options.codes),
      productCode: product,
      billNumbers: bill,
      seed: String(options.seed ?? randomInt(1_000_000_000)),
      timeoutMs: timeout,
      hasReversals: reversals,
      only: names.length === 0 ? null : names,
    },
    { clock: systemClock, onCase: (each) => tell(withoutSecrets(each, [password, previousPassword ?? ""])) },
  );
  const secrets = [password, previousPassword ?? ""];
  const files = [
    ["uat-report.json", reportJson(report, secrets)],
    ["uat-report.html", reportHtml(withoutSecrets(report, secrets))],
  ] as const;
  for (const [name, text] of files) {
    // Customers' names are in it.
    writeFileSync(join(out, name), text, { mode: 0o600 });
    say(`wrote ${join(out, name)}`);
  }
  const { pass, fail, skipped } = report.totals;
  print(`${pass} passed, ${fail} failed, ${skipped} skipped; seed ${report.seed}`);
  return report;
}

function tell({ name, verdict, reason, steps }: CaseReport): void {
  print(`${verdict.toUpperCase().padEnd(7)} ${name}${reason === null ? "" : `: ${reason}`}`);
  for (const { step, problems } of steps) {
    for (const problem of problems) print(`        ${step}: ${visible(problem)}`);
  }
}

/** What a biller answered must not steer the terminal. */
function visible(text: string): string {
  return text.replaceAll(/\p{C}/gu, "?");
}

/** What both commands need to speak as the switch. */
function withSwitchSide(command: Command): Command {
  return command
    .option("--biller <url>", "the biller's one address", "http://127.0.0.1:8080/finpay/billing")
    .option("--user <userName>", "userName that the biller knows the switch by", DEMO_PARTNER.userName)
    .option("--password-file <file>", "file with the password that signs; - for standard input")
    .option("--password <text>", "the password itself (WARNING: visible to other users of this machine)")
    .option("--codes <file>", "JSON file of outcome and result code, where the contract's differ from the default map")
    .addOption(new Option("--hash <name>", "outer hash").choices(["sha256", "md5", "sha1"]).default("sha256"))
    .addOption(new Option("--joiner <text>", "what stands between the signed fields").choices(["", "."]).default(""));
}

function billerUrlFrom(text: string): string {
  const isUsable = URL.canParse(text) && /^https?:\/\/[^@]*$/.test(text);
  if (!isUsable) throw new ConfigFault("--biller", ["must be an http or https address, without a password in it"]);
  return text;
}

function credentialsFrom({ user, hash, joiner }: SwitchSide, password: string): Credentials {
  return { userName: user, password, scheme: { outer: hash, joiner } };
}

/** The password from where it was said to be; undefined when nowhere. */
function passwordFrom({ password, passwordFile }: Pick<SwitchSide, "password" | "passwordFile">): string | undefined {
  return passwordFile === undefined ? password : secretFrom(passwordFile);
}

function codesOfFile(file: string | undefined): ResultCodes {
  if (file === undefined) return codesFrom({}).codes;
  let given: unknown;
  try {
    given = JSON.parse(readText(file, file));
  } catch (error) {
    throw new Fault("codes_file", `${file} cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
  const { codes, faults } = codesFrom(given);
  if (faults.length > 0) throw new ConfigFault(file, faults);
  return codes;
}
