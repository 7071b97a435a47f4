// A number as people type it, for words that follow while they type; the server reads it again, and asks in doubt.
// The last mark parts the decimals, unless it can only part thousands; spaces and apostrophes group.
export const numberLanguage =
  document.documentElement.dataset.numbers || document.documentElement.lang || undefined;
const decimalMark = new Intl.NumberFormat(numberLanguage)
  .formatToParts(1.5)
  .find((part) => part.type === "decimal").value;

// A number as the reader would type it, with two decimals, so that only one reading is possible.
export const typedNumber = (number) => number.toFixed(2).replace(".", decimalMark);

export function readNumber(text) {
  const plain = text.trim().replace("−", "-").replace(/[\s'’]/g, "");
  if (!/^[-+]?[\d.,]+$/.test(plain)) return Number.NaN;
  const marks = plain.match(/[.,]/g) ?? [];
  const last = marks.at(-1);
  if (!last) return Number(plain);
  const isRepeated = marks.length > 1 && new Set(marks).size === 1;
  const isThousand = marks.length === 1 && last !== decimalMark && /^[-+]?[1-9]\d{0,2}[.,]\d{3}$/.test(plain);
  if (isRepeated || isThousand) return Number(plain.replace(/[.,]/g, ""));
  const at = plain.lastIndexOf(last);
  return Number(`${plain.slice(0, at).replace(/[.,]/g, "")}.${plain.slice(at + 1)}`);
}
