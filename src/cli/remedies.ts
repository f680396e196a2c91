import { advise, type Remedy } from "../platform";

const WORDS: Readonly<Record<Remedy, string>> = {
  "give-the-date": "give it with --date",
  "replace-the-file": "with --replace it does",
  "supplement-the-file": "what it lacks can come as a further file with --supplement-of",
  "name-the-lines": "with --for-line",
  "accept-the-same-content": "with --same-content it is taken all the same",
  "agree-without-file": 'biller recon close --without-file --because "…", which somebody else approves',
  "begin-later": "with --first in place of --date the closed days begin there",
  "accept-the-totals": "with --accept-totals it is taken all the same",
  "run-the-date": "biller recon run first",
  "name-an-account": "propose it with --account",
  "name-the-partner": "with --partner",
  "undo-first": "biller recon undo takes an approved action back",
};

/** What went wrong, and what whoever typed the command can do about it. */
export const adviceOf = (thrown: unknown): string => advise(thrown, WORDS);
