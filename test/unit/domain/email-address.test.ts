import { faultOfEmailAddress } from "../../../src/domain";

const LONG = "a".repeat(63);

describe("an e-mail address", () => {
  it.each([
    "siti@example.com",
    "siti.aminah+bills@mail.example.co.id",
    "a@b.c",
    "!#$%&'*+/=?^_`{|}~-@example.com",
    "siti@xn--bcher-kva.example",
    `${"a".repeat(64)}@example.com`,
    `s@${LONG}.${LONG}.${LONG}.example`,
    "1@1.id",
  ])("is taken: %s", (text) => {
    expect(faultOfEmailAddress(text)).toBeNull();
  });

  it.each<[string, RegExp]>([
    ["", /empty/],
    ["siti", /no @/],
    ["@example.com", /1 to 64/],
    [`${"a".repeat(65)}@example.com`, /1 to 64/],
    ["siti@", /no domain with a dot/],
    ["siti@localhost", /no domain with a dot/],
    ["siti@example.com,evil@example.com", /more than one @/],
    ["siti@evil.com@example.com", /more than one @/],
    ["evil,siti@example.com", /has to be quoted/],
    ["<siti@example.com>", /has to be quoted/],
    ["Siti <siti@example.com>", /holds a blank/],
    ['"siti"@example.com', /has to be quoted/],
    ["(comment)siti@example.com", /has to be quoted/],
    ["siti;x@example.com", /has to be quoted/],
    ["siti@[127.0.0.1]", /no domain name/],
    ["siti@127.0.0.1", /no domain name/],
    ["siti@example.com>", /no domain name/],
    ["siti@-example.com", /no domain name/],
    ["siti@example-.com", /no domain name/],
    ["siti@example..com", /no domain name/],
    ["siti@.example.com", /no domain name/],
    ["siti@example.com.", /no domain name/],
    [`siti@${"a".repeat(64)}.example`, /no domain name/],
    ["siti@exa_mple.com", /no domain name/],
    [".siti@example.com", /a dot/],
    ["siti.@example.com", /a dot/],
    ["si..ti@example.com", /a dot/],
    ["siti@example.com\nBcc: evil@example.com", /holds a blank/],
    ["siti@example.com\r\n", /holds a blank/],
    ["siti\u0000@example.com", /holds a blank/],
    ["siti @example.com", /holds a blank/],
    ["siti@ex\u0430mple.com", /beyond ASCII/],
    [`${"a".repeat(64)}@${LONG}.${LONG}.${LONG}.example`, /longer than 254/],
  ])("is refused, with what is wrong: %j", (text, fault) => {
    expect(faultOfEmailAddress(text)).toMatch(fault);
  });

  it("of a hundred thousand characters is judged at once", () => {
    const startedMs = performance.now();
    for (const text of ["a@".repeat(50_000), `a@${"a.".repeat(50_000)}`, "a".repeat(100_000)])
      faultOfEmailAddress(text);
    expect(performance.now() - startedMs).toBeLessThan(50);
  });
});
