import { createServer } from "node:net";
import { Fault } from "../../platform";
import { freePort } from "../../platform/embedded";

/** Ports of the demo's processes. */
export interface DemoPorts {
  readonly shop: number;
  readonly finpay: number;
  readonly host: number;
}

/**
 * Three ports of 127.0.0.1: from `first` on, or any free ones when that is 0.
 *
 * @throws Fault `port_in_use` that says what can be done
 */
export async function demoPorts(first: number): Promise<DemoPorts> {
  if (first === 0) return { shop: await freePort(), finpay: await freePort(), host: await freePort() };
  const ports = { shop: first, finpay: first + 1, host: first + 2 };
  const taken: string[] = [];
  for (const [who, port] of Object.entries(ports)) {
    const problem = await problemOf(port);
    if (problem !== null) taken.push(`port ${port} (for the ${who}) ${problem}`);
  }
  if (taken.length === 0) return ports;
  throw new Fault(
    "port_in_use",
    `${taken.join("; ")}.\nIs another demo running? Otherwise choose other ports: biller demo --port 9090 ` +
      "takes 9090 to 9092, and --port 0 takes any free ones.",
  );
}

function problemOf(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "EADDRINUSE" ? "is in use" : `cannot be used: ${error.message}`);
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(null)));
  });
}
