import { advise, type Remedy } from "../../platform";

const WORDS: Readonly<Record<Remedy, string>> = {
  "give-the-date": "give it with date=",
  "replace-the-file": "with confirm=true it does",
  "accept-the-totals": "with acceptTotals=true it is taken all the same",
  "run-the-date": "run the date first",
  "name-an-account": "propose it with an account",
  "name-the-partner": "with partner",
  "undo-first": "POST …/proposals/<id>/undo takes an approved action back",
};

/** What went wrong, and what whoever sent the request can do about it. */
export const adviceOf = (thrown: unknown): string => advise(thrown, WORDS);
