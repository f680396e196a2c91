import { createHash } from "node:crypto";
import openapi from "../../src/http/openapi.json";
import { AUDIT_LISTINGS, BALANCE_FILTERS, type FilterSpecs } from "../../src/ops";
import { askAudit, auditToken, type AuditReply } from "../support/audit";
import { fill, paymentMessage, telkomBill } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { type HostileAnswer, HOSTILE, faultOfHostile } from "../support/hostile";
import { createTestDatabase, type TestDatabase } from "../support/services";

const QUESTIONS: readonly (readonly [path: string, specs: FilterSpecs, isList: boolean])[] = [
  ...AUDIT_LISTINGS.map((each) => [`/${each.name}`, each.filters, true] as const),
  ...AUDIT_LISTINGS.map((each) => [`/${each.name}/export`, each.filters, false] as const),
  ["/balances", BALANCE_FILTERS, false],
];
describe("hostile questions to the audit API", () => {
  let database: TestDatabase;
  let host: TestHost;
  let token: string;
  const ask = (path: string, query: Record<string, string> | string = {}): Promise<AuditReply> =>
    askAudit(host.url, token, path, query);

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database, [telkomBill()]);
    host = await startTestHost(database);
    await host.send(paymentMessage());
  });
  // A token may ask so often only.
  beforeEach(async () => {
    token = await auditToken(database);
  });
  afterAll(async () => {
    await host.stop();
    await database.drop();
  });

  it.each(QUESTIONS)("survives every value in every parameter of %s", async (path, specs, isList) => {
    const before = await database.query(`select count(*) from trax`);
    const names = [...Object.keys(specs), ...(isList ? ["limit", "order", "cursor"] : ["format"])];
    const answers: HostileAnswer[] = [];
    for (const name of names) {
      token = await auditToken(database);
      for (const value of HOSTILE) answers.push({ name, value, reply: await ask(path, { [name]: value }) });
    }
    expect(answers.flatMap((answer) => faultOfHostile(answer, specs[answer.name]?.kind))).toEqual([]);
    expect(await database.query(`select count(*) from trax`)).toEqual(before);
  });

  it.each(QUESTIONS.map(([path]) => path))(
    "refuses what it does not know, twice, empty or not UTF-8: %s",
    async (path) => {
      const [name] = Object.keys(QUESTIONS.find(([each]) => each === path)?.[1] ?? {});
      for (const [query, problem] of [
        ["nonsense=1", /^nonsense is no parameter here; known: /],
        ["__proto__=1", /^__proto__ is no parameter here/],
        ["constructor=1", /^constructor is no parameter here/],
        [`${name}=a&${name}=b`, /is given more than once$/],
        [`${name}=`, /is empty: leave it out instead$/],
        [`${name}[]=a`, /is no parameter here/],
        [`${name}=%ff%fe`, /is not UTF-8, percent-encoded$/],
        ["é=1", /^\? is no parameter here/],
        [`x=${"y".repeat(5_000)}`, /longer than 4096 characters$/],
      ] as const) {
        const { status, body } = await ask(path, query);
        expect([query.slice(0, 40), status]).toEqual([query.slice(0, 40), 400]);
        expect(body["problems"]).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
      }
    },
  );

  it("survives every value for the partner of a proof", async () => {
    const answers: HostileAnswer[] = [];
    for (const value of HOSTILE) {
      const reply = await ask("/payments/1/proof", { partner: value });
      if (reply.status !== 404 || !/^[ -~]{1,100}$/.test(value)) answers.push({ name: "partner", value, reply });
    }
    expect(answers.length).toBeGreaterThan(3);
    expect(answers.flatMap((answer) => faultOfHostile(answer, "uuid"))).toEqual([]);
  });

  it("refuses limits that are none, and ranges that hold nothing", async () => {
    for (const limit of ["0", "501", "1000000", "-1", "1.0", " 5", "5 ", "1e2", "٥"]) {
      expect([limit, (await ask("/payments", { limit })).status]).toEqual([limit, 400]);
    }
    for (const [query, problem] of [
      [{ amountMin: "2", amountMax: "1" }, "amountMin must be before amountMax"],
      [{ from: "2026-01-01T00:00:00Z", to: "2026-01-01T07:00:00+07:00" }, "from must be before to"],
      [{ businessFrom: "2026-01-02", businessTo: "2026-01-01" }, "businessFrom must be before businessTo"],
    ] as const) {
      expect((await ask("/payments", query)).body["problems"]).toEqual([problem]);
    }
    const many = await ask("/payments", { limit: "0", order: "up", amountMin: "x", nope: "1" });
    expect(many.body["problems"]).toEqual([expect.stringMatching(/^nope is no parameter/)]);
    const three = await ask("/payments", { limit: "0", order: "up", amountMin: "x" });
    expect(three.body["problems"]).toHaveLength(3);
  });

  it("takes a blank for the plus of an offset, which a query string makes of it", async () => {
    expect((await ask("/payments", "from=2026-01-01T00:00:00+07:00&to=2099-01-01T00:00:00%2B07:00")).status).toBe(200);
  });

  it("takes a cursor only where it came from", async () => {
    for (let n = 0; n < 3; n++) await host.send(paymentMessage({ amount: "1" }));
    const { next } = (await ask("/payments", { limit: "1" })).body as { next: string };
    expect((await ask("/payments", { limit: "3", cursor: next })).status).toBe(200);
    for (const [path, query] of [
      ["/payments", { order: "asc" }],
      ["/payments", { outcome: "APPROVED" }],
      ["/journal-entries", {}],
      ["/postings", {}],
      ["/attempts", {}],
    ] as const) {
      const { status, body } = await ask(path, { ...query, cursor: next });
      expect([status, body["problems"]]).toEqual([400, [expect.stringMatching(/belongs to another listing/)]]);
    }
    const [version, digest] = JSON.parse(Buffer.from(next, "base64url").toString()) as [number, string, string[]];
    const forged = [
      ...[
        [version, digest],
        [version, digest, []],
        [version, digest, [1]],
        [version, digest, ["x"]],
      ],
      ...[[version, digest, ["' or 1=1"]], [2, digest, ["a"]], {}, null, "x", [version, digest, { 0: "x" }]],
      [version, digest, ["01980000-0000-7000-8000-000000000000", "2"]],
    ].map((each) => Buffer.from(JSON.stringify(each)).toString("base64url"));
    for (const cursor of [...forged, next.slice(0, -3), `${next}AA`, "A".repeat(1_025), "====", "é"]) {
      const { status, body } = await ask("/payments", { limit: "1", cursor });
      expect([cursor.slice(0, 60), status]).toEqual([cursor.slice(0, 60), 400]);
      expect(body["problems"]).toEqual([expect.stringMatching(/^cursor /)]);
    }
  });

  it.each(["..%2f..%2fetc", "%00", "a%0ab", "x".repeat(33), "%F0%9F%98%80", "%ff", "'%20or%201=1--"])(
    "answers a traxId that is none with its JSON: %s",
    async (traxId) => {
      const { status, body } = await ask(`/payments/${traxId}/dossier`);
      expect([400, 404]).toContain(status);
      expect(body["error"]).toEqual(expect.any(String));
      expect([400, 404]).toContain((await ask(`/exports/${traxId}`)).status);
      const proof = await ask(`/payments/${traxId}/proof`);
      expect([400, 404]).toContain(proof.status);
      expect(proof.body["error"]).toEqual(expect.any(String));
    },
  );

  it("reads only: other methods are refused, whoever asks", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const response = await fetch(`${host.url}/audit/v1/payments`, {
        method,
        headers: { authorization: `Bearer ${token}` },
      });
      expect([method, response.status]).toEqual([method, 405]);
    }
  });

  it("describes every parameter that it takes, and no other", () => {
    const paths = openapi.paths as unknown as Record<string, { get: { parameters: { name: string }[] } }>;
    for (const [path, specs, isList] of QUESTIONS) {
      const described = paths[`/audit/v1${path}`]?.get.parameters.map(({ name }) => name);
      const isExport = path.endsWith("/export");
      const known = [...Object.keys(specs), ...(isList ? ["limit", "order", "cursor"] : isExport ? ["format"] : [])];
      expect([path, described]).toEqual([path, known]);
    }
  });

  it("stays itself: what it was asked is in the log of reads, and nothing has changed", async () => {
    await ask("/payments", { traxId: "'; drop table trax; --" });
    const { data } = await ask("/reads", { limit: "500" });
    expect(data.length).toBeGreaterThan(100);
    const digest = createHash("sha256").update(token).digest("hex");
    expect(JSON.stringify(data)).not.toContain(digest);
    expect(JSON.stringify(data)).not.toContain(token);
  });
});
