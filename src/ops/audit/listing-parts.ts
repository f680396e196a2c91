import type { FilterSpecs } from "./filters";
import type { Branch, KeyColumn } from "./listing";

/** userName of the partner of a row. */
export const PARTNER_NAME = `(select p.user_name from partner p where p.partner_id = s.partner_id)`;

/** The key of lists that grow with people and faults, or that have a tree over their time. */
export const BY_TIME: readonly KeyColumn[] = [
  { name: "at", type: "timestamptz" },
  { name: "id", type: "uuid" },
];

/** Filters on the time that a list is ordered by; `about` says what happened then. */
export function fromTo(about: string): FilterSpecs {
  return {
    from: { kind: "instant", about: `${about}, not before this instant`, sql: "s.at >= ?::timestamptz" },
    to: { kind: "instant", about: `${about}, before this instant`, sql: "s.at < ?::timestamptz" },
  };
}

/** Those filters bound the key itself. */
export const bounded: Pick<Branch, "bounds"> = { bounds: ({ from, to }) => ({ from, to }) };
