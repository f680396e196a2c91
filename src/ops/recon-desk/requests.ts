import { z } from "zod";
import {
  type AccountCode,
  dateAfter,
  DIFFERENCE_ACCOUNTS,
  FILE_KINDS,
  MONEY_ACTIONS,
  OPENED_KINDS,
  parseMatchRules,
  parseSettlementProfile,
  RECONCILIATION_CLASSES,
} from "../../domain";
import type { FilterSpecs } from "../audit/filters";
import { BULK_MAX, PERSON_NAME } from "../exceptions";
import { EXPECTED_DAYS } from "../reconciliation/expectations";

const calendarDay = z
  .string()
  .regex(/^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/, "must be a day such as 2026-11-21, from 2000 to 2099")
  .refine(
    (text) => !/^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/.test(text) || dateAfter(text, 0) === text,
    "is no day that exists",
  );
const profileCode = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be a profile's code: up to 40 of a-z, 0-9 and -");
/** What people write and what is kept for good: no control characters, no lone halves of characters. */
const prose = (least: number) =>
  z
    .string()
    .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), "must not hold control characters")
    .transform((text) => text.trim())
    .refine((text) => text.length >= least && text.length <= 500, `must be ${least} to 500 characters`);
const person = z.string().regex(PERSON_NAME, "must be a name of 1 to 100 letters, digits, blanks and . _ @ -");
const userName = z.string().regex(/^[!-~]{1,40}$/, "must be a partner's userName");
const rupiah = z.string().regex(/^[1-9][0-9]{0,14}$/, "must be whole rupiah as a text of 1 to 15 digits");

const account = z
  .enum(DIFFERENCE_ACCOUNTS as [AccountCode, ...AccountCode[]], `must be one of ${DIFFERENCE_ACCOUNTS.join(", ")}`)
  .optional();
const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "must be a UUID in small letters");
const identifiers = z.array(uuid).min(1, "must name at least one").max(BULK_MAX, `must name at most ${BULK_MAX}`);
const ITEM_CLASSES = [...RECONCILIATION_CLASSES.filter((each) => each !== "matched"), ...OPENED_KINDS, ...FILE_KINDS];
/** A line is linked with one payment: that is proposed one by one. */
const BULK_ACTIONS = MONEY_ACTIONS.filter((each) => each !== "link");
/** Dates of one dry run. */
const DATES_MAX = 31;

/** Bodies of requests, by what they ask for. Whole rupiah as digits in quotes. */
export const RECON_BODIES = {
  empty: z.strictObject({}),
  run: z.strictObject({ profile: profileCode, date: calendarDay }),
  dryRun: z
    .strictObject({
      ...{
        profile: profileCode,
        date: calendarDay,
        to: calendarDay.optional(),
        rules: z.array(z.unknown()).optional(),
      },
    })
    .refine(
      ({ date, to = date }) => to >= date && to <= dateAfter(date, DATES_MAX - 1),
      `to must be one of the ${DATES_MAX} days from date on`,
    ),
  closeDay: z.strictObject({ first: z.literal(true).optional() }),
  reason: z.strictObject({ reason: prose(3) }),
  expectation: z.strictObject({
    profile: profileCode,
    partner: userName.optional(),
    product: z
      .string()
      .regex(/^[0-9A-Za-z]{6}$/, "must be a product code of six characters")
      .optional(),
    expected: z.boolean().optional(),
    days: z.enum(EXPECTED_DAYS, `must be one of ${EXPECTED_DAYS.join(", ")}`).optional(),
    except: z.array(calendarDay).max(400, "must be at most 400 dates").optional(),
    also: z.array(calendarDay).max(400, "must be at most 400 dates").optional(),
    dueDays: z.int("must be a whole number").min(0, "must be 0 to 31").max(31, "must be 0 to 31").optional(),
    dueTime: z
      .string()
      .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "must be hh:mm")
      .optional(),
    from: calendarDay.optional(),
  }),
  settlement: z.strictObject({ profile: profileCode, date: calendarDay }),
  owner: z.strictObject({ owner: person.optional() }),
  note: z.strictObject({ text: prose(1) }),
  carry: z.strictObject({ until: calendarDay.optional(), reason: prose(3) }),
  close: z.strictObject({ reason: prose(3) }),
  proposal: z.strictObject({
    action: z.enum(MONEY_ACTIONS, `must be one of ${MONEY_ACTIONS.join(", ")}`),
    account,
    payment: z
      .string()
      .regex(/^[ -~]{1,36}$/, "must be a traxId or an entry's UUID")
      .optional(),
    reason: prose(3),
  }),
  bulkProposal: z
    .strictObject({
      items: identifiers.optional(),
      filter: z
        .strictObject({
          profile: profileCode.optional(),
          businessFrom: calendarDay.optional(),
          businessTo: calendarDay.optional(),
          class: z.enum(ITEM_CLASSES, `must be one of ${ITEM_CLASSES.join(", ")}`).optional(),
          owner: person.optional(),
          overdue: z.literal("true").optional(),
          amountMin: rupiah.optional(),
          amountMax: rupiah.optional(),
        })
        .optional(),
      action: z.enum(BULK_ACTIONS, `must be one of ${BULK_ACTIONS.join(", ")}`),
      account,
      reason: prose(3),
    })
    .refine(
      ({ items, filter }) => (items === undefined) !== (filter === undefined),
      "must have either items or filter",
    ),
  bulkApproval: z
    .strictObject({
      proposals: identifiers.optional(),
      batch: uuid.optional(),
      all: z.literal(true).optional(),
      after: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,400}$/, "must be `next` of the answer before, unchanged")
        .optional(),
      note: prose(1).optional(),
    })
    .refine(
      ({ proposals, batch, all }) => [proposals, batch, all].filter((each) => each !== undefined).length === 1,
      "must have one of proposals, batch and all",
    )
    .refine(
      ({ proposals, after }) => proposals === undefined || after === undefined,
      "must have after with batch or all",
    ),
  undo: z.strictObject({ reason: prose(3) }),
  decision: z.strictObject({ note: prose(1).optional() }),
  refusal: z.strictObject({ note: prose(1) }),
  bankCredit: z.strictObject({
    partner: userName.optional(),
    amount: rupiah,
    date: calendarDay,
    reference: z.string().regex(/^[ -~]{1,64}$/, "must be 1 to 64 printable characters"),
    reason: prose(3).optional(),
  }),
} as const;

