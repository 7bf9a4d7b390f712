/** Names of properties as expressions can write them. Source: apiserver `cel/escaping.go`. */

/** What CEL reserves; as fields these are written with underscores around them. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

const SYMBOLS: Readonly<Record<string, string>> = { '.': '__dot__', '-': '__dash__', '/': '__slash__' }

/** `a.b-c` as `a__dot__b__dash__c`. A name that holds anything but letters, digits, `_`, `.`, `-` and `/` stays as it is: it cannot be written. */
export function escapeName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`
  if (!/__|[.\-/]/.test(name)) return name
  return name.replace(/__|[.\-/]/g, (part) => SYMBOLS[part] ?? '__underscores__')
}

/** Whether an expression can select a field of this (escaped) name with a dot. */
export function isSelectable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
}

export const isReserved = (name: string): boolean => RESERVED.has(name)
