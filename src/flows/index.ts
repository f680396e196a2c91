export { type Accepts, answerMessage, type AnswerDeps, type MessageAnswer } from "./answer-message";
export { type InquiryDesk, openInquiryDesk } from "./answer-inquiry";
export { type AttemptJournal, openAttemptJournal } from "./attempt-journal";
export { type Catalog, type CatalogHolder, loadCatalog } from "./catalog";
export { openPaymentDesk, type PaymentDesk } from "./payment-desk";
export type { PostingPoint } from "./post-payments";
export { compileProduct, type Product, type ProductDefinition, type ValueSource } from "./product-definition";
