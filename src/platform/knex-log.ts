/** knex prints what it finds worth a remark; faults reach our own log once, where they are dealt with. */
export const SILENT_KNEX_LOG = { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} };