/** Which body. */
export type ReconBody = keyof typeof RECON_BODIES;

/** A body as it was read, or everything that is wrong with it; values are never repeated. */
export function readReconBody<Name extends ReconBody>(
  name: Name,
  given: unknown,
):
  | { readonly ok: true; readonly value: z.output<(typeof RECON_BODIES)[Name]> }
  | { readonly ok: false; readonly problems: readonly string[] } {
  const parsed = RECON_BODIES[name].safeParse(given);
  if (parsed.success) return { ok: true, value: parsed.data as z.output<(typeof RECON_BODIES)[Name]> };
  return { ok: false, problems: parsed.error.issues.map(problemOf).slice(0, 20) };
}

function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((key) => key.replaceAll(/[^ -~]/g, "?").slice(0, 40));
    return `${keys.join(", ")} is nothing that is known here`;
  }
  if (issue.code === "invalid_type") {
    const article = issue.expected === "string" ? "a text" : `a value of type ${issue.expected}`;
    return `${path || "the body"} must be given, as ${article}`;
  }
  return `${path || "the body"} ${issue.message}`;
}

/** What is wrong with a settlement profile, and what it comes to with every default filled in. */
export function checkProfile(given: unknown): {
  readonly isValid: boolean;
  readonly problems: readonly string[];
  readonly profile: unknown;
} {
  const parsed = parseSettlementProfile(given);
  return parsed.ok
    ? { isValid: true, problems: [], profile: parsed.profile }
    : { isValid: false, problems: parsed.faults, profile: null };
}

/** Rules to try. */
export const readMatchRules = parseMatchRules;

/** Parameters of the queue of exceptions; the desk puts them into its own question. */
export const QUEUE_FILTERS: FilterSpecs = {
  profile: { kind: "text", about: "only findings of this profile" },
  businessFrom: { kind: "date", about: "first business date" },
  businessTo: { kind: "date", about: "last business date" },
  class: { kind: "choice", choices: ITEM_CLASSES, about: "what it is" },
  state: {
    kind: "choice",
    choices: ["open", "free", "proposed", "closed", "all"],
    about: "open when left out; free: open and nothing is proposed; proposed: open and a proposal waits",
  },
  owner: { kind: "person", about: "whose it is" },
  overdue: { kind: "choice", choices: ["true"], about: "only those whose due time has passed" },
  amountMin: { kind: "amount", about: "smallest amount" },
  amountMax: { kind: "amount", about: "largest amount" },
};

/** Parameters of an upload. */
export const UPLOAD_FILTERS: FilterSpecs = {
  profile: { kind: "text", about: "code of the profile that the file is read with" },
  fileName: { kind: "text", about: "name of the file; the profile may read date and product off it" },
  date: { kind: "date", about: "business date, where the name does not tell it" },
  sha256: { kind: "sha256", about: "of the whole file; another content is refused" },
  confirm: { kind: "choice", choices: ["true"], about: "a changed file of a known name becomes its next version" },
  acceptTotals: { kind: "choice", choices: ["true"], about: "take the file although its control totals do not agree" },
  acceptSameContent: {
    kind: "choice",
    choices: ["true"],
    about: "take a file with lines although the same content is known of another business date or product",
  },
  supplementOf: { kind: "number", about: "fileId of the file whose lines this one corrects" },
  forLines: { kind: "text", about: "with supplementOf: numbers of the unreadable lines that it corrects, such as 3,7" },
};
