import { Argument, type Command } from "commander";
import { faultOfCallbackUrl } from "../../callbacks";
import { ConfigFault, Fault, type SecretBox, type Tx } from "../../platform";
import {
  addMerchantSecret,
  insertMerchant,
  type MerchantSecretKind,
  readMerchants,
  retireMerchantSecrets,
  type StoredMerchant,
  recordOperatorAction,
} from "../../store";
import { newMerchantSecrets, newSecret } from "../merchant-secrets";
import { operatorName } from "../operator-name";
import { print, printJson, printTable } from "../output";
import { saveShippedProducts } from "../shipped-product";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";

interface AddOptions {
  readonly name?: string;
  readonly user?: string;
  readonly callback?: string;
  readonly requireHmac?: true;
  readonly json?: true;
}

/** `merchant add`, `merchant rotate`, `merchant retire`, `merchant list`. */
export function merchantCommands(program: Command): void {
  const merchant = program.command("merchant").description("who creates bills through our API and is told about them");

  merchant
    .command("add <serviceId>")
    .description("create a merchant; its secrets are made here and shown once")
    .option("--name <text>", "what customers read on the bill; default: the service id")
    .option("--user <userName>", "user name of the published signature; default: the service id")
    .option("--callback <url>", "where payments are told to; https, a public host")
    .option("--require-hmac", "refuse the published signature, which covers no amount, and insist on HMAC")
    .option("--json", "machine-readable output")
    .action(async (serviceId: string, options: AddOptions) => {
      await withServices((services, config) =>
        withOwner(services, async ({ transact, secrets: box }) => {
          const { name = serviceId, user = serviceId, callback } = options;
          const problem = callback === undefined ? null : faultOfCallbackUrl(callback, config.callbackAllowedHosts);
          const problems = [
            ...(/^[0-9]{1,20}$/.test(serviceId) ? [] : ["serviceId must be 1 to 20 digits"]),
            ...(problem === null ? [] : [`the callback address ${problem}`]),
            ...(/^\P{Cc}{1,100}$/u.test(name) && name.trim() !== ""
              ? []
              : ["the name must be 1 to 100 characters of one line"]),
            ...(/^[ -~]{1,100}$/.test(user) ? [] : ["the user name must be printable ASCII"]),
          ];
          if (problems.length > 0) throw new ConfigFault("the merchant was not created", problems);
          const secrets = newMerchantSecrets();
          const merchantId = await transact(async (tx) => {
            await saveShippedProducts(tx, [config.merchantProduct, config.merchantStaticProduct]);
            const requiresHmac = options.requireHmac === true;
            const created = { serviceId, name, userName: user, callbackUrl: callback ?? null, requiresHmac, secrets };
            const added = await insertMerchant(tx, created, box);
            if (added !== null) {
              const object = `merchant:${serviceId}`;
              const after = { serviceId, name, userName: user, callbackUrl: callback ?? null, requiresHmac };
              await recordOperatorAction(tx, { actor: operatorName(), action: "merchant.add", object, after });
            }
            return added;
          });
          if (merchantId === null) throw new Fault("merchant_exists", `service id ${serviceId} is taken`);
          if (options.json) {
            printJson({ merchantId, serviceId, userName: user, ...secrets });
            return;
          }
          print(`merchant ${serviceId} created; a running host knows it within two seconds. Shown once:`);
          print(`  password         ${secrets.password}   signs requests as published, with user name ${user}`);
          print(`  HMAC secret      ${secrets.hmac}   signs requests better: see docs/MERCHANTS.md`);
          print(`  callback secret  ${secrets.callback}   to check that a callback is from us`);
        }),
      );
    });

  const kinds = new Argument("<kind>", "which secret").choices(["password", "hmac", "callback"]);
  merchant
    .command("rotate <serviceId>")
    .description("make another secret beside the one in use and show it once; both are valid until `merchant retire`")
    .addArgument(kinds)
    .action(async (serviceId: string, kind: MerchantSecretKind) => {
      const secret = newSecret();
      await withMerchant(serviceId, async (tx, { merchantId }, box) => {
        await addMerchantSecret(tx, merchantId, kind, secret, box);
        await recordSecretAction(tx, "merchant.rotate", serviceId, `another ${kind} secret`);
      });
      print(`another ${kind} secret of merchant ${serviceId}; a running host knows it within two seconds. Shown once:`);
      print(`  ${secret}`);
    });

  merchant
    .command("retire <serviceId>")
    .description("end the validity of all secrets of a kind but the newest")
    .addArgument(kinds)
    .action(async (serviceId: string, kind: MerchantSecretKind) => {
      const retired = await withMerchant(serviceId, async (tx, { merchantId }) => {
        const count = await retireMerchantSecrets(tx, merchantId, kind);
        if (count > 0)
          await recordSecretAction(tx, "merchant.retire", serviceId, `${count} ${kind} secrets but the newest`);
        return count;
      });
      print(`${retired} retired; the newest ${kind} secret of merchant ${serviceId} is valid`);
    });

  merchant
    .command("list")
    .description("active merchants; never shows a secret")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      const merchants = await withServices((services) =>
        withOwner(services, ({ transact, secrets }) => transact((tx) => readMerchants(tx, secrets))),
      );
      const shown = merchants.map(({ serviceId, name, userName, callbackUrl, requiresHmac }) => ({
        ...{ serviceId, name, userName, callbackUrl, requiresHmac },
      }));
      if (options.json) printJson(shown);
      else {
        printTable(
          ["serviceId", "name", "user", "callback", "HMAC only"],
          shown.map((each) => [
            each.serviceId,
            each.name,
            each.userName,
            each.callbackUrl ?? "none",
            each.requiresHmac ? "yes" : "no",
          ]),
        );
      }
    });
}

function recordSecretAction(tx: Tx, action: string, serviceId: string, detail: string): Promise<string> {
  return recordOperatorAction(tx, { actor: operatorName(), action, object: `merchant:${serviceId}`, detail });
}

/** Does something to an active merchant, in one transaction. @throws Fault `merchant_unknown` */
function withMerchant<T>(
  serviceId: string,
  work: (tx: Tx, merchant: StoredMerchant, box: SecretBox) => Promise<T>,
): Promise<T> {
  return withServices((services) =>
    withOwner(services, ({ transact, secrets: box }) =>
      transact(async (tx) => {
        const merchant = (await readMerchants(tx, box)).find((each) => each.serviceId === serviceId);
        if (merchant === undefined) throw new Fault("merchant_unknown", `there is no active merchant ${serviceId}`);
        return work(tx, merchant, box);
      }),
    ),
  );
}
