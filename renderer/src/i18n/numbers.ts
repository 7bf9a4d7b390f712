import { language } from './language.ts'

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** Whole numbers with a narrow space at each thousand, in every language: "48 213". */
export function count(n: number): string {
  return n < 10_000 ? String(n) : grouped.format(n).replaceAll(',', '\u202f')
}

/** A number as written in a program, with the language's decimal sign: "1.5", "1,5". */
export const decimal = (text: string): string => (language.value === 'de' ? text.replace('.', ',') : text)
