import { z } from "zod";
import openapi from "../../src/http/openapi.json";
import { EXPECTATION_FILTERS } from "../../src/http/routes/recon/expectations";
import { REPORT_FILTERS, VERSION_FILTER } from "../../src/http/routes/recon/days";
import {
  type FilterSpecs,
  QUEUE_FILTERS,
  RECON_BODIES,
  RECON_LISTINGS,
  type ReconBody,
  UPLOAD_FILTERS,
} from "../../src/ops";
import { fill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { faultOfHostile, HOSTILE, type HostileAnswer } from "../support/hostile";
import { askRecon, type ReconReply, type ReconRequest, reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";
import { FULL_HEADER, FULL_PROFILE, settlementDesk } from "../support/settlement-files";

jest.setTimeout(120_000);

const NOBODY = "00000000-0000-4000-8000-000000000000";
const listing = (name: string): FilterSpecs => RECON_LISTINGS.find((each) => each.name === name)?.filters ?? {};
const { file: _file, ...lineFilters } = listing("lines");
/** Every list and question with parameters: address, parameters, whether it comes in pages. */
const QUESTIONS: readonly (readonly [path: string, specs: FilterSpecs, isList: boolean])[] = [
  ["/files", listing("files"), true],
  ["/files/{fileId}/lines", lineFilters, true],
  ["/lines", listing("lines"), true],
  ["/findings", listing("findings"), true],
  ["/runs", listing("runs"), true],
  ["/proposals", listing("proposals"), true],
  ["/days", listing("days"), true],
  ["/exceptions", QUEUE_FILTERS, true],
  ["/ageing", { date: { kind: "date", about: "" } }, false],
  ["/days/{date}", VERSION_FILTER, false],
  ["/days/{date}/body", VERSION_FILTER, false],
  ["/days/{date}/report", REPORT_FILTERS, false],
  ["/expectations", EXPECTATION_FILTERS, false],
];
/** Every request with a body, such that a good one finds nothing to work on. */
const REQUESTS: readonly (readonly [what: string, body: ReconBody, good: Record<string, unknown>])[] = [
  ["POST /runs", "run", { profile: "nobody", date: DAY }],
  ["POST /dry-runs", "dryRun", { profile: "nobody", date: DAY, rules: [] }],
  ["POST /settlements", "settlement", { profile: "nobody", date: DAY }],
  ["POST /bank-credits", "bankCredit", { partner: "nobody", amount: "1", date: DAY, reference: "1", reason: "good" }],
  [`PUT /exceptions/${NOBODY}/owner`, "owner", { owner: "ani" }],
  [`POST /exceptions/${NOBODY}/notes`, "note", { text: "good" }],
  [`POST /exceptions/${NOBODY}/carry`, "carry", { until: DAY, reason: "good" }],
  [`POST /exceptions/${NOBODY}/close`, "close", { reason: "good" }],
  [
    `POST /exceptions/${NOBODY}/proposals`,
    "proposal",
    { action: "link", account: "suspense", payment: "1", reason: "good" },
  ],
  [`POST /proposals/${NOBODY}/approve`, "decision", { note: "good" }],
  [`POST /proposals/${NOBODY}/refuse`, "refusal", { note: "good" }],
  [`POST /proposals/${NOBODY}/withdraw`, "refusal", { note: "good" }],
  [
    "PUT /expectations",
    "expectation",
    {
      profile: "nobody",
      partner: "nobody",
      product: "001001",
      expected: true,
      days: "weekdays",
      except: [DAY],
      also: [DAY],
      dueDays: 1,
      dueTime: "09:00",
      from: DAY,
    },
  ],
  [`POST /days/${DAY}/reopenings`, "reason", { reason: "good" }],
  [`POST /days/${DAY}/without-files`, "reason", { reason: "good" }],
];
/** Fields that take something else than a text. */
const NOT_TEXT = ["rules", "expected", "dueDays", "except", "also"];
const HOSTILE_VALUES: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e300, [], {}, [1], { toString: 1 }, "", " ", "x".repeat(501), "\ud800", "1e3", "0x10"],
  ...HOSTILE,
];

