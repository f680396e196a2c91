export { type Accepts, answerMessage, type AnswerDeps, type Arrival, type MessageAnswer } from "./answer-message";
export { type AttemptCircumstances, attemptOf, refusedAttempt } from "./attempt";
export { type InquiryDesk, openInquiryDesk } from "./answer-inquiry";
export { type AttemptJournal, openAttemptJournal } from "./attempt-journal";
export { type BillPage, type BillPageDesk, openBillPageDesk, type PageState, type Payable } from "./bill-page";
export { type BillWatch, openBillWatch, type Watcher } from "./bill-watch";
export { openPaymentPages, type PaymentPages, type PaymentPageSettings } from "./payment-page";
export { type Catalog, type CatalogHolder, faultsOfDialect, loadCatalog } from "./catalog";
export type { Deviation } from "./deviations";
export { type DriftMeter, openDriftMeter } from "./drift-meter";
export { type CommitResolver, openCommitResolver, type Resolution } from "./commit-resolver";
export {
  type BillingAnswer,
  type BillingDeps,
  billingFailure,
  cancelBilling,
  inquireBilling,
  listBillings,
} from "./merchant-billing";
export { createBilling } from "./create-billing";
export { authenticateMerchant, type MerchantDirectory } from "./merchants";
export { openReversalDesk, type ReversalDesk } from "./post-reversal";
export { composeBillMail } from "./bill-mail";
export { BILL_COLUMNS, type BillLine, checkBillLines, type CheckedBill, type LineProblem } from "./check-bill-lines";
export { openPaymentDesk, type PaymentDesk } from "./payment-desk";
export { type PaymentItem, type PostedAnswer, postPayments } from "./post-payments";
export type { PostingPoint, Reach } from "./posting-point";
export {
  compileProduct,
  type Product,
  type ProductDefinition,
  type ShippedProduct,
  type ValueSource,
} from "./product-definition";
export { checkProductFile, type CheckedProduct, productFileJsonSchema } from "./product-file";
export { PRODUCTS } from "./products";
export { type AdviceRequest, type HandAdvice, openHandDesk, type HandDesk } from "./by-hand";
