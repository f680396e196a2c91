import type { Command } from "commander";
import { main, programOf } from "../../src/cli";
import { fill, PARTNER, TEST_KEYS } from "../support/builders";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY, dayOf } from "../support/settlement-days";
import {
  bookPayments,
  bookPostings,
  FULL_HEADER,
  FULL_PROFILE,
  fullLine,
  settlementDesk,
} from "../support/settlement-files";

jest.setTimeout(240_000);

/** Commands that change nothing in the database, or not as an operator: each with the reason. */
const NO_ACTION: Readonly<Record<string, string>> = {
  ...each("reads", [
    ...["product list", "product show", "product check", "product schema"],
    ...["partner list", "partner dialect show", "partner dialect check", "partner dialect schema"],
    ...["partner drift", "merchant list", "callback list", "exception list", "audit token list"],
    ...["recon profile check", "recon profile list", "recon profile show", "recon profile schema", "recon show"],
    "recon expect list",
    "recon profile try",
    ...["recon exceptions", "recon proposals", "recon ageing", "recon report", "describe bit61", "describe message"],
    ...[
      "ledger key list",
      "ledger status",
      "ledger verify",
      "ledger proof",
      "ledger export",
      "ledger dossier",
      "doctor",
    ],
  ]),
  ...each("speaks the wire, as the switch or a merchant would", [
    ...["sign", "inquire", "pay", "simulate", "uat", "shop"],
  ]),
  ...each("its changes are seals, which are signed themselves", ["ledger seal", "ledger checkpoint"]),
  migrate: "the schema; recorded among the migrations",
  serve: "runs the host",
  demo: "makes its parties as `partner add` and `merchant add` do, and speaks the wire",
};

