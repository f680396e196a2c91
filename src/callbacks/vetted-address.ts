import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { Fault } from "../platform";

/** An address of the world that a callback may be sent to. */
export interface VettedTarget {
  readonly url: URL;
  /** The only address that is connected to: what the name means may have changed by then. */
  readonly address: string;
  readonly family: 4 | 6;
}

/** Resolves a name to all its addresses. Tests hand in their own. */
export type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true, verbatim: true });

/** Networks that are not the public internet: our own machine, private ones, shared, link-local, reserved, tunnels. */
const REFUSED: readonly (readonly [network: string, bits: number, family: "ipv4" | "ipv6"])[] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["::", 127, "ipv6"],
  ["::ffff:0:0", 96, "ipv6"],
  ["64:ff9b::", 96, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["100::", 64, "ipv6"],
  ["2001::", 23, "ipv6"],
  ["2001:db8::", 32, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
];
/** One list for each family: a list that holds ::ffff:0:0/96 takes every IPv4 address for one of it. */
const blocked = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, bits, family] of REFUSED) blocked[family].addSubnet(network, bits, family);

/**
 * Checks an address that a merchant gave, as text: https only, no user in it, no odd port. To be called when it is
 * registered; what the name means is looked at each time it is used.
 *
 * @param allowedHosts names and addresses that may be private and may use http: for tests and for merchants inside one's
 * own network
 * @returns what is wrong with it, or null
 */
export function faultOfCallbackUrl(text: string, allowedHosts: readonly string[]): string | null {
  if (text.length > 500) return "is longer than 500 characters";
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "is not a URL";
  }
  if (url.username !== "" || url.password !== "") return "must hold no user name or password";
  const isAllowed = allowedHosts.includes(url.hostname);
  if (url.protocol !== "https:" && !(isAllowed && url.protocol === "http:")) return "must begin with https://";
  if (url.port !== "" && url.port !== "443" && url.port !== "8443" && !isAllowed) return "must use port 443 or 8443";
  if (!isAllowed && (isIP(bare(url.hostname)) !== 0 || !url.hostname.includes("."))) return "must name a public host";
  return null;
}

/**
 * Resolves the name of a callback address and makes sure that it leads to the public internet.
 *
 * @throws Fault `callback_address` when any of its addresses does not
 */
export async function vetTarget(
  text: string,
  allowedHosts: readonly string[],
  resolve: Resolve = systemResolve,
): Promise<VettedTarget> {
  const problem = faultOfCallbackUrl(text, allowedHosts);
  if (problem !== null) throw new Fault("callback_address", `the callback address ${problem}`);
  const url = new URL(text);
  const hostname = bare(url.hostname);
  const addresses = await resolve(hostname);
  const [first] = addresses;
  if (first === undefined) throw new Fault("callback_address", "the callback address has no IP address");
  // One bad answer among good ones is enough: the next connection might get it.
  if (!allowedHosts.includes(url.hostname) && addresses.some(({ address }) => !isPublic(address))) {
    throw new Fault("callback_address", "the callback address leads into a private network");
  }
  return { url, address: first.address, family: first.family === 6 ? 6 : 4 };
}

/** Whether an IP address is one of the public internet. */
export function isPublic(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  return !blocked[family].check(address, family);
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
