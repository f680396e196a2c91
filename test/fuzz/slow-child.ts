import { holdSlowSockets } from "./slow-sockets";

/**
 * Slow connections from a process of their own: arguments are port, count, milliseconds, connections per second, and 1 for
 * opening again what was closed.
 */
async function main(): Promise<void> {
  const [port = 0, count = 0, forMs = 0, perSecond = 0, stubborn = 0] = process.argv.slice(2).map(Number);
  const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const results = await holdSlowSockets({
    ...{ port, count, forMs, perSecond, isStubborn: stubborn === 1 },
    onOpen: (open) => tell({ open }),
  });
  tell({ results });
}

void main();
