import { advise, type Remedy } from "../platform";

const WORDS: Readonly<Record<Remedy, string>> = {
  "give-the-date": "give it with --date",
  "replace-the-file": "with --replace it does",
  "accept-the-totals": "with --accept-totals it is taken all the same",
  "run-the-date": "biller recon run first",
  "name-an-account": "propose it with --account",
  "name-the-partner": "with --partner",
  "undo-first": "biller recon undo takes an approved action back",
};

/** What went wrong, and what whoever typed the command can do about it. */
export const adviceOf = (thrown: unknown): string => advise(thrown, WORDS);
