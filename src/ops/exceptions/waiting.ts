import { Fault, type Statement, type Tx } from "../../platform";

/** Proposals of a batch, decided or not, or everything that waits and that others than `proposer` have proposed. */
export type WaitingFilter = { readonly batch: string } | { readonly all: true; readonly proposer: string };

/** A part of what a filter finds, in order, and where each of it stands. */
export interface WaitingPart {
  readonly proposals: readonly { readonly proposalId: string; readonly key: string }[];
  readonly hasMore: boolean;
}

const KEY_TIME = `to_char(p.proposed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * What has never failed first, then what failed before this round began: what fails in it is not met again, and a new round
 * begins with what has not had a turn. $1 who may not decide, $2 beginning of the round, $3 to $5 the key it goes on from.
 */
const OF_ALL: Statement = {
  name: "ops_page_waiting_proposals",
  text: `
    select p.proposal_id as "proposalId", (p.last_failed_at is not null) as "hasFailed", ${KEY_TIME} as "proposedAt"
      from exception_proposal p
     where p.decision is null and lower(btrim(p.proposed_by)) <> $1
       and (p.last_failed_at is null or p.last_failed_at < $2::timestamptz)
       and ($3::boolean is null
            or ((p.last_failed_at is not null), p.proposed_at, p.proposal_id) > ($3::boolean, $4::timestamptz, $5::uuid))
     order by (p.last_failed_at is not null), p.proposed_at, p.proposal_id limit $6::int`,
};
/** $1 the batch, $2 and $3 the key it goes on from. */
const OF_BATCH: Statement = {
  name: "ops_page_batch_proposals",
  text: `
    select p.proposal_id as "proposalId", false as "hasFailed", ${KEY_TIME} as "proposedAt"
      from exception_proposal p
     where p.batch_id = $1::uuid
       and ($2::timestamptz is null or (p.proposed_at, p.proposal_id) > ($2::timestamptz, $3::uuid))
     order by p.proposed_at, p.proposal_id limit $4::int`,
};
const NOW: Statement = {
  name: "ops_now_text",
  text: `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
};

interface Key {
  readonly startedAt: string;
  readonly hasFailed: boolean;
  readonly proposedAt: string;
  readonly proposalId: string;
}

/**
 * The next proposals of a filter, from where a round left off.
 *
 * @param after the key of the last proposal that had its turn; null: a new round
 * @throws Fault `no_proposal`: there is no such batch; `cursor`: `after` is none of ours, or of something else
 */
export async function nextWaiting(
  tx: Tx,
  filter: WaitingFilter,
  after: string | null,
  limit: number,
): Promise<WaitingPart> {
  const subject = "all" in filter ? "all" : filter.batch;
  const key = after === null ? null : readKey(subject, after);
  const startedAt = key?.startedAt ?? (await tx.run<{ now: string }>(NOW, []))[0]?.now ?? "";
  const from = [key?.proposedAt ?? null, key?.proposalId ?? null];
  const rows = await tx.run<Omit<Key, "startedAt">>(
    "all" in filter ? OF_ALL : OF_BATCH,
    "all" in filter
      ? [filter.proposer.trim().toLowerCase(), startedAt, key?.hasFailed ?? null, ...from, limit + 1]
      : [filter.batch, ...from, limit + 1],
  );
  if (!("all" in filter) && key === null && rows.length === 0) {
    throw new Fault("no_proposal", `there is no batch ${filter.batch}`);
  }
  return {
    proposals: rows.slice(0, limit).map((row) => ({
      proposalId: row.proposalId,
      key: writeKey(subject, { startedAt, ...row }),
    })),
    hasMore: rows.length > limit,
  };
}

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function writeKey(subject: string, { startedAt, hasFailed, proposedAt, proposalId }: Key): string {
  return Buffer.from([subject, startedAt, hasFailed ? "1" : "0", proposedAt, proposalId].join("|")).toString(
    "base64url",
  );
}

function readKey(subject: string, text: string): Key {
  const [of, startedAt = "", hasFailed = "", proposedAt = "", proposalId = "", ...rest] = Buffer.from(text, "base64url")
    .toString("utf8")
    .split("|");
  if (of !== subject || rest.length > 0 || !TIME.test(startedAt) || !TIME.test(proposedAt) || !UUID.test(proposalId)) {
    throw new Fault("cursor", "after is not one of ours: hand back `next` unchanged, with the same request");
  }
  return { startedAt, hasFailed: hasFailed === "1", proposedAt, proposalId };
}
