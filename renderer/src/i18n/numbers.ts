const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** Whole numbers with a narrow space at each thousand: "48 213". */
export function count(n: number): string {
  return n < 10_000 ? String(n) : grouped.format(n).replaceAll(',', '\u202f')
}
