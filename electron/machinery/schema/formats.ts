/** The formats that strings in custom resources are checked for; others say nothing. Source: apiextensions `validation/formats.go`. */
import { isIP, isIPv4, isIPv6 } from 'node:net'

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[tT ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([zZ]|[+-]\d{2}:?\d{2})$/
const DURATION = /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/
const DAYS_AND_THE_LIKE = /^\s*\d+\s*(ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)s?\s*$/i
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`)
const EMAIL = /^[^\s@<>()[\],;:"\\]+@[^\s@<>()[\],;:"\\]+$/
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?([0-9a-f])[0-9a-f]{3}-?([0-9a-f])[0-9a-f]{3}-?[0-9a-f]{12}$/i
const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}(([:-][0-9a-f]{2}){2})?$|^[0-9a-f]{4}(\.[0-9a-f]{4}){2,3}$/i
const HEX_COLOR = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i
const RGB = '\\s*(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])\\s*'
const RGB_COLOR = new RegExp(`^rgb\\(${RGB},${RGB},${RGB}\\)$`)
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: (text) => URL.canParse(text) || /^\/[^\s]*$/.test(text),
  email: (text) => EMAIL.test(text),
  hostname: (text) => text.length <= 255 && HOSTNAME.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: (text) => MAC.test(text),
  uuid: (text) => UUID.test(text),
  uuid3: (text) => uuidVersion(text) === '3',
  uuid4: (text) => uuidVersion(text) === '4' && /[89ab]/i.test(UUID.exec(text)?.[2] ?? ''),
  uuid5: (text) => uuidVersion(text) === '5' && /[89ab]/i.test(UUID.exec(text)?.[2] ?? ''),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  hexcolor: (text) => HEX_COLOR.test(text),
  rgbcolor: (text) => RGB_COLOR.test(text),
  byte: (text) => BASE64.test(text.replace(/[\r\n]/g, '')),
  password: () => true,
  date: isDate,
  duration: (text) => text === '0' || DURATION.test(text) || DAYS_AND_THE_LIKE.test(text),
  datetime: isDateTime,
}

/** Whether a string has the format; formats that Kubernetes does not know let everything pass. "date-time" is "datetime". */
export function hasFormat(format: string, text: string): boolean {
  const check = CHECKS[format.replaceAll('-', '').toLowerCase()]
  return check?.(text) ?? true
}

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text) ?? []
  if (year === undefined) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day)
}

function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text)
  return match !== null && isDate(match[1] ?? '')
}

function isCidr(text: string): boolean {
  const [address = '', length = '', more] = text.split('/')
  const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1
  return more === undefined && /^\d{1,3}$/.test(length) && Number(length) <= bits
}

function uuidVersion(text: string): string | undefined {
  return UUID.exec(text)?.[1]
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  const sum = Array.from(digits).reduce((all, digit, i) => all + (digit === 'X' ? 10 : Number(digit)) * (10 - i), 0)
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  const sum = Array.from(digits).reduce((all, digit, i) => all + Number(digit) * (i % 2 === 0 ? 1 : 3), 0)
  return sum % 10 === 0
}

/** By the Luhn algorithm. */
function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (digits.length < 12 || digits.length > 19) return false
  const sum = Array.from(digits)
    .reverse()
    .reduce((all, digit, i) => {
      const value = Number(digit) * (i % 2 === 0 ? 1 : 2)
      return all + (value > 9 ? value - 9 : value)
    }, 0)
  return sum % 10 === 0
}
