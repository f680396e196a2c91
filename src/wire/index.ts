export { firstNonPrintable } from "./ascii";
export {
  type CompiledCustomerData,
  compileCustomerData,
  type CustomerData,
  type CustomerDataEntry,
  type CustomerDataField,
  type CustomerDataMapping,
} from "./customer-data";
export type { ColumnSpec, DigitsSpec, FillerSpec, RupiahSpec, TextSpec } from "./field";
export { faultsOfLayout, type FieldSpec, type GroupSpec, type Layout, RECORD_WIDTH_MAX } from "./layout";
export { type CompiledLayout, compileLayout, type Decoded, type LayoutValues } from "./record";
export { adira020013, type ProductWire, publishedProducts, telkom001001 } from "./specs";
export { type CompiledTemplate, compileTemplate } from "./template";
export type { TraceRow } from "./trace";
export { transliterate } from "./transliterate";
export { LayoutFault, WireError, type WirePlace } from "./wire-error";
