export { type AgeingRow, readAgeing } from "./ageing";
export { type BankCredit, proposeBankCredit } from "./bank-credit";
export { type SettledFile, settleMatched, type SettleRequest } from "./settle";