function each(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

/** One command that changes something, with what it is given and the action that it has to write down. */
interface Step {
  readonly path: string;
  readonly args: () => readonly string[] | Promise<readonly string[]>;
  readonly action: string;
  /** What has to be there first. */
  readonly before?: () => Promise<unknown>;
}

describe("every command that changes something", () => {
  let database: TestDatabase;
  let desk: ReturnType<typeof settlementDesk>;
  let said = "";
  const truth = { amount: 30_000n, feeAmount: 5_000n, minute: 600 };
  const day = dayOf([
    { ...truth, damage: "none" },
    { ...truth, damage: "amount-differs" },
    { ...truth, damage: "missing-in-file" },
  ]);
  const file = (name: string, content: unknown): string =>
    desk.write(name, typeof content === "string" ? content : JSON.stringify(content));
  const itemOf = async (itemClass: string): Promise<string> => {
    said = "";
    await main(["recon", "exceptions", "--json"]);
    const items = JSON.parse(said) as { itemId: string; class: string }[];
    return items.find((item) => item.class === itemClass)?.itemId ?? "";
  };
  const waiting = async (): Promise<string> => {
    const rows = await database.query<{ id: string }>(
      `select proposal_id as id from exception_proposal p where decided_at is null order by 1 limit 1`,
    );
    return rows[0]?.id ?? "";
  };
  const approved = async (): Promise<string> => {
    const rows = await database.query<{ id: string }>(
      `select proposal_id as id from exception_proposal where decision = 'approved' order by decided_at limit 1`,
    );
    return rows[0]?.id ?? "";
  };
  const writeOff = async (): Promise<string[]> => [
    ...[await itemOf("missing-in-file"), "--action", "write-off", "--because", "lost", "--yes", "--as", "ani"],
  ];
  const EVENT = "0b7f6b2e-5d0c-4a51-9d3e-6f1f0e8a2c11";

  const STEPS: readonly Step[] = [
    { path: "seed", args: () => [], action: "demo.seed" },
    {
      path: "partner add",
      args: () => ["newcomer", "--product", "020013", "--password", "a long secret"],
      before: async () => database.query("delete from product where product_code = '020013'"),
      action: "partner.add",
    },
    {
      path: "partner dialect set",
      args: () => ["newcomer", file("dialect.json", { cutOff: "22:00" })],
      action: "partner.dialect.set",
    },
    {
      path: "product load",
      args: async () => {
        const [row] = await database.query<{ product_code: string; name: string; definition: object }>(
          "select product_code, name, definition from product where product_code = '001001'",
        );
        const product = { productCode: row?.product_code, name: `${row?.name} 2`, definition: row?.definition };
        return [file("product.json", product), "--yes"];
      },
      action: "product.load",
    },
    {
      path: "bill import",
      args: () => [
        file(
          "bills.csv",
          `product_code,bill_number,customer_name,fee_amount,due_at,reference,amount,details\n` +
            `001001,0021008450001,BUDI,5000,,304A,10000,"{""kodeDivre"":""02"",""kodeDatel"":""0001"",""npwp"":""""}"\n`,
        ),
      ],
      action: "bill.import",
    },
    { path: "merchant add", args: () => ["77001", "--name", "TOKO"], action: "merchant.add" },
    { path: "merchant rotate", args: () => ["77001", "hmac"], action: "merchant.rotate" },
    { path: "merchant retire", args: () => ["77001", "hmac"], action: "merchant.retire" },
    {
      path: "callback replay",
      args: () => [EVENT],
      before: async () =>
        database.query(
          `insert into outbox (event_id, bill_key, bill_version, merchant_id, kind, payload, attempts, dead_at)
           select '${EVENT}', '001001:1', 1, merchant_id, 'payment.accepted', '{}', 9, now() from merchant limit 1
           on conflict do nothing`,
        ),
      action: "callback.replay",
    },
    {
      path: "recon profile set",
      args: () => ["full", file("full.json", FULL_PROFILE)],
      action: "settlement-profile.set",
    },
    {
      path: "recon import",
      args: () => [
        file("day.csv", `${[FULL_HEADER, ...day.lines.map(fullLine)].join("\n")}\n`),
        ...["--profile", "full", "--date", DAY],
      ],
      action: "settlement-file.import",
    },
    { path: "recon run", args: () => ["--profile", "full", "--date", DAY], action: "reconciliation.run" },
    {
      path: "recon resolve",
      args: async () => [
        ...[await itemOf("amount-differs"), "--action", "accept", "--because", "agreed", "--yes", "--as", "ani"],
        ...["--account", "settlement-difference"],
      ],
      action: "exception.proposed",
    },
    {
      path: "recon approve",
      args: async () => [await waiting(), "--yes", "--as", "budi"],
      action: "exception.approved",
    },
    {
      path: "recon undo",
      args: async () => [await approved(), "--because", "the wrong account", "--yes", "--as", "ani"],
      action: "exception.proposed",
    },
    {
      path: "recon withdraw",
      args: async () => [await waiting(), "--note", "it was right", "--as", "ani"],
      action: "exception.withdrawn",
    },
    { path: "recon resolve", args: writeOff, action: "exception.proposed" },
    {
      path: "recon refuse",
      args: async () => [await waiting(), "--note", "look again", "--as", "budi"],
      action: "exception.refused",
    },
    { path: "recon resolve", args: writeOff, action: "exception.proposed" },
    {
      path: "recon withdraw",
      args: async () => [await waiting(), "--note", "mine", "--as", "ani"],
      action: "exception.withdrawn",
    },
    {
      path: "recon settle",
      args: () => ["--profile", "full", "--date", DAY, "--yes", "--as", "ani"],
      action: "settlement.post",
    },
    {
      path: "recon bank-credit",
      args: () => ["--amount", "35000", "--date", DAY, "--reference", "BCA 1", "--yes", "--partner", PARTNER.userName],
      action: "exception.proposed",
    },
    {
      path: "recon due-rule",
      args: () => [file("rule.json", { tiers: [{ from: "0", hours: 8 }] })],
      action: "exception-due-rule.set",
    },
    {
      path: "recon expect set",
      args: () => ["--profile", "full", "--days", "weekdays", "--from", DAY, "--as", "ani"],
      action: "settlement-expectation.set",
    },
    {
      path: "recon expect remove",
      args: () => ["--profile", "full", "--from", DAY, "--as", "ani"],
      action: "settlement-expectation.remove",
    },
    { path: "recon close", args: () => ["--date", DAY, "--yes", "--as", "ani"], action: "day.close" },
    {
      path: "recon reopen",
      args: () => ["--date", DAY, "--because", "a file came late", "--as", "ani"],
      action: "exception.proposed",
    },
    { path: "ledger key new", args: () => [], action: "seal-key.new" },
    {
      path: "ledger accept-rollback",
      args: () => ["--because", "failover", "--yes"],
      action: "ledger.accept-rollback",
    },
    {
      path: "audit token create",
      args: () => ["auditor", "--scopes", "ledger", "--days", "3"],
      action: "audit-token.create",
    },
    {
      path: "audit token revoke",
      args: async () => [
        (await database.query<{ id: string }>("select token_id as id from audit_token limit 1"))[0]?.id ?? "",
      ],
      action: "audit-token.revoke",
    },
    {
      path: "retention forget",
      before: async () => database.query("update bill set is_cancelled = true where bill_key = '001001:0021008450001'"),
      args: () => ["--bill", "001001:0021008450001", "--confirm", "1", "--because", "request 17"],
      action: "personal-data.mask",
    },
    {
      path: "retention archive",
      before: async () => {
        await database.query(`select ensure_month_partitions(0, '2025-03-01')`);
        await database.query(
          `insert into attempt (attempt_id, received_at, outcome, result_code, http_status, is_replay, is_delivered, duration_ms)
           values (gen_random_uuid(), '2025-03-10', 'BAD_AUTH', '14', 200, false, true, 3)`,
        );
      },
      args: () => ["--table", "attempt", "--month", "2025-03", "--to", desk.dir],
      action: "retention.archive",
    },
    {
      path: "retention restore",
      args: () => [`${desk.dir}/attempt-2025-03.manifest.json`, "--schema", "archive_test"],
      action: "retention.restore",
    },
  ];

  const settings = process.env;
  beforeAll(async () => {
    database = await createTestDatabase();
    desk = settlementDesk(database);
    await fill(database, []);
    await bookPayments(database, day.payments);
    await bookPostings(database);
    process.env = {
      ...{ PATH: settings["PATH"], HOME: settings["HOME"], BILLER_OPERATOR: "ani" },
      ...{ DATABASE_URL: database.appUrl, MIGRATION_DATABASE_URL: database.ownerUrl },
      CREDENTIAL_KEYS: TEST_KEYS.map(([id, key]) => `${id}:${key.toString("base64")}`).join(),
    };
    const hear = (text: string | Uint8Array): boolean => {
      said += text.toString();
      return true;
    };
    jest.spyOn(process.stdout, "write").mockImplementation(hear);
    jest.spyOn(process.stderr, "write").mockImplementation(hear);
    await database.query(
      `create function refuse_action() returns trigger language plpgsql as
         $$ begin raise exception 'no operator action today'; end $$`,
    );
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    process.env = settings;
    desk.close();
    await database.drop();
  });

  const biller = async (step: Step): Promise<number> => {
    said = "";
    return main([...step.path.split(" "), ...(await step.args())]);
  };
  /** Everything that is stored, table by table, but the note on a waiting proposal that approving it failed: no action is needed for it. */
  const contents = async (): Promise<Record<string, string>> => {
    const tables = await database.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and c.relname <> 'schema_migration_lock' and n.nspname !~ '^(pg_|information_schema)' order by 1`,
    );
    const found: Record<string, string> = {};
    for (const { name } of tables) {
      const content = `(to_jsonb(t) - '{last_failed_at,last_failure}'::text[])::text`;
      const [row] = await database.query<{ digest: string }>(
        `select count(*) || ' ' || md5(coalesce(string_agg(${content}, '|' order by ${content}), '')) as digest from ${name} t`,
      );
      found[name] = row?.digest ?? "";
    }
    return found;
  };

  it("is known to this test: whoever adds one says what it writes down", () => {
    const leaves = (command: Command, path: string): string[] => {
      const name = `${path} ${command.name()}`.trim();
      return [
        ...(command.commands.length === 0 || hasAction(command) ? [name] : []),
        ...command.commands.flatMap((inner) => leaves(inner, name)),
      ];
    };
    const all = programOf(() => {}).commands.flatMap((command) => leaves(command, ""));
    const known = [...Object.keys(NO_ACTION), ...STEPS.map(({ path }) => path)];
    expect(all.filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => !all.includes(name))).toEqual([]);
  });

  it.each(STEPS.map((step, index) => [`${index + 1}. ${step.path}`, step] as const))(
    "%s changes nothing unless it can say so, and says so with the change",
    async (_name, step) => {
      await step.before?.();
      const untouched = await contents();
      await database.query(
        `create trigger no_action before insert on operator_action for each row execute function refuse_action()`,
      );
      const refused = await biller(step);
      await database.query("drop trigger no_action on operator_action");
      expect(said).toContain("no operator action today");
      expect(refused).not.toBe(0);
      expect(await contents()).toEqual(untouched);

      const [mark] = await database.query<{ at: Date }>("select clock_timestamp() as at");
      expect({ code: await biller(step), said }).toMatchObject({ code: 0 });
      const actions = await database.query<{ action: string }>(
        "select action from operator_action where recorded_at >= $1",
        [mark?.at],
      );
      expect(actions.map(({ action }) => action)).toContain(step.action);
      expect(await contents()).not.toEqual(untouched);
    },
  );
});

/** Whether a command that has further commands does something by itself as well. */
function hasAction(command: Command): boolean {
  return (command as unknown as { readonly _actionHandler: unknown })._actionHandler !== null;
}
