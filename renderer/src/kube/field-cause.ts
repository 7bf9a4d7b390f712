/** What the API server finds wrong with a field, as a person needs it: without the value, which they see, and without the expression behind a rule. */
import { t } from '../i18n/index.ts'

const RULES: readonly (readonly [RegExp, 'dns1123' | 'dns1035' | 'label' | 'quantity'])[] = [
  [/a lowercase RFC 1123 (subdomain|label) must/, 'dns1123'],
  [/a DNS-1035 label must/, 'dns1035'],
  [/a valid label must/, 'label'],
  [/quantities must match the regular expression|unable to parse quantity/, 'quantity'],
]

export function fieldCause(message: string): string {
  const rule = RULES.find(([sign]) => sign.test(message))?.[1]
  if (rule) return t(`field.${rule}`)
  return message
    .replace(/^(Invalid|Unsupported) value: (("(\\.|[^"\\])*")|[^\s:]+): /, '')
    .replace(/,? ?regex used for validation is '.*'/, '')
}
