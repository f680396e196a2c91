import type { Listing } from "./listing";
import { BOOK_LISTINGS } from "./listings";
import { OPERATION_LISTINGS } from "./operation-listings";
import { SEAL_LISTINGS } from "./seal-listings";
import { SETTLEMENT_LISTINGS } from "./settlement-listings";

/** Every list of the audit API; each has an address of its own and one for its export. */
export const AUDIT_LISTINGS: readonly Listing[] = [
  ...BOOK_LISTINGS,
  ...SETTLEMENT_LISTINGS,
  ...OPERATION_LISTINGS,
  ...SEAL_LISTINGS,
];
