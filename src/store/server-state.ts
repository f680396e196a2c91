import type { Db, Deadline, Statement } from "../platform";

/** What the database server says about itself. */
export interface ServerState {
  readonly isReplica: boolean;
  /** Settings that are off and without which an acknowledged commit may be lost. */
  readonly switchedOff: readonly string[];
  readonly version: string;
}

const READ_STATE: Statement = {
  name: "store_server_state",
  text: `
    select pg_is_in_recovery() as is_replica, current_setting('server_version') as version,
           array(select name from pg_settings
                  where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off'
                  order by name)::text[] as switched_off`,
};

/** Asks the server whether it is the primary, and whether its settings keep what it acknowledges. */
export async function readServerState(db: Db, deadline: Deadline): Promise<ServerState> {
  const rows = await db.run<{ is_replica: boolean; version: string; switched_off: string[] }>(deadline, READ_STATE, []);
  const row = rows[0];
  return {
    isReplica: row?.is_replica ?? true,
    switchedOff: row?.switched_off ?? [],
    version: row?.version ?? "unknown",
  };
}
