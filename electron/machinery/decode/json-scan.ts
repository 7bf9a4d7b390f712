/** What JSON text has that parsing it loses. */
export interface JsonTraits {
  /** Properties at all depths, those counted twice that are there twice. */
  readonly keys: number
  /** Some number has a fraction, an exponent, or more digits than a double surely holds. */
  readonly inexact: boolean
  /** How deep arrays and objects are nested. */
  readonly depth: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const UPPER_E = 0x45
const LOWER_E = 0x65
const OPEN = 0x5b
const CLOSE = 0x5d
/** Braces differ from brackets by this bit. */
const BRACE = 0x20
const SAFE_DIGITS = 15

/** Looks at well-formed JSON in UTF-8 once; a nanosecond or so a byte. */
export function scanJson(bytes: Uint8Array): JsonTraits {
  const { length } = bytes
  let keys = 0
  let inexact = false
  let digits = 0
  let open = 0
  let depth = 0
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) {
      for (i++; i < length; i++) {
        const inside = bytes[i] as number
        if (inside === QUOTE) break
        if (inside === BACKSLASH) i++
      }
    } else if (byte === COLON) keys++
    else if (byte >= ZERO && byte <= NINE) {
      if (++digits > SAFE_DIGITS) inexact = true
      continue
    } else if ((byte & ~BRACE) === OPEN) {
      if (++open > depth) depth = open
    } else if ((byte & ~BRACE) === CLOSE) open--
    else if (byte === POINT || ((byte === LOWER_E || byte === UPPER_E) && digits > 0)) inexact = true
    digits = 0
  }
  return { keys, inexact, depth }
}