describe("hostile requests to the reconciliation API", () => {
  let database: TestDatabase;
  let host: TestHost;
  let token: string;
  const ask = (what: string, request: ReconRequest = {}): Promise<ReconReply> =>
    askRecon(host.url, token, what, request);
  const stateOf = async (): Promise<unknown> =>
    database.query(
      `select (select count(*) from exception_event) as events, (select count(*) from exception_proposal) as proposals,
              (select count(*) from settlement_file) as files, (select count(*) from reconciliation_run) as runs,
              (select count(*) from keyed_request) as keys, (select count(*) from journal_entry) as entries,
              (select count(*) from day_close) as days, (select count(*) from exception_handling) as handled`,
    );

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    const desk = settlementDesk(database);
    await desk.saveProfile("full", FULL_PROFILE);
    const line = `T1,001001,0021008457003,30000,5000,${DAY} 10:00:00,${DAY},paid`;
    await desk.import("day.csv", `${FULL_HEADER}\n${line}\n`, { date: DAY });
    desk.close();
    host = await startTestHost(database, { settings: { SEAL: "false" } });
  });
  // A token may ask so often only.
  beforeEach(async () => {
    token = await reconToken(database, "ani");
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  it.each(QUESTIONS)("survives every value in every parameter of %s", async (path, specs, isList) => {
    const address = path.replace("{fileId}", "1").replace("{date}", DAY);
    const names = [...Object.keys(specs), ...(isList ? ["limit", "cursor"] : [])];
    const answers: HostileAnswer[] = [];
    for (const name of names) {
      token = await reconToken(database, "ani");
      for (const value of HOSTILE)
        answers.push({ name, value, reply: await ask(`GET ${address}`, { query: { [name]: value } }) });
    }
    expect(answers.flatMap((answer) => faultOfHostile(answer, specs[answer.name]?.kind))).toEqual([]);
  });

  it.each(QUESTIONS)("takes of %s what it describes, once and no more", async (path, specs, isList) => {
    const address = path.replace("{fileId}", "1").replace("{date}", DAY);
    const [name = ""] = Object.keys(specs);
    for (const [query, problem] of [
      ["nonsense=1", /^nonsense is no parameter here; known: /],
      ["__proto__=1", /^__proto__ is no parameter here/],
      [`${name}=a&${name}=b`, /is given more than once$/],
      [`${name}=`, /is empty: leave it out instead$/],
      [`${name}=%ff%fe`, /is not UTF-8, percent-encoded$/],
      [`x=${"y".repeat(5_000)}`, /longer than 4096 characters$/],
    ] as const) {
      const { status, body } = await ask(`GET ${address}`, { query });
      expect([query.slice(0, 40), status]).toEqual([query.slice(0, 40), 400]);
      expect(body["problems"]).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
    }
    const { parameters } = operationOf("get", path);
    const described = parameters?.filter((each) => each.in === "query").map((each) => each.name);
    const paging = path === "/exceptions" ? ["limit", "cursor"] : isList ? ["limit", "order", "cursor"] : [];
    expect(described).toEqual([...Object.keys(specs), ...paging]);
  });

  it("takes a cursor only where it came from", async () => {
    const cursors = [
      Buffer.from("[1]").toString("base64url"),
      Buffer.from(JSON.stringify([1, "x", ["2026-01-01T00:00:00.000000Z", NOBODY]])).toString("base64url"),
      "A".repeat(1_025),
      "====",
    ];
    for (const cursor of cursors) {
      const { status, body } = await ask("GET /exceptions", { query: { cursor } });
      expect([status, body["problems"]]).toEqual([400, [expect.stringMatching(/^cursor /)]]);
    }
    expect((await ask("GET /exceptions", { query: { order: "desc" } })).status).toBe(400);
  });

  it.each(REQUESTS)("refuses every wrong value in every field of %s, and changes nothing", async (what, name, good) => {
    const before = await stateOf();
    const wrong: unknown[] = [];
    expect((await ask(what, { json: good })).status).toBeGreaterThanOrEqual(404);
    for (const field of Object.keys(RECON_BODIES[name].shape)) {
      token = await reconToken(database, "ani");
      for (const value of HOSTILE_VALUES) {
        const { status, body, text } = await ask(what, { json: { ...good, [field]: value } });
        const isTold =
          typeof body["error"] === "string" && !text.includes("x".repeat(200)) && !/\bat .*\.ts:/.test(text);
        if (![404, 422].includes(status) || !isTold) wrong.push([field, value, status, text.slice(0, 200)]);
        // What is no text at all is refused for what it is, whatever the item.
        if (typeof value !== "string" && !NOT_TEXT.includes(field) && status !== 422)
          wrong.push([field, value, status]);
      }
    }
    expect(wrong).toEqual([]);
    expect(await stateOf()).toEqual(before);
  });

  it.each(REQUESTS)("refuses what is no body of %s", async (what, _name, good) => {
    const [field = ""] = Object.keys(good);
    for (const [json, headers, status, problem] of [
      ["{", {}, 422, "not valid JSON"],
      ["[]", {}, 422, ""],
      ['"text"', {}, 422, ""],
      ["null", {}, 422, ""],
      [`{"${field}":"a","${field}":"b"}`, {}, 422, "twice"],
      ['{"__proto__":{"a":1}}', {}, 422, "__proto__"],
      [{ ...good, nonsense: 1 }, {}, 422, "nonsense is nothing that is known here"],
      ["[".repeat(5_000), {}, 422, ""],
      [`{"a":${'{"a":'.repeat(20)}1${"}".repeat(20)}}`, {}, 422, ""],
      [`{"a":"${"x".repeat(17_000)}"}`, {}, 413, "16 KiB"],
      [good, { "content-type": "text/plain" }, 415, "application/json"],
      [good, { "content-encoding": "gzip" }, 415, "compression"],
      [good, { "content-type": "application/json; charset=utf-16" }, 415, "application/json"],
    ] as const) {
      const { status: is, text } = await ask(what, { json, headers });
      const sent = JSON.stringify(json).slice(0, 40);
      expect([sent, is, text]).toEqual([sent, status, expect.stringContaining(problem)]);
    }
    expect((await ask(what, { json: good, query: "x=1" })).status).toBe(400);
  });

  it.each(["short", "x".repeat(129), "two words", "caf\u00e9-0001", "\t12345678\t1"])(
    "refuses a key that is none: %s",
    async (key) => {
      const headers = { "idempotency-key": key };
      const reply = await ask(`POST /exceptions/${NOBODY}/notes`, { json: { text: "x" }, headers });
      expect([reply.status, reply.body["error"]]).toEqual([400, expect.stringContaining("Idempotency-Key must be")]);
    },
  );

  it.each([
    "..%2f..%2fetc",
    "%00",
    "a%0ab",
    "x".repeat(300),
    "%F0%9F%98%80",
    "%ff",
    "'%20or%201=1--",
    "-1",
    "0",
    "1e3",
  ])("answers an address that names nothing with its JSON: %s", async (name) => {
    for (const what of [
      ...[`GET /files/${name}`, `GET /files/${name}/lines`, `GET /runs/${name}`, `GET /profiles/${name}`],
      ...[`GET /exceptions/${name}`, `PUT /exceptions/${name}/owner`, `POST /exceptions/${name}/notes`],
      ...[`GET /proposals/${name}`, `POST /proposals/${name}/approve`, `POST /proposals/${name}/refuse`],
      ...[`GET /days/${name}`, `POST /days/${name}/close`, `GET /days/${name}/body`, `GET /days/${name}/report`],
    ]) {
      const { status, body } = await ask(what);
      expect([what, [400, 404, 422].includes(status), typeof body["error"]]).toEqual([what, true, "string"]);
    }
  });

  it("refuses steps out of their order", async () => {
    const json = { profile: "full", date: DAY };
    const early = await ask("POST /settlements", { json });
    expect([early.status, early.body["code"]]).toEqual([409, "not_reconciled"]);
    const unread = await ask(`POST /days/${DAY}/close`);
    expect([unread.status, unread.body["error"]]).toEqual([
      409,
      "day.csv not compared with the books yet: run the date first",
    ]);
    expect((await ask("POST /runs", { json })).status).toBe(200);
    expect((await ask(`POST /days/${DAY}/close`)).status).toBe(201);
    const skipping = await ask("POST /days/2026-11-10/close");
    expect([skipping.status, skipping.body["code"]]).toEqual([409, "close_order"]);
  });

  it("answers 503 to long work that is too much at once, and goes on", async () => {
    const many = await Promise.all(Array.from({ length: 12 }, () => ask("GET /ageing")));
    const statuses = new Set(many.map(({ status }) => status));
    expect([...statuses].every((status) => status === 200 || status === 503)).toBe(true);
    const refused = many.find(({ status }) => status === 503);
    expect([refused?.body["code"], refused?.headers.get("retry-after")]).toEqual(["overloaded", "5"]);
    expect((await ask("GET /ageing")).status).toBe(200);
  });

  it("describes every body as it is read, and every parameter of an upload", () => {
    for (const [what, name] of REQUESTS) {
      const [method = "", path = ""] = what.split(" ");
      const template = path
        .replace(/exceptions\/[^/]+/, "exceptions/{itemId}")
        .replace(/days\/[^/]+/, "days/{date}")
        .replace(/proposals\/[^/]+/, "proposals/{proposalId}");
      const described = operationOf(method.toLowerCase(), template).requestBody?.content["application/json"]?.schema;
      const { $schema: _dialect, ...read } = z.toJSONSchema(RECON_BODIES[name], { io: "input" });
      expect([what, described]).toEqual([what, JSON.parse(JSON.stringify(read))]);
    }
    const upload = operationOf("post", "/files").parameters?.map(({ name }) => name);
    expect(upload).toEqual(Object.keys(UPLOAD_FILTERS));
  });
});

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: unknown }>> };
}

function operationOf(method: string, path: string): Operation {
  const paths = openapi.paths as unknown as Record<string, Record<string, Operation>>;
  return paths[`/recon/v1${path}`]?.[method] ?? {};
}
