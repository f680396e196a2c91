import { loadCatalog, PRODUCTS } from "../../../src/flows";
import { ConfigFault, createSecretBox, type Statement, type Tx } from "../../../src/platform";

const SECRETS = createSecretBox([["test", Buffer.alloc(32, 7)]]);

function partnerRow(changes: Record<string, unknown> = {}) {
  const none = { credential_id: null, key_id: null, nonce: null, ciphertext: null, created_at: null };
  return {
    ...{ partner_id: 1, user_name: "bmandiri", name: "test", product_codes: ["001001"], dialect: {}, is_active: true },
    ...none,
    ...changes,
  };
}

const productRows = PRODUCTS.map(({ productCode, name, definition }) => ({
  product_code: productCode,
  name,
  definition,
}));

function load(partners: readonly unknown[], products: readonly unknown[] = productRows) {
  const run = async ({ name }: Statement) =>
    name.includes("partner") ? partners : name.includes("merchant") ? [] : products;
  return loadCatalog({ run } as unknown as Tx, SECRETS);
}

async function problemsOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const fault: unknown = await loading.catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(ConfigFault);
  return (fault as ConfigFault).problems;
}

describe("the catalog", () => {
  it("holds partners with their codes by name, and products by code", async () => {
    const catalog = await load([partnerRow({ dialect: { codes: { CONFLICT: "95" } } })]);
    expect([...catalog.products.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual(
      PRODUCTS.map(({ productCode }) => productCode).toSorted(),
    );
    expect(catalog.partners.get("bmandiri")).toMatchObject({
      partnerId: 1,
      passwords: [],
      codes: { CONFLICT: "95", APPROVED: "00", UNKNOWN: "68" },
    });
  });

  it("leaves out partners that are switched off, with their faults", async () => {
    const catalog = await load([partnerRow({ is_active: false, dialect: { nonsense: true } })]);
    expect(catalog.partners.size).toBe(0);
  });

  it("is refused with a code map in which a code stands for two classes, all of them named", async () => {
    const partners = [
      partnerRow({ dialect: { codes: { UNKNOWN: "14" } } }),
      partnerRow({ partner_id: 2, user_name: "other", dialect: { codes: { CONFLICT: "00" } } }),
    ];
    const problems = await problemsOf(load(partners));
    expect(problems).toEqual([
      expect.stringMatching(/^partner bmandiri: codes: 14 stands for outcomes of different classes/),
      expect.stringMatching(/^partner bmandiri: codes: 14 is a final decline/),
      expect.stringMatching(/^partner other: codes: 00 /),
    ]);
  });

  it("is refused with dialects, code maps and products that are wrong, all of them named at once", async () => {
    const products = [...productRows, { product_code: "900001", name: "x", definition: { bit61: 1 } }];
    const problems = await problemsOf(
      load(
        [
          partnerRow({ dialect: { codes: { UNKNOWN: "00" } } }),
          partnerRow({ partner_id: 2, user_name: "other", dialect: { deadlineMs: 1, sources: ["10.0.0.0/99"] } }),
          partnerRow({ partner_id: 3, user_name: "third", dialect: { sources: ["10.0.0.0/99", "::1"] } }),
        ],
        products,
      ),
    );
    expect(problems.slice(0, 3)).toEqual([
      expect.stringMatching(/^partner bmandiri: codes: 00/),
      expect.stringMatching(/^partner other: deadlineMs: /),
      "partner third: sources: 10.0.0.0/99 has a prefix longer than 32 bits",
    ]);
    expect(problems.slice(3).length).toBeGreaterThan(1);
    expect(problems.slice(3).filter((problem) => !problem.startsWith("product 900001: "))).toEqual([]);
  });

  it("is refused with a dialect that is wrong, the setting named", async () => {
    const partners = [partnerRow({ dialect: { cutOff: "25:00", deadlineMs: 1 } })];
    expect(await problemsOf(load(partners))).toEqual([
      expect.stringMatching(/^partner bmandiri: deadlineMs: /),
      expect.stringMatching(/^partner bmandiri: cutOff: /),
    ]);
  });
});
