import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a real server whose connections a test can cut or stall. */
export interface CuttableProxy {
  readonly port: number;
  /** Called with everything a client sends; what it answers decides about that chunk. */
  onClientData: (chunk: Buffer) => "pass" | "drop-and-cut" | "pass-and-cut" | "stall";
  /** Cuts every connection now. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Opens a proxy to 127.0.0.1:`target`. */
export async function openProxy(target: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  const proxy: CuttableProxy = {
    port: 0,
    onClientData: () => "pass",
    cutAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        proxy.cutAll();
        server.close(() => resolve());
      }),
  };
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    let isStalled = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      const verdict = isStalled ? "stall" : proxy.onClientData(chunk);
      if (verdict === "stall") isStalled = true;
      if (verdict === "pass") upstream.write(chunk);
      if (verdict === "drop-and-cut") client.destroy();
      // The server gets it and acts on it; the answer finds nobody.
      if (verdict === "pass-and-cut") {
        isStalled = true;
        upstream.write(chunk, () => setTimeout(() => client.destroy(), 50));
      }
    });
    upstream.on("data", (chunk: Buffer) => {
      if (!isStalled) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return Object.assign(proxy, { port: (server.address() as AddressInfo).port });
}
