export { firstNonPrintable } from "./ascii";
export {
  type CompiledCustomerData,
  compileCustomerData,
  type CustomerData,
  type CustomerDataEntry,
  type CustomerDataField,
  type CustomerDataMapping,
} from "./customer-data";
export { type DigestAlgorithm, hexDigest } from "./digest";
export { describeBit61, type RecordDescription } from "./describe";
export type { ColumnSpec, DigitsSpec, FillerSpec, RupiahSpec, TextSpec } from "./field";
export { type JsonLimits, type JsonRefusal, parseStrictJson, type StrictJson } from "./json";
export { faultsOfLayout, type FieldSpec, type GroupSpec, type Layout, RECORD_WIDTH_MAX } from "./layout";
export { hmacOf, isSameDigest, legacyMerchantSignature } from "./merchant-signature";
export {
  decodeRequest,
  type DecodedRequest,
  encodeReply,
  type FieldFault,
  type MessageEcho,
  type SwitchMessage,
  type SwitchReply,
  type TerminalField,
} from "./messages";
export { type CompiledLayout, compileLayout, type Decoded, type LayoutValues } from "./record";
export { type AmountForm, formatAmount, parseAmount } from "./rupiah-text";
export {
  buildSignature,
  identifyScheme,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  type SignedFields,
  verifySignature,
} from "./signature";
export { amountReader, PLAIN_AMOUNTS, type SettlementAmountForm } from "./settlement-amount";
export { dateReader, isFixedDateForm, type LocalTime } from "./settlement-date";
export { fileNameReader, type FileNameParts, splitDelimited, Unreadable } from "./settlement-text";
export { adira020013, type ProductWire, publishedProducts, telkom001001 } from "./specs";
export { type CompiledTemplate, compileTemplate } from "./template";
export {
  type EmittedTimestampForm,
  formatSwitchTimestamp,
  formOfSwitchTimestamp,
  parseSwitchTimestamp,
  type SwitchTimestampForm,
} from "./timestamp";
export type { TraceRow } from "./trace";
export { transliterate } from "./transliterate";
export { LayoutFault, WireError, type WirePlace } from "./wire-error";
