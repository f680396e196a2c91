import { compileSources } from "../../../src/flows/sources";

function accepts(sources: readonly string[], address: string | null): boolean {
  const compiled = compileSources(sources);
  if (!compiled.ok) throw new Error(compiled.faults.join());
  return compiled.accepts(address);
}

describe("source addresses", () => {
  it.each<[readonly string[], string | null, boolean]>([
    [[], "203.0.113.9", true],
    [[], null, true],
    [["10.0.0.0/8"], "10.255.0.1", true],
    [["10.0.0.0/8"], "11.0.0.1", false],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["10.0.0.0/8"], "::FFFF:11.1.2.3", false],
    [["192.0.2.7"], "192.0.2.7", true],
    [["192.0.2.7"], "192.0.2.8", false],
    [["2001:db8::/32"], "2001:db8:1::1", true],
    [["2001:db8::/32"], "2001:db9::1", false],
    [["0.0.0.0/0"], "2001:db8::1", false],
    [["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", true],
    [["10.0.0.0/8"], null, false],
    [["10.0.0.0/8"], "", false],
    [["10.0.0.0/8"], "10.1", false],
    [["10.0.0.0/8"], "10.0.0.1, 1.2.3.4", false],
  ])("of the list %j: %j is accepted: %j", (sources, address, expected) => {
    expect(accepts(sources, address)).toBe(expected);
  });

  it("that are none are named all at once", () => {
    expect(compileSources(["10.0.0.0/8", "10.0.0", "1.2.3.4/33", "::1/129", "1.2.3.256"])).toEqual({
      ok: false,
      faults: [
        "sources: 10.0.0 is no IP address",
        "sources: 1.2.3.4/33 has a prefix longer than 32 bits",
        "sources: ::1/129 has a prefix longer than 128 bits",
        "sources: 1.2.3.256 is no IP address",
      ],
    });
  });
});
