import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort } from "../../src/platform/embedded/free-port";
import { fill, inquiryMessage, paymentMessage } from "../support/builders";
import { startTestHost, type TestHost } from "../support/host";
import { addMerchant, billingRequest, callBilling, SECRETS } from "../support/merchants";
import { createTestDatabase, type TestDatabase } from "../support/services";

jest.setTimeout(60_000);

const DIR = join(__dirname, "..", "..", "docs", "receivers");
/** Interpreters, and how each runs its receiver. Those that the machine has not are left out. */
const RECEIVERS = (
  [
    [process.execPath, "receiver.mjs", (file: string) => [file]],
    ["python3", "receiver.py", (file: string) => [file]],
    ["php", "receiver.php", (file: string, port: number) => ["-S", `127.0.0.1:${port}`, file]],
  ] as const
).filter(([command]) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0);

const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the receiver does not listen");
}

describe("the receivers in the docs", () => {
  let database: TestDatabase;
  let host: TestHost;
  afterEach(async () => {
    await host.stop();
    await database.drop();
  });

  it.each(RECEIVERS.map(([command, file, argsOf]) => [file, command, argsOf] as const))(
    "take a real callback once, and nothing that is forged, changed or stale: %s",
    async (file, command, argsOf) => {
      const port = await freePort();
      const env = { PATH: process.env["PATH"], PORT: String(port), CALLBACK_SECRET: SECRETS.callback };
      const child = spawn(command, argsOf(join(DIR, file), port), { env, stdio: ["ignore", "pipe", "ignore"] });
      children.add(child);
      let out = "";
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      await untilListening(port);
      const url = `http://127.0.0.1:${port}/`;

      database = await createTestDatabase();
      await fill(database, []);
      await addMerchant(database, { callbackUrl: url });
      host = await startTestHost(database, { settings: { CALLBACK_ALLOWED_HOSTS: "127.0.0.1" } });
      const request = billingRequest({ customer_name: "Zoë 🎉" });
      const { fields: created } = await callBilling(`${host.url}/billing/create`, { body: request });
      const common = { productCode: "900001", billNumber: String(created["billing_id"]) };
      const { fields } = await host.send(inquiryMessage({ ...common, bit61: common.billNumber }));
      const { amount, feeAmount, bit61 } = fields as { amount: string; feeAmount: string; bit61: string };
      await host.send(paymentMessage({ ...common, amount, feeAmount, bit61 }));
      for (let tries = 0; tries < 200 && !out.includes("\n"); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const [row] = await database.query<{ event_id: string }>(`select event_id from outbox`);
      const line = `${row?.event_id} ${String(created["transaction_number"])} PAID 50000\n`;
      expect(out).toBe(line);
      const attemptsOf = () => database.query(`select http_status, fault from callback_attempt`);
      for (let tries = 0; tries < 100 && (await attemptsOf()).length === 0; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(await attemptsOf()).toEqual([{ http_status: 204, fault: null }]);

      const now = Math.floor(Date.now() / 1_000);
      const send = async (body: string, timestamp: string, key: string, sent = body, prefix = "v1=") => {
        const id = row?.event_id ?? "";
        const digest = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("hex");
        const headers = { "x-event-id": id, "x-timestamp": timestamp, "x-signature": `${prefix}${digest}` };
        return (await fetch(url, { method: "POST", body: sent, headers })).status;
      };
      const body = JSON.stringify({ transaction_number: "A", billing_status: "PAID", payment_amount: "1" });
      expect(await send(body, String(now), "another key")).toBe(401);
      expect(await send(body, String(now), SECRETS.callback, body.replace("PAID", "VOID"))).toBe(401);
      expect(await send(body, String(now - 600), SECRETS.callback)).toBe(401);
      expect(await send(body, "soon", SECRETS.callback)).toBe(401);
      expect((await fetch(url, { method: "POST", body })).status).toBe(401);
      expect(out).toBe(line);
      // While a key is being replaced, the second signature is the one that fits.
      const other = `v1=${"0".repeat(64)},v1=`;
      expect(await send(body, String(now), SECRETS.callback, body, other)).toBe(204);
      child.kill("SIGKILL");
      // The ones that remember have seen this id; a second line would be a second delivery of goods.
      expect(out.split("\n")).toHaveLength(file.endsWith(".php") ? 3 : 2);
    },
  );
});
