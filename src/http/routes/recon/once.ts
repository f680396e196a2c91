import type { Context } from "koa";
import { jsonText, type ReconAsking, type ReconRouteDeps, requestKeyOf } from "../../middleware/recon-door";

/** The transaction that a desk hands out. */
type Tx = Parameters<Parameters<ReconRouteDeps["recon"]["once"]>[1]>[0];

/**
 * Does what a request asks for, in one transaction, once for each Idempotency-Key: a repeat gets the same bytes, and
 * `X-Replayed: true` beside them.
 */
export async function answerOnce(
  { recon }: ReconRouteDeps,
  ctx: Context,
  asking: ReconAsking,
  body: unknown,
  work: (tx: Tx) => Promise<readonly [status: number, value: unknown]>,
): Promise<void> {
  const request = {
    person: asking.actor.name,
    key: requestKeyOf(ctx),
    what: `${ctx.method} ${ctx.path}\n${jsonText(body)}`,
  };
  const answer = await recon.once(request, async (tx) => {
    const [status, value] = await work(tx);
    return { status, body: jsonText(value) };
  });
  ctx.status = answer.status;
  ctx.type = "application/json; charset=utf-8";
  ctx.body = answer.body;
  if (answer.isReplay) {
    ctx.set("X-Replayed", "true");
    asking.note = "repeated";
  }
}
