import type { Context } from "koa";

/** Every word that `/recon/v1` refuses with: the statuses that it comes with, and what it says whatever the case. */
export const RECON_PROBLEMS = {
  question: [[400], "The parameters cannot be answered"],
  address: [[400], "A part of the address has a wrong form"],
  request_key: [[400], "The Idempotency-Key has a wrong form"],
  body_unread: [[400], "The request body could not be read"],
  upload: [[400], "The file cannot be taken as it was announced"],
  upload_aborted: [[400], "The file did not arrive whole"],
  token: [[401], "A valid token is needed"],
  scope: [[403], "The token does not allow this"],
  same_person: [[403], "Another person must decide"],
  other_person: [[403], "Only the person who proposed may do this"],
  not_found: [[404], "There is no such thing"],
  day_not_closed: [[404], "The day is not closed"],
  no_exception: [[404], "There is no such exception"],
  no_proposal: [[404], "There is no such proposal"],
  no_settlement_file: [[404], "There is no settlement file"],
  unknown_profile: [[404], "There is no such profile"],
  method: [[405], "The method is not allowed at this address"],
  upload_slow: [[408], "The file took too long to arrive"],
  request_slow: [[408], "The request took too long to arrive"],
  close_changed: [[409], "The books say something else about a closed day"],
  close_first: [[409], "Earlier days have entries and are not closed"],
  close_order: [[409], "Days are closed one after the other"],
  closed: [[409], "It is not open any more"],
  item_changed: [[409], "Something else was found about the exception"],
  day_open: [[409, 404], "The day is not closed"],
  decided: [[409], "The proposal is decided"],
  missing_file: [[409], "An expected file has not come"],
  not_due: [[409], "The switch does not owe this payment any more"],
  not_reconciled: [[409], "A file was not compared with the books yet"],
  proposed: [[409], "A proposal waits for a decision already"],
  refused_by_books: [[409], "The database refuses this change"],
  receivable_taken: [[409], "What the switch owes for it was cleared meanwhile"],
  receivables: [[409], "The books do not say what their receivables say"],
  settlement_file_changed: [[409], "The file's name is known with another content"],
  settlement_file_repeated: [[409], "The same content is known for another date or product"],
  settlement_file_resolved: [[409], "What the file showed is worked on already"],
  body_too_large: [[413], "The request body is too large"],
  upload_too_large: [[413], "The file is too large"],
  content_type: [[415], "The content type is not taken here"],
  body: [[422], "The body is not what this address takes"],
  account: [[422], "The account is missing or wrong"],
  advice_declined: [[422], "The payment would be declined"],
  bank_credit: [[422], "The bank credit cannot be booked"],
  cursor: [[422], "The cursor is not one of ours"],
  expectation: [[422], "The expectation is not valid"],
  key_reused: [[422], "The Idempotency-Key was used for another request"],
  no_partner: [[422], "There is no such partner"],
  no_payment: [[422], "There is no such payment, or it is not free"],
  not_possible: [[422], "This cannot be done with it"],
  nothing_to_reverse: [[422], "There is nothing to reverse"],
  rules: [[422], "The rules are not valid"],
  settlement_file: [[422], "The file is not what its profile says"],
  settlement_profile: [[422], "The profile is not valid"],
  settlement_totals: [[422], "The control totals do not agree"],
  supplement: [[422], "The file cannot be supplemented so"],
  sha256: [[422], "Another file arrived than the one announced"],
  unknown_partner: [[422], "There is no such partner"],
  too_many: [[429], "Asked too often"],
  internal: [[500], "Internal fault"],
  busy: [[503], "Somebody else is at work on this"],
  commit_unknown: [[503], "It is not known whether this was stored"],
  database_unavailable: [[503], "The database does not answer now"],
  not_recorded: [[503], "What is read cannot be recorded now"],
  overloaded: [[503], "Too much is asked for at this moment"],
  too_slow: [[503], "The question took too long"],
  work_lost: [[503], "The work ended before it was done"],
  upload_no_room: [[507], "There is no room for the file"],
} as const satisfies Readonly<Record<string, readonly [statuses: readonly number[], title: string]>>;

/** One of those words. */
export type ReconProblem = keyof typeof RECON_PROBLEMS;

/** What is refused without a word of its own. */
const BY_STATUS: Readonly<Record<number, ReconProblem>> = {
  400: "body_unread",
  401: "token",
  403: "scope",
  404: "not_found",
  405: "method",
  408: "request_slow",
  409: "closed",
  413: "body_too_large",
  415: "content_type",
  422: "body",
  429: "too_many",
  503: "overloaded",
  507: "upload_no_room",
};

/** What is told of a refusal. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly code: string | null;
  readonly problems: readonly string[];
  /** Names the line of the log that says more. */
  readonly reference: string | null;
}

/** The status of a fault's code; null when the code is none of the table: then it is a fault of ours. */
export function statusOfProblem(code: string): number | null {
  return Object.hasOwn(RECON_PROBLEMS, code) ? RECON_PROBLEMS[code as ReconProblem][0][0] : null;
}

/** Whether errors at this address are problem documents. */
export function hasProblems(path: string): boolean {
  return /^\/recon\/v1(?:\/|$)/i.test(path);
}

/** Answers with a problem document (RFC 9457); `error` repeats `detail` for programs from before it. */
export function answerProblem(ctx: Context, { status, message, code, problems, reference }: Refusal): void {
  const word = problemOf(status, code);
  ctx.status = status;
  ctx.type = "application/problem+json";
  ctx.body = JSON.stringify({
    type: `urn:biller:problem:${word}`,
    title: RECON_PROBLEMS[word][1],
    status,
    detail: message,
    ...(reference === null ? {} : { instance: `urn:uuid:${reference}` }),
    code: word,
    ...(problems.length > 0 ? { problems } : {}),
    error: message,
  });
}

function problemOf(status: number, code: string | null): ReconProblem {
  if (code !== null && Object.hasOwn(RECON_PROBLEMS, code)) return code as ReconProblem;
  return BY_STATUS[status] ?? "internal";
}
