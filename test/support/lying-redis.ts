import { type AddressInfo, createServer, type Socket } from "node:net";

/** A server that speaks Redis and grants every lock to everybody, or to nobody. */
export interface LyingRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** @param verdict 1: every key is granted, whoever holds it; 0: every key is held by somebody else */
export async function startLyingRedis(verdict: 0 | 1): Promise<LyingRedis> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (let command = takeCommand(); command !== null; command = takeCommand()) socket.write(answerTo(command));
    });
    function takeCommand(): string[] | null {
      const count = /^\*([0-9]+)\r\n/.exec(received);
      if (count === null) return null;
      let at = count[0].length;
      const words: string[] = [];
      for (let n = 0; n < Number(count[1]); n++) {
        const length = /^\$([0-9]+)\r\n/.exec(received.slice(at));
        if (length === null) return null;
        at += length[0].length;
        if (received.length < at + Number(length[1]) + 2) return null;
        words.push(received.slice(at, at + Number(length[1])));
        at += Number(length[1]) + 2;
      }
      received = received.slice(at);
      return words;
    }
  });
  function answerTo([name = "", , keyCount = "0"]: readonly string[]): string {
    if (name.toLowerCase() !== "eval") return "+OK\r\n";
    const keys = Number(keyCount);
    return `*${keys}\r\n${`:${verdict}\r\n`.repeat(keys)}`;
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
