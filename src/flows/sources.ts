import { BlockList, isIP } from "node:net";

/** Whether a message may come from an address. */
export type SourceCheck = (address: string | null) => boolean;

/** What compiling a list of sources gives: the check, or everything that is wrong with the list. */
export type CompiledSources =
  { readonly ok: true; readonly accepts: SourceCheck } | { readonly ok: false; readonly faults: readonly string[] };

const IPV4_MAPPED = /^::ffff:([0-9.]+)$/i;

/**
 * Compiles addresses and CIDR ranges of both families. An empty list accepts any address; any other list accepts no caller
 * whose address is not known.
 */
export function compileSources(sources: readonly string[]): CompiledSources {
  const list = new BlockList();
  const faults: string[] = [];
  for (const source of sources) {
    const [address = "", bits] = source.split("/");
    const family = isIP(address);
    const width = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? width : Number(bits);
    if (family === 0) faults.push(`sources: ${source} is no IP address`);
    else if (prefix > width) faults.push(`sources: ${source} has a prefix longer than ${width} bits`);
    else list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  if (faults.length > 0) return { ok: false, faults };
  if (sources.length === 0) return { ok: true, accepts: () => true };
  return {
    ok: true,
    accepts(address) {
      const plain = address === null ? "" : (IPV4_MAPPED.exec(address)?.[1] ?? address);
      const family = isIP(plain);
      return family !== 0 && list.check(plain, family === 4 ? "ipv4" : "ipv6");
    },
  };
}
