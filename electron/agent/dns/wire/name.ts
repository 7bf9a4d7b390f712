/**
 * Names of the DNS in their binary and their text form. Source: RFC 1035, 4.1.4. Text is lower case, without the final dot; a dot or
 * backslash inside a label is escaped, so that different names never look the same.
 */

export interface ReadName {
  readonly name: string
  /** Where what follows the name begins. */
  readonly end: number
}

const MOST_BYTES = 255
const MOST_LABEL = 63
const POINTER = 0xc0

/** Null if the message has no whole name there, or one that leads in circles. */
export function readName(message: Uint8Array, start: number): ReadName | null {
  const labels: string[] = []
  let at = start
  let end = -1
  let bytes = 1
  for (;;) {
    const length = message[at]
    if (length === undefined) return null
    if (length === 0) return { name: labels.join('.'), end: end < 0 ? at + 1 : end }
    if ((length & POINTER) === POINTER) {
      const low = message[at + 1]
      if (low === undefined) return null
      if (end < 0) end = at + 2
      const target = ((length & ~POINTER) << 8) | low
      // Pointers lead back, so that they come to an end.
      if (target >= at) return null
      at = target
      continue
    }
    bytes += length + 1
    if (length > MOST_LABEL || bytes > MOST_BYTES || at + 1 + length > message.length) return null
    labels.push(labelText(message, at + 1, length))
    at += 1 + length
  }
}

/** Where the name at `start` ends, without reading it. */
export function skipName(message: Uint8Array, start: number): number | null {
  for (let at = start; ;) {
    const length = message[at]
    if (length === undefined) return null
    if (length === 0) return at + 1
    if ((length & POINTER) === POINTER) return at + 2 <= message.length ? at + 2 : null
    if (length > MOST_LABEL) return null
    at += 1 + length
  }
}

function labelText(message: Uint8Array, start: number, length: number): string {
  let text = ''
  for (let at = start; at < start + length; at++) {
    let byte = message[at] ?? 0
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20
    if (byte === 0x2e || byte === 0x5c) text += '\\'
    text += String.fromCharCode(byte)
  }
  return text
}

/** The labels of a text form, unescaped. */
export function labelsOf(name: string): string[] {
  if (name === '') return []
  if (!name.includes('\\')) return name.split('.')
  const labels = ['']
  for (let at = 0; at < name.length; at++) {
    const char = name[at]
    if (char === '.') labels.push('')
    else labels[labels.length - 1] += char === '\\' ? (name[++at] ?? '') : (char ?? '')
  }
  return labels
}

/** Without compression. Throws RangeError if it is none: empty or too long labels, or too long as a whole. */
export function encodeName(name: string): Uint8Array {
  const parts: number[] = []
  for (const label of labelsOf(name)) {
    if (label.length === 0 || label.length > MOST_LABEL) throw new RangeError(`no name for the DNS: ${JSON.stringify(name)}`)
    parts.push(label.length)
    for (let at = 0; at < label.length; at++) parts.push(label.charCodeAt(at) & 0xff)
  }
  parts.push(0)
  if (parts.length > MOST_BYTES) throw new RangeError(`too long for a name of the DNS: ${JSON.stringify(name)}`)
  return Uint8Array.from(parts)
}

/** Whether a name of people's or objects' can be one of the DNS. */
export function isEncodable(name: string): boolean {
  try {
    return encodeName(name).length > 1
  } catch {
    return false
  }
}
