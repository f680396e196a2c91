/**
 * bit48 of Telkom (001001): telephone number without its padding, customer's name, amount.
 * The published sample has columns 43 to 73 of bit61 as the name, which is right for one bill only and shows bill columns
 * for its three; we write the name itself.
 */
export const bit48Telkom001001 =
  "No.Telkom:0{customerId|slice:0:4|int}{customerId|slice:4:13|int};Nama:{customerName|trim};Jumlah:Rp.{amount|plain}";

/** bit48 of Adira (020013): the four letters `null`, as text, as published. */
export const bit48Adira020013 = "null";
