import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { PRODUCTS } from "../../flows";
import { ConfigFault, Fault, type Tx } from "../../platform";
import { insertPartner, listPartners, readProducts, recordOperatorAction } from "../../store";
import { operatorName } from "../operator-name";
import { print, printJson, printTable } from "../output";
import { saveShippedProducts } from "../shipped-product";
import { withOwner } from "../with-database";
import { withServices } from "../with-services";
import { dialectCommands, dialectFromFile } from "./dialect";

interface AddOptions {
  readonly name?: string;
  readonly product: readonly string[];
  readonly password?: string;
  readonly passwordFile?: string;
  readonly dialect?: string;
  readonly json?: true;
}

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

/** `partner add`, `partner list`, and what concerns dialects. */
export function partnerCommands(program: Command): void {
  const partner = program.command("partner").description("counterparties that may call us, normally the switch");

  partner
    .command("add <userName>")
    .description("create a partner with its first password")
    .option("--name <text>", "what people call it; default: the userName")
    .option("--product <code>", "a productCode it may use; repeat for several", collect, [])
    .option("--password-file <file>", "read the password from a file; - for standard input")
    .option("--password <text>", "the password itself (visible to other users of this machine; prefer --password-file)")
    .option("--dialect <file>", "JSON file with what differs from the default dialect")
    .option("--json", "machine-readable output")
    .action(async (userName: string, options: AddOptions) => {
      const password = passwordFrom(options);
      const dialect = dialectFromFile(options.dialect);
      const problems = [
        ...(/^[ -~]{1,100}$/.test(userName) ? [] : ["userName must be 1 to 100 printable ASCII characters"]),
        ...(password.length >= 8 ? [] : ["the password must have at least 8 characters"]),
        ...(options.product.length > 0 ? [] : ["name at least one --product"]),
      ];
      if (problems.length > 0) throw new ConfigFault("the partner was not created", problems);
      await withServices((services) =>
        withOwner(services, async ({ transact, secrets }) => {
          const partnerId = await transact(async (tx) => {
            await bringProducts(tx, options.product);
            const { name = userName, product: productCodes } = options;
            const created = await insertPartner(tx, { userName, name, productCodes, dialect, password }, secrets);
            if (created !== null) {
              await recordOperatorAction(tx, {
                ...{ actor: operatorName(), action: "partner.add", object: `partner:${userName}` },
                after: { userName, name, productCodes, dialect },
              });
            }
            return created;
          });
          if (partnerId === null)
            throw new Fault("partner_exists", `a partner with userName ${userName} exists already`);
          if (options.json) printJson({ partnerId, userName });
          else print(`partner ${userName} created; a running host knows it within two seconds`);
        }),
      );
    });

  dialectCommands(partner);

  partner
    .command("list")
    .description("all partners; never shows a password")
    .option("--json", "machine-readable output")
    .action(async (options: { json?: true }) => {
      await withServices((services) =>
        withOwner(services, async ({ transact }) => {
          const partners = await transact(listPartners);
          if (options.json) {
            printJson(partners);
            return;
          }
          printTable(
            ["userName", "name", "products", "active", "passwords", "since"],
            partners.map((each) => [
              each.userName,
              each.name,
              each.productCodes.join(","),
              each.isActive ? "yes" : "no",
              String(each.activeCredentials),
              each.createdAt.toISOString().slice(0, 10),
            ]),
          );
        }),
      );
    });
}

/** Products that ship with the host are stored with the first partner that may use them. */
async function bringProducts(tx: Tx, wanted: readonly string[]): Promise<void> {
  const stored = new Set((await readProducts(tx)).map(({ productCode }) => productCode));
  const known = [...new Set([...stored, ...PRODUCTS.map(({ productCode }) => productCode)])].toSorted();
  const unknown = wanted.filter((code) => !known.includes(code));
  if (unknown.length > 0) {
    throw new Fault("unknown_product", `no such product: ${unknown.join(", ")}; known: ${known.join(", ")}`);
  }
  await saveShippedProducts(tx, wanted);
}

function passwordFrom(options: AddOptions): string {
  if (options.password !== undefined) return options.password;
  if (options.passwordFile === undefined) throw new Fault("no_password", "give the password with --password-file FILE");
  const file = options.passwordFile === "-" ? 0 : options.passwordFile;
  return readFileSync(file, "utf8").replace(/\r?\n$/, "");
}
