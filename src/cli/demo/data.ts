import { billKeyOf } from "../../domain";
import type { ImportedBill } from "../../store";

/** The demo's partner: what the switch would be. Everything here is invented. */
export const DEMO_PARTNER = {
  userName: "bmandiri",
  name: "Finpay switch (demo)",
  password: "demo-password",
  productCodes: ["001001", "020013"],
} as const;

/** The customer that the guide inquires and pays. */
export const DEMO_BILL_NUMBER = "0021008457003";
/** Fee of every Telkom bill of the demo, whole rupiah. */
export const DEMO_FEE = 5_000n;

interface DemoCustomer {
  readonly billNumber: string;
  readonly name: string;
  readonly npwp?: string;
  /** Amounts of the months, oldest first. */
  readonly months: readonly (readonly [reference: string, amount: bigint])[];
  readonly state?: "paid" | "expired";
}

const CUSTOMERS: readonly DemoCustomer[] = [
  {
    billNumber: DEMO_BILL_NUMBER,
    name: "BUDI SANTOSO",
    npwp: "8825220158",
    months: [
      ["304A", 10_000n],
      ["305A", 10_000n],
      ["306A", 10_000n],
    ],
  },
  { billNumber: "0021008457101", name: "SITI RAHAYU", months: [["306A", 125_500n]] },
  {
    billNumber: "0021008457102",
    name: "AGUS WIJAYA",
    months: [
      ["305A", 88_000n],
      ["306A", 91_250n],
    ],
  },
  {
    billNumber: "0021008457103",
    name: "DEWI LESTARI",
    months: [
      ["304A", 60_000n],
      ["305A", 60_000n],
      ["306A", 75_000n],
    ],
  },
  { billNumber: "0021008457104", name: "EKO PRASETYO", months: [["306A", 312_000n]], state: "paid" },
  {
    billNumber: "0021008457105",
    name: "RINA MARLINA",
    months: [
      ["305A", 45_000n],
      ["306A", 47_500n],
    ],
    state: "paid",
  },
  {
    billNumber: "0021008457106",
    name: "HENDRA GUNAWAN",
    months: [
      ["304A", 150_000n],
      ["305A", 150_000n],
      ["306A", 150_000n],
    ],
    state: "paid",
  },
  { billNumber: "0021008457107", name: "YULI ASTUTI", months: [["302A", 99_000n]], state: "expired" },
  {
    billNumber: "0021008457108",
    name: "BAMBANG SUTRISNO",
    months: [
      ["301A", 70_000n],
      ["302A", 72_000n],
    ],
    state: "expired",
  },
  { billNumber: "0022007711001", name: "NUR HIDAYAH", months: [["306A", 210_000n]] },
  { billNumber: "0022007711002", name: "FAJAR NUGROHO", months: [["306A", 1n]] },
  {
    billNumber: "0022007711003",
    name: "MAYA SAFITRI",
    months: [
      ["305A", 540_000n],
      ["306A", 540_000n],
    ],
  },
  { billNumber: "0022007711004", name: "JOKO SUSILO", months: [["306A", 67_800n]] },
  {
    billNumber: "0022007711005",
    name: "INDAH PERMATA SARI",
    months: [
      ["304A", 33_000n],
      ["305A", 34_000n],
      ["306A", 35_000n],
    ],
  },
  { billNumber: "0022007711006", name: "RUDI HARTONO", months: [["306A", 999_999n]] },
  {
    billNumber: "0022007711007",
    name: "LINA KUSUMA",
    months: [
      ["305A", 18_500n],
      ["306A", 18_500n],
    ],
  },
  { billNumber: "0031004422001", name: "TONO SAPUTRA", months: [["306A", 76_400n]], state: "paid" },
  {
    billNumber: "0031004422002",
    name: "WATI NINGSIH",
    months: [
      ["303A", 51_000n],
      ["304A", 51_000n],
      ["305A", 51_000n],
    ],
    state: "expired",
  },
  { billNumber: "0031004422003", name: "ARIF BUDIMAN", months: [["306A", 125_000n]] },
  {
    billNumber: "0031004422004",
    name: "SRI MULYATI",
    months: [
      ["305A", 230_000n],
      ["306A", 215_000n],
    ],
  },
  { billNumber: "0031004422005", name: "DODI KURNIAWAN", months: [["306A", 48_750n]] },
  {
    billNumber: "0031004422006",
    name: "RATNA ANGGRAINI",
    months: [
      ["304A", 81_000n],
      ["305A", 82_000n],
      ["306A", 83_000n],
    ],
  },
  { billNumber: "0031004422007", name: "GITA PUSPITA", months: [["306A", 12_345_678n]] },
];

/** The payments that the demo's paid customers have made: billNumber and traxId. */
export const DEMO_PAID = CUSTOMERS.filter(({ state }) => state === "paid").map(({ billNumber }, index) => ({
  billNumber,
  traxId: `DEMO${String(index + 1).padStart(8, "0")}`,
}));

const DAY_MS = 86_400_000;

/** The demo's bills. The expired ones were due on a fixed day in the past, so that seeding again changes nothing. */
export function demoBills(): ImportedBill[] {
  const telkom = CUSTOMERS.map((customer): ImportedBill => ({
    billKey: billKeyOf("001001", customer.billNumber),
    productCode: "001001",
    billNumber: customer.billNumber,
    feeAmount: DEMO_FEE,
    customerName: customer.name,
    details: { kodeDivre: "02", kodeDatel: "0001", npwp: customer.npwp ?? "" },
    dueAtMs: customer.state === "expired" ? Date.UTC(2026, 0, 31, 17) - DAY_MS : null,
    items: customer.months.map(([reference, amount]) => ({ reference, amount })),
  }));
  return [...telkom, ADIRA_CUSTOMER];
}

/** A motorcycle loan, one instalment with a penalty. */
const ADIRA_CUSTOMER: ImportedBill = {
  billKey: billKeyOf("020013", "034026110777"),
  productCode: "020013",
  billNumber: "034026110777",
  feeAmount: 0n,
  customerName: "ANDI FIRMANSYAH",
  details: {
    address: "JL MELATI RAYA NO 12",
    licensePlate: "B1234XYZ",
    paymentNo: "14",
    dueDate: "10 DEC 26",
    paymentAmount: "597000",
    penaltyAmount: "50000",
    adminFee: "7500",
    adminFeePart1: "3000",
    adminFeePart2: "1000",
    adminFeePart3: "3500",
    customerType: "02",
  },
  dueAtMs: null,
  items: [{ reference: "14", amount: 647_000n }],
};
