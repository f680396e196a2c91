import { actorText } from "../../domain";
import { Fault } from "../../platform";
import { recordOperatorAction } from "../../store";
import type { Actor } from "../exceptions/history";
import { readProfile } from "./profiles";
import { type Session, txOf } from "./session";

/** The days of the week on which a file comes. */
export const EXPECTED_DAYS = ["every-day", "weekdays"] as const;

/** For which business dates a file is expected, and until when. */
export interface ExpectationRequest {
  readonly profileCode: string;
  /** userName; null: the partner of the profile. */
  readonly partner: string | null;
  /** Null: one file of whatever products. */
  readonly productCode: string | null;
  /** False: none is expected from `validFrom` on. */
  readonly isExpected: boolean;
  readonly days: (typeof EXPECTED_DAYS)[number];
  /** Business dates without a file, and with one, whatever the days say. */
  readonly exceptDates: readonly string[];
  readonly alsoDates: readonly string[];
  /** Days after the business date, and time of that day in Jakarta, hh:mm. */
  readonly dueDays: number;
  readonly dueTime: string;
  /** The first business date that this counts for. */
  readonly validFrom: string;
}

/** When a file is due where nothing else is said. */
export const DEFAULT_DUE = { dueDays: 1, dueTime: "09:00" } as const;

/** A stored version of an expectation. */
export interface Expectation extends Omit<ExpectationRequest, "partner"> {
  readonly partner: string;
  readonly version: number;
  readonly setBy: string;
  readonly setAt: Date;
  /** Whether a higher version counts for every business date of this one. */
  readonly isOverruled: boolean;
}

const DUE_DAYS_MAX = 31;
const EXCEPTIONS_MAX = 400;

/**
 * Stores an expectation as its next version; what is stored already is left alone.
 *
 * @throws Fault `expectation`: it is not possible; `unknown_profile`, `unknown_partner`
 */
export async function setExpectation(
  session: Session,
  actor: Actor,
  request: ExpectationRequest,
): Promise<{ readonly version: number; readonly isNew: boolean; readonly expectation: Expectation }> {
  const { run } = session;
  const { profileCode, productCode, isExpected, days, exceptDates, alsoDates, dueDays, dueTime, validFrom } = request;
  const { profile } = await readProfile(session, profileCode);
  const partner = await partnerNamed(session, request.partner ?? profile.partner);
  assertPossible(request, profile.productCodes);
  const [closed] = await run<{ day: string | null }>(`select max(business_date) as day from closed_day`);
  if (closed?.day && validFrom <= closed.day) {
    throw new Fault("expectation", `business dates up to ${closed.day} are closed: it can begin after that day`);
  }
  const key = [profileCode, partner.partnerId, productCode ?? ""];
  const [last] = await run<Expectation>(`${LIST} and e.product_code = $3 order by e.version desc limit 1`, key);
  const isSame =
    last !== undefined &&
    JSON.stringify(contentOf(last)) === JSON.stringify(contentOf({ ...request, partner: partner.userName }));
  if (last === undefined && !isExpected) {
    throw new Fault(
      "expectation",
      `no file of ${profileCode}${productCode === null ? "" : `, ${productCode}`} is expected`,
    );
  }
  if (last !== undefined && isSame) return { version: last.version, isNew: false, expectation: last };
  const version = (last?.version ?? 0) + 1;
  await run(
    `insert into settlement_expectation (profile_code, partner_id, product_code, version, valid_from, is_expected, days,
                                         except_dates, also_dates, due_days, due_time, set_by, set_via)
     values ($1, $2, $3, $4, $5::date, $6, $7, $8::date[], $9::date[], $10, $11::time, $12, $13)`,
    [...key, version, validFrom, isExpected, days, exceptDates, alsoDates, dueDays, dueTime, actor.name, actor.via],
  );
  const [expectation] = await run<Expectation>(`${LIST} and e.product_code = $3 order by e.version desc limit 1`, key);
  if (expectation === undefined) throw new Error("the expectation was stored and is not there");
  await recordOperatorAction(txOf(session), {
    actor: actorText(actor),
    action: isExpected ? "settlement-expectation.set" : "settlement-expectation.remove",
    object: `settlement-expectation:${key.join(":")}`,
    ...(last === undefined ? {} : { before: contentOf(last) }),
    after: contentOf(expectation),
    detail: `version ${version}, from ${validFrom}`,
  });
  return { version, isNew: true, expectation };
}

