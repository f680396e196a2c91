import { advise, type Remedy } from "../../platform";

const WORDS: Readonly<Record<Remedy, string>> = {
  "give-the-date": "give it with date=",
  "replace-the-file": "with confirm=true it does",
  "supplement-the-file": "what it lacks can come as a further file with supplementOf=",
  "name-the-lines": "with forLines=",
  "accept-the-same-content": "with acceptSameContent=true it is taken all the same",
  "agree-without-file": "POST …/without-files with a reason, which another person approves",
  "begin-later": 'with {"first":true} the closed days begin there',
  "accept-the-totals": "with acceptTotals=true it is taken all the same",
  "run-the-date": "run the date first",
  "name-an-account": "propose it with an account",
  "name-the-partner": "with partner",
  "undo-first": "POST …/proposals/<id>/undo takes an approved action back",
};

/** What went wrong, and what whoever sent the request can do about it. */
export const adviceOf = (thrown: unknown): string => advise(thrown, WORDS);
