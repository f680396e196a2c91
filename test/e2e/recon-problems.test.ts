import openapi from "../../src/http/openapi.json";
import { RECON_PROBLEMS, type ReconProblem } from "../../src/http/middleware/problems";
import { fill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { askRecon, type ReconReply, type ReconRequest, reconToken } from "../support/recon-api";
import { createTestDatabase, type TestDatabase } from "../support/services";
import { DAY } from "../support/settlement-days";

jest.setTimeout(180_000);

const PARAMETERS: Readonly<Record<string, readonly [right: string, wrong: string]>> = {
  itemId: ["00000000-0000-4000-8000-000000000000", "A"],
  proposalId: ["00000000-0000-4000-8000-000000000000", "A"],
  fileId: ["999999", "x"],
  runId: ["999999", "x"],
  profile: ["nobody", "No_Code"],
  date: [DAY, "2026-02-30"],
};
/** Every method of every address. */
const ROUTES = Object.entries(openapi.paths as unknown as Record<string, Record<string, { requestBody?: unknown }>>)
  .filter(([path]) => path.startsWith("/recon/v1"))
  .flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.slice("/recon/v1".length),
      hasBody: requestBody !== undefined,
    })),
  );
const filled = (path: string, which: 0 | 1): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => PARAMETERS[name]?.[which] ?? "?");

/** Everything that is wrong with an answer as a problem document. */
function faultsOf(reply: ReconReply, statuses: readonly number[]): readonly string[] {
  const { status, body, headers } = reply;
  const { type, title, code, detail, error, problems, instance, ...rest } = body;
  const known = Object.hasOwn(RECON_PROBLEMS, String(code)) ? RECON_PROBLEMS[code as ReconProblem] : null;
  const checks: readonly (readonly [string, boolean])[] = [
    ["status", statuses.includes(status)],
    ["content type", /^application\/problem\+json\b/.test(headers.get("content-type") ?? "")],
    ["code", known !== null && (known[0] as readonly number[]).includes(status)],
    ["type", type === `urn:biller:problem:${String(code)}`],
    ["title", title === known?.[1]],
    ["status member", rest["status"] === status],
    ["detail", typeof detail === "string" && detail !== "" && detail === error],
    ["problems", problems === undefined || (Array.isArray(problems) && problems.length > 0)],
    ["instance", instance === undefined || (typeof instance === "string" && /^urn:uuid:[0-9a-f-]{36}$/.test(instance))],
    ["other members", Object.keys(rest).join() === "status"],
  ];
  return checks.flatMap(([what, holds]) => (holds ? [] : [`${what}: ${status} ${reply.text.slice(0, 200)}`]));
}

describe("every refusal of /recon/v1", () => {
  let database: TestDatabase;
  let host: TestHost;
  const tokens: string[] = [];
  let asked = 0;
  /** Each token is used less often than it may be. */
  const ask = (what: string, request: ReconRequest = {}): Promise<ReconReply> =>
    askRecon(host.url, tokens[Math.floor((asked += 1) / 40)] ?? null, what, request);

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, []);
    host = await startTestHost(database);
    for (let n = 0; n < 12; n += 1) tokens.push(await reconToken(database, `person ${n}`));
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  it("knows all addresses", () => {
    expect(ROUTES.length).toBeGreaterThan(35);
  });

  it.each(ROUTES)("is a problem document: $method $path", async ({ method, path, hasBody }) => {
    const what = `${method} ${filled(path, 0)}`;
    const faults: string[] = [];
    const check = async (name: string, statuses: readonly number[], reply: Promise<ReconReply>): Promise<void> => {
      faults.push(...faultsOf(await reply, statuses).map((fault) => `${name}: ${fault}`));
    };
    const other = await reconToken(database, "nobody", ["ledger"]);
    await check("no scope", [403], askRecon(host.url, other, what));
    // The lines of a file that is not there are not asked for.
    const unknown = path === "/files/{fileId}/lines" ? [404] : [400];
    await check("unknown parameter", unknown, ask(what, { query: { nonsense: "1" } }));
    if (path.includes("{")) await check("wrong address", [400], ask(`${method} ${filled(path, 1)}`));
    await check("wrong method", [405], ask(`PATCH ${filled(path, 0)}`));
    if (hasBody && path !== "/files") {
      const json = { "content-type": "application/json" };
      await check("no JSON", [422], ask(what, { json: "{" }));
      await check("not an object", [422], ask(what, { json: [] }));
      await check("too large", [413], ask(what, { json: { text: "x".repeat(20_000) } }));
      await check("wrong type", [415], ask(what, { json: "{}", headers: { "content-type": "text/plain" } }));
      await check("compressed", [415], ask(what, { json: "{}", headers: { ...json, "content-encoding": "gzip" } }));
      if (path !== "/profiles/check") await check("unknown member", [422], ask(what, { json: { nonsense: 1 } }));
    }
    expect(faults).toEqual([]);
  });

  it.each([
    ["no such address", "GET /nonsense", {}, 404, "not_found"],
    ["nothing of this number", "GET /files/999999", {}, 404, "not_found"],
    ["no such exception", `GET /exceptions/${PARAMETERS["itemId"]?.[0]}`, {}, 404, "no_exception"],
    ["no such profile", "GET /profiles/nobody", {}, 404, "unknown_profile"],
    ["a day that is open", `GET /days/${DAY}`, {}, 404, "day_open"],
    [
      "a file of another type",
      "POST /files",
      { file: "x", query: { profile: "a", fileName: "b" }, headers: { "content-type": "image/png" } },
      415,
      "content_type",
    ],
    ["a file without a name", "POST /files", { file: "x" }, 400, "upload"],
    [
      "a bad key",
      "POST /bank-credits",
      { json: { amount: "1", date: DAY, reference: "1" }, headers: { "idempotency-key": "short" } },
      400,
      "request_key",
    ],
    ["a cursor of another list", "GET /exceptions", { query: { cursor: "eA" } }, 400, "question"],
    ["a cursor of approvals", "POST /approvals", { json: { all: true, after: "eA" } }, 422, "cursor"],
  ] as const)("says its own word: %s", async (_, what, request, status, code) => {
    const reply = await ask(what, request);
    expect(faultsOf(reply, [status])).toEqual([]);
    expect(reply.body["code"]).toBe(code);
  });

  it("stays one when asked too often, with a token or without", async () => {
    const own = await reconToken(database, "hasty", ["recon:read"]);
    const hasty = await Promise.all(Array.from({ length: 90 }, () => askRecon(host.url, own, "GET /due-rule")));
    const refused = hasty.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.flatMap((reply) => faultsOf(reply, [429]))).toEqual([]);
    const guesses: ReconReply[] = [];
    for (const { method, path } of ROUTES) guesses.push(await askRecon(host.url, null, `${method} ${filled(path, 0)}`));
    expect(guesses[0]?.status).toBe(401);
    expect(guesses.flatMap((reply) => faultsOf(reply, [401, 429]))).toEqual([]);
    expect(guesses.at(-1)?.status).toBe(429);
  });
});