function contentOf(each: ExpectationRequest): Omit<ExpectationRequest, "partner"> & { partner: string | null } {
  const { profileCode, partner, productCode, isExpected, days, exceptDates, alsoDates, dueDays, dueTime } = each;
  const { validFrom } = each;
  return {
    profileCode,
    partner,
    productCode,
    isExpected,
    days,
    exceptDates: exceptDates.toSorted(),
    alsoDates: alsoDates.toSorted(),
    dueDays,
    dueTime,
    validFrom,
  };
}

function assertPossible(request: ExpectationRequest, productCodes: readonly string[]): void {
  const { productCode, dueDays, dueTime, exceptDates, alsoDates } = request;
  if (productCode !== null && productCodes.length > 0 && !productCodes.includes(productCode)) {
    throw new Fault("expectation", `product ${productCode} is none of the profile's: ${productCodes.join(", ")}`);
  }
  if (!Number.isInteger(dueDays) || dueDays < 0 || dueDays > DUE_DAYS_MAX) {
    throw new Fault("expectation", `a file is due 0 to ${DUE_DAYS_MAX} days after its business date`);
  }
  if (!/^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(dueTime)) throw new Fault("expectation", "the due time must be hh:mm");
  if (exceptDates.length > EXCEPTIONS_MAX || alsoDates.length > EXCEPTIONS_MAX) {
    throw new Fault("expectation", `at most ${EXCEPTIONS_MAX} dates can be named`);
  }
}

async function partnerNamed({ run }: Session, userName: string): Promise<{ partnerId: number; userName: string }> {
  const [partner] = await run<{ partnerId: number; userName: string }>(
    `select partner_id as "partnerId", user_name as "userName" from partner where user_name = $1`,
    [userName],
  );
  if (partner === undefined) throw new Fault("unknown_partner", `there is no partner with userName ${userName}`);
  return partner;
}

const LIST = `
  select e.profile_code as "profileCode", (select q.user_name from partner q where q.partner_id = e.partner_id) as partner,
         nullif(e.product_code, '') as "productCode", e.version, e.valid_from as "validFrom", e.is_expected as "isExpected",
         e.days, array(select d::text from unnest(e.except_dates) d order by d) as "exceptDates",
         array(select d::text from unnest(e.also_dates) d order by d) as "alsoDates", e.due_days as "dueDays",
         to_char(e.due_time, 'HH24:MI') as "dueTime", e.set_by as "setBy", e.set_at as "setAt",
         exists (select from settlement_expectation n
                  where (n.profile_code, n.partner_id, n.product_code) = (e.profile_code, e.partner_id, e.product_code)
                    and n.version > e.version and n.valid_from <= e.valid_from) as "isOverruled"
    from settlement_expectation e
   where ($1::text is null or e.profile_code = $1) and ($2::int is null or e.partner_id = $2)`;

/** Expectations, those of a profile alone where one is named; with `withAll` also versions that count no more. */
export async function listExpectations(
  { run }: Session,
  filter: { readonly profileCode: string | null; readonly withAll: boolean },
): Promise<Expectation[]> {
  const rows = await run<Expectation>(`${LIST} order by e.profile_code, e.partner_id, e.product_code, e.version`, [
    filter.profileCode,
    null,
  ]);
  return filter.withAll ? rows : rows.filter((each) => !each.isOverruled);
}
