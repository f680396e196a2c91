import {
  type Clock,
  type Db,
  deadlineIn,
  type Logger,
  messageOf,
  type Statement,
  startBackgroundWriter,
} from "../../platform";

/** One question that was asked. */
export interface AuditRead {
  readonly readId: string;
  readonly readAtMs: number;
  readonly tokenId: string | null;
  readonly tokenName: string | null;
  readonly route: string;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly httpStatus: number;
  readonly rowCount: number;
  readonly durationMs: number;
  readonly sourceAddress: string | null;
  readonly note: string | null;
  /** Manifest of an export. */
  readonly export: Readonly<Record<string, unknown>> | null;
}

/** Keeps who has read what. */
export interface ReadLog {
  /** False when so much is unwritten that nothing more may be read: questions are then refused, not answered unseen. */
  readonly hasRoom: boolean;
  /** Questions that were answered and are not in the table yet. */
  readonly unwritten: number;
  record(read: AuditRead): void;
  /** Writes what is in memory. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const INSERT: Statement = {
  name: "audit_insert_reads",
  isWrite: true,
  text: `
    insert into audit_read (read_id, read_at, token_id, token_name, route, filter, http_status, row_count, duration_ms,
                            source_address, note, export)
    select read_id, to_timestamp(read_at_ms / 1000.0), token_id, token_name, route, filter, http_status, row_count,
           duration_ms, source_address, note, export
      from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::smallint[],
                  $8::bigint[], $9::int[], $10::text[], $11::text[], $12::jsonb[])
           as i(read_id, read_at_ms, token_id, token_name, route, filter, http_status, row_count, duration_ms,
                source_address, note, export)
    on conflict do nothing`,
};

const FLUSH_EVERY_MS = 200;
const BATCH_MAX = 200;
const UNWRITTEN_MAX = 2_000;
const WRITE_TIMEOUT_MS = 5_000;

/**
 * Starts the log. Every read is one line of the process's log at once, and a row behind the answer: a process that is killed
 * leaves the line. While the database takes no rows they are kept in memory, up to a limit.
 */
export function openReadLog({
  db,
  clock,
  logger,
}: {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
}): ReadLog {
  let buffer: AuditRead[] = [];

  async function writeAll(): Promise<void> {
    while (buffer.length > 0) {
      const batch = buffer.slice(0, BATCH_MAX);
      try {
        await db.withTransaction(deadlineIn(clock, WRITE_TIMEOUT_MS), (tx) => tx.run(INSERT, columnsOfReads(batch)));
      } catch (error) {
        logger.error({ unwritten: buffer.length }, `audit reads are not written, kept in memory: ${messageOf(error)}`);
        return;
      }
      buffer = buffer.slice(batch.length);
    }
  }

  const writer = startBackgroundWriter(FLUSH_EVERY_MS, writeAll);
  return {
    get hasRoom() {
      return buffer.length < UNWRITTEN_MAX;
    },
    get unwritten() {
      return buffer.length;
    },
    record(read) {
      const { readId, tokenName, route, filter, httpStatus, rowCount, durationMs, note } = read;
      logger.info({ readId, token: tokenName, route, filter, httpStatus, rowCount, durationMs, note }, "audit read");
      buffer.push(read);
    },
    flush: () => writer.flush(),
    close: () => writer.close(),
  };
}

function columnsOfReads(reads: readonly AuditRead[]): unknown[] {
  return [
    reads.map((read) => read.readId),
    reads.map((read) => Math.floor(read.readAtMs)),
    reads.map((read) => read.tokenId),
    reads.map((read) => read.tokenName),
    reads.map((read) => read.route),
    reads.map((read) => JSON.stringify(read.filter)),
    reads.map((read) => read.httpStatus),
    reads.map((read) => read.rowCount),
    reads.map((read) => Math.round(read.durationMs)),
    reads.map((read) => read.sourceAddress),
    reads.map((read) => read.note),
    reads.map((read) => (read.export === null ? null : JSON.stringify(read.export))),
  ];
}
