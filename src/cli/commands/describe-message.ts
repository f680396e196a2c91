import { readFileSync } from "node:fs";
import { compileProduct, type Product, PRODUCTS } from "../../flows";
import { Fault, messageOf } from "../../platform";
import {
  decodeRequest,
  describeBit61,
  formOfSwitchTimestamp,
  identifyScheme,
  parseStrictJson,
  parseSwitchTimestamp,
  type RecordDescription,
  type SignatureScheme,
  type SwitchMessage,
} from "../../wire";

/** A message taken apart, for support and integration work. */
export interface MessageDescription {
  /** Every field as it came, in the order of the message. */
  readonly fields: readonly { readonly name: string; readonly length: number; readonly value: unknown }[];
  /** What a host would refuse it for; empty when it would be read. */
  readonly faults: readonly string[];
  readonly timeStamp: { readonly form: string; readonly instant: string } | null;
  /** Columns of bit61, when the product is known. */
  readonly bit61: RecordDescription | null;
  /** Null when no password was given. */
  readonly signature: { readonly fits: boolean; readonly scheme: SignatureScheme | null } | null;
}

const LIMITS = { maxDepth: 32, maxBytes: 1_000_000 };

/** Takes a request or a reply apart, as JSON text. Never refuses anything that is an object. */
export function describeMessage(text: string, password: string | undefined): MessageDescription {
  const json = parseStrictJson(text, LIMITS);
  if (!json.ok && json.reason !== "duplicate-key") throw new Fault("not_a_message", json.detail);
  const value = (json.ok ? json.value : JSON.parse(text)) as Readonly<Record<string, unknown>>;
  const isRequest = "signature" in value || "userName" in value;
  const decoded = decodeRequest(value);
  const faults = [
    ...(json.ok ? [] : [json.detail]),
    ...(decoded.ok || !isRequest ? [] : decoded.faults.map(({ field, problem }) => `${field} ${problem}`)),
  ];
  const textOf = (name: string): string => (typeof value[name] === "string" ? value[name] : "");
  const product = shippedProduct(textOf("productCode"));
  const bit61 = textOf("bit61");
  return {
    fields: Object.entries(value).map(([name, each]) => ({
      name,
      length: (typeof each === "string" ? each : JSON.stringify(each)).length,
      value: each,
    })),
    faults,
    timeStamp: describeTimestamp(textOf("timeStamp")),
    // The bit61 of an inquiry's request is the bill's number and no record.
    bit61: product === null || bit61.length <= 20 ? null : describeBit61(product.layout, bit61),
    signature: password === undefined || !decoded.ok ? null : describeSignature(decoded.message, password),
  };
}

function describeSignature(message: SwitchMessage, password: string): MessageDescription["signature"] {
  const scheme = identifyScheme(message, message.signature, password);
  return { fits: scheme !== null, scheme };
}

function describeTimestamp(text: string): MessageDescription["timeStamp"] {
  const micros = parseSwitchTimestamp(text);
  if (micros === null) return null;
  return { form: formOfSwitchTimestamp(text), instant: new Date(Number(micros / 1000n)).toISOString() };
}

/** A product that ships with the host, ready for use; null when there is none with this code. */
export function shippedProduct(productCode: string): Product | null {
  const shipped = PRODUCTS.find((product) => product.productCode === productCode);
  return shipped === undefined ? null : compileProduct(shipped.productCode, shipped.name, shipped.definition);
}

/** Text of a file, or of standard input for `-`. */
export function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new Fault("message_file", `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
