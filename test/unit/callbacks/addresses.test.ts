import { faultOfCallbackUrl, isPublic, vetTarget } from "../../../src/callbacks";

const answering =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

describe("addresses that callbacks may be sent to", () => {
  it.each([
    ["8.8.8.8", true],
    ["2606:4700::1111", true],
    ["127.0.0.1", false],
    ["127.255.255.254", false],
    ["0.0.0.0", false],
    ["10.1.2.3", false],
    ["172.16.0.1", false],
    ["172.31.255.255", false],
    ["172.32.0.1", true],
    ["192.168.1.1", false],
    ["169.254.169.254", false],
    ["100.64.0.1", false],
    ["224.0.0.1", false],
    ["255.255.255.255", false],
    ["::", false],
    ["::1", false],
    ["::ffff:127.0.0.1", false],
    ["::ffff:8.8.8.8", false],
    ["fc00::1", false],
    ["fd12::1", false],
    ["fe80::1", false],
    ["64:ff9b::7f00:1", false],
    ["2002:7f00:1::", false],
    ["ff02::1", false],
    ["not an address", false],
    ["", false],
  ])("%s is public: %s", (address, expected) => {
    expect(isPublic(address)).toBe(expected);
  });

  it.each([
    ["https://shop.example.com/callback", null],
    ["https://shop.example.com:8443/x?y=1", null],
    ["http://shop.example.com/", /https/],
    ["ftp://shop.example.com/", /https/],
    ["https://user:pass@shop.example.com/", /user name/],
    ["https://shop.example.com:22/", /port/],
    ["https://localhost/", /public host/],
    ["https://127.0.0.1/", /public host/],
    ["https://2130706433/", /public host/],
    ["https://0x7f000001/", /public host/],
    ["https://0177.0.0.1/", /public host/],
    ["https://[::1]/", /public host/],
    ["https://intranet/", /public host/],
    ["file:///etc/passwd", /https/],
    ["javascript:alert(1)", /https/],
    ["not a url", /not a URL/],
    [`https://${"a".repeat(600)}.com/`, /longer/],
    ["", /not a URL/],
  ])("%s at registration: %s", (url, expected) => {
    const fault = faultOfCallbackUrl(url, []) ?? "fine";
    expect(fault).toMatch(expected ?? /^fine$/);
  });

  it("are looked at again each time, and one private answer among public ones is enough to refuse", async () => {
    const url = "https://shop.example.com/";
    await expect(vetTarget(url, [], answering("8.8.8.8"))).resolves.toMatchObject({ address: "8.8.8.8", family: 4 });
    await expect(vetTarget(url, [], answering("8.8.8.8", "127.0.0.1"))).rejects.toThrow(/private network/);
    await expect(vetTarget(url, [], answering("::ffff:10.0.0.1"))).rejects.toThrow(/private network/);
    await expect(vetTarget(url, [], answering())).rejects.toThrow(/no IP address/);
    await expect(vetTarget("https://shop.example.com./", [], answering("10.0.0.1"))).rejects.toThrow(/private/);
  });

  it("may be private only when they are allowed by name", async () => {
    expect(faultOfCallbackUrl("http://127.0.0.1:9000/", ["127.0.0.1"])).toBeNull();
    expect(faultOfCallbackUrl("http://127.0.0.2:9000/", ["127.0.0.1"])).not.toBeNull();
    await expect(vetTarget("http://shop.internal/", ["shop.internal"], answering("10.0.0.1"))).resolves.toMatchObject({
      address: "10.0.0.1",
    });
  });
});
