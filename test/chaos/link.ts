import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What becomes of a chunk that passes: it goes on; half of it does and both ends are reset; and so on. */
export type Verdict = "pass" | "half" | "drop-and-cut" | "pass-and-cut" | Buffer;

/** A TCP line of our own between a host and a server. It holds bytes or cuts; it never loses some in the middle. */
export interface Link {
  readonly port: number;
  /** Where connections go that are made from now on. */
  aim(port: number): void;
  /** Holds everything, both ways, also of new connections, until `heal`. */
  stall(): void;
  /** The connections of this moment go silent until `heal`, which cuts them; new ones work. */
  strand(): void;
  /** Resets every connection. */
  reset(): void;
  /** Resets new connections at once, until `heal`. */
  refuse(): void;
  heal(): void;
  /** Decides about everything that clients send (or, `fromServer`, are sent); null: all of it passes. */
  judge: ((chunk: Buffer, fromServer: boolean) => Verdict) | null;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isStranded: boolean;
}

/** Opens the line on a free port of 127.0.0.1. */
export async function openLink(target: number): Promise<Link> {
  const pairs = new Set<Pair>();
  let aimedAt = target;
  let isStalled = false;
  let isRefusing = false;

  const listener = createServer((client) => {
    if (isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const pair: Pair = { client, server: connect(aimedAt, "127.0.0.1"), isStranded: false };
    pairs.add(pair);
    const cut = (): void => {
      pairs.delete(pair);
      client.destroy();
      pair.server.destroy();
    };
    join(pair, client, pair.server, false, cut);
    join(pair, pair.server, client, true, cut);
    if (isStalled) for (const socket of [client, pair.server]) socket.pause();
  });

  function join(pair: Pair, from: Socket, to: Socket, fromServer: boolean, cut: () => void): void {
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("close", cut);
    from.on("data", (chunk: Buffer) => {
      if (pair.isStranded) return;
      const verdict = link.judge?.(chunk, fromServer) ?? "pass";
      if (verdict === "pass") to.write(chunk);
      else if (verdict === "drop-and-cut") cut();
      else if (verdict === "half") to.write(chunk.subarray(0, Math.floor(chunk.length / 2)), cut);
      else if (verdict === "pass-and-cut") {
        // The other end gets it and acts on it; its answer finds nobody.
        pair.isStranded = true;
        to.write(chunk, () => setTimeout(cut, 50));
      } else to.write(verdict);
    });
  }

  const link: Link = {
    port: 0,
    judge: null,
    aim(port) {
      aimedAt = port;
    },
    stall() {
      isStalled = true;
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.pause();
    },
    strand() {
      for (const pair of pairs) pair.isStranded = true;
    },
    reset() {
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.resetAndDestroy();
    },
    refuse() {
      isRefusing = true;
      link.reset();
    },
    heal() {
      isStalled = false;
      isRefusing = false;
      link.judge = null;
      for (const { client, server, isStranded } of pairs) {
        for (const socket of [client, server]) {
          if (isStranded) socket.destroy();
          else socket.resume();
        }
      }
    },
    close: () =>
      new Promise((resolve) => {
        for (const { client, server } of pairs) for (const socket of [client, server]) socket.destroy();
        listener.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", () => resolve()));
  return Object.assign(link, { port: (listener.address() as AddressInfo).port });
}
