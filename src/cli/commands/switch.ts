import { randomInt } from "node:crypto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { Fault, systemClock } from "../../platform";
import { DEMO_PARTNER } from "../demo/data";
import { print, printJson, rupiahText, say } from "../output";
import { buildMessage, type MessageParts, sendMessage, type SwitchReply } from "../switch-client";

interface SwitchOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly trax?: string;
  readonly channel: string;
  readonly terminal: string;
  readonly hash: "sha256" | "md5" | "sha1";
  readonly joiner: "" | ".";
  readonly timeout: number;
  readonly json?: true;
}

interface PayOptions extends SwitchOptions {
  readonly amount?: string;
  readonly fee?: string;
  readonly bit61?: string;
}

interface SignOptions extends PayOptions {
  readonly type: string;
  readonly timestamp?: string;
}

/** `sign`, `inquire`, `pay`: the switch's side, for trying and for support. They talk to a host over its own wire. */
export function switchCommands(program: Command, exit: (code: number) => void): void {
  withCommon(program.command("sign <product> <billNumber>"))
    .description("print a signed message as JSON, without sending it")
    .option("--type <type>", "transactionType", "38")
    .option("--amount <rupiah>", "amount as it is to be sent", "0")
    .option("--fee <rupiah>", "feeAmount as it is to be sent", "0")
    .option("--bit61 <text>", "bit61; default: the billNumber")
    .option("--timestamp <text>", "timeStamp as it is to be sent; default: now")
    .action((product: string, billNumber: string, options: SignOptions) => {
      const parts = {
        ...partsFrom(product, billNumber, options),
        transactionType: options.type,
        amount: options.amount ?? "0",
        feeAmount: options.fee ?? "0",
        bit61: options.bit61 ?? billNumber,
        ...(options.timestamp === undefined ? {} : { timeStamp: options.timestamp }),
      };
      print(JSON.stringify(buildMessage(parts, systemClock.nowMicros())));
    });

  withCommon(program.command("inquire <product> <billNumber>"))
    .description("ask a running host what is owed, as the switch would")
    .action(async (product: string, billNumber: string, options: SwitchOptions) => {
      const reply = await inquire(product, billNumber, options);
      show(reply, options);
      exit(reply.fields?.["resultCode"] === "00" ? 0 : 1);
    });

  withCommon(program.command("pay <product> <billNumber>"))
    .description("pay a bill at a running host, as the switch would; inquires first unless everything is given")
    .option("--amount <rupiah>", "default: what the inquiry answers")
    .option("--fee <rupiah>", "default: what the inquiry answers")
    .option("--bit61 <text>", "default: what the inquiry answers")
    .action(async (product: string, billNumber: string, options: PayOptions) => {
      const quoted = await quoteFor(product, billNumber, options);
      const parts = {
        ...partsFrom(product, billNumber, options),
        transactionType: "50",
        amount: quoted.amount.padStart(12, "0"),
        feeAmount: quoted.feeAmount,
        bit61: quoted.bit61,
      };
      const reply = await sendMessage(options.url, buildMessage(parts, systemClock.nowMicros()), options.timeout);
      if (!options.json) say(`traxId ${parts.traxId} (repeat it with --trax ${parts.traxId})`);
      show(reply, options);
      exit(reply.fields?.["resultCode"] === "00" ? 0 : 1);
    });
}

function withCommon(command: Command): Command {
  return command
    .option("--url <url>", "address of the host", "http://127.0.0.1:8080/finpay/billing")
    .option("--user <userName>", "userName", DEMO_PARTNER.userName)
    .option("--password <text>", "password that signs; default: the demo's", DEMO_PARTNER.password)
    .option("--trax <traxId>", "traxId; default: a new one")
    .option("--channel <code>", "channel", "6017")
    .option("--terminal <id>", "terminal", "BILLER01")
    .addOption(new Option("--hash <name>", "outer hash").choices(["sha256", "md5", "sha1"]).default("sha256"))
    .addOption(
      new Option("--joiner <text>", "what stands between the signed fields: nothing, or a dot")
        .choices(["", "."])
        .default(""),
    )
    .option("--timeout <ms>", "longest wait for an answer, milliseconds", milliseconds, 40_000)
    .option("--json", "print the reply as JSON only");
}

function milliseconds(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError("must be milliseconds");
  return Number(text);
}

function partsFrom(
  productCode: string,
  billNumber: string,
  options: SwitchOptions,
): Omit<MessageParts, "transactionType" | "amount" | "feeAmount" | "bit61"> {
  return {
    userName: options.user,
    password: options.password,
    productCode,
    billNumber,
    traxId: options.trax ?? `${systemClock.nowMs()}${randomInt(100, 1_000)}`,
    channel: options.channel,
    terminal: options.terminal,
    scheme: { outer: options.hash, joiner: options.joiner },
  };
}

function inquire(product: string, billNumber: string, options: SwitchOptions): Promise<SwitchReply> {
  const parts = {
    ...partsFrom(product, billNumber, options),
    transactionType: "38",
    amount: "0",
    feeAmount: "0",
    bit61: billNumber,
  };
  return sendMessage(options.url, buildMessage(parts, systemClock.nowMicros()), options.timeout);
}

/** What is to be paid: as given, the rest as an inquiry answers it. */
async function quoteFor(
  product: string,
  billNumber: string,
  options: PayOptions,
): Promise<{ amount: string; feeAmount: string; bit61: string }> {
  const { amount, fee, bit61 } = options;
  if (amount !== undefined && fee !== undefined && bit61 !== undefined) return { amount, feeAmount: fee, bit61 };
  const { trax: _trax, ...withoutTrax } = options;
  const { fields, text } = await inquire(product, billNumber, withoutTrax);
  const isShown = fields?.["resultCode"] === "00";
  // A repeat of a payment (--trax) asks about a bill that is paid by now: amounts must then be given.
  if (!isShown && (amount === undefined || fee === undefined)) {
    const why = typeof fields?.["resultDesc"] === "string" ? fields["resultDesc"] : text.slice(0, 200);
    throw new Fault("no_quote", `the inquiry shows no bill: ${why}. Give --amount and --fee to pay all the same`);
  }
  const quoted = (name: string): string => (isShown ? String(fields[name]) : "");
  return {
    amount: amount ?? quoted("amount"),
    feeAmount: fee ?? quoted("feeAmount"),
    bit61: bit61 ?? (isShown ? quoted("bit61") : billNumber),
  };
}

function show(reply: SwitchReply, options: SwitchOptions): void {
  if (options.json) {
    printJson({ status: reply.status, isReplay: reply.isReplay, reply: reply.fields ?? reply.text });
    return;
  }
  const { fields } = reply;
  if (fields === null) {
    print(`HTTP ${reply.status}, not a reply of the protocol: ${reply.text.slice(0, 500)}`);
    return;
  }
  const repeat = reply.isReplay ? ", the stored reply of an earlier request" : "";
  print(
    `${String(fields["resultCode"])} ${String(fields["resultDesc"])}${repeat} (${Math.round(reply.durationMs)} ms)`,
  );
  for (const name of ["amount", "feeAmount"]) {
    const text = fields[name];
    if (typeof text === "string" && /^[0-9]+$/.test(text)) print(`  ${name.padEnd(13)} ${rupiahText(BigInt(text))}`);
  }
  for (const name of ["bit61", "bit48", "traxId", "sysCode", "timeStampServer"]) {
    print(`  ${name.padEnd(13)} ${JSON.stringify(fields[name] ?? null)}`);
  }
  print(`  customerData  ${JSON.stringify(fields["customerData"] ?? {})}`);
}
