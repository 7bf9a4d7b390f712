/** Base64 (RFC 4648 section 4) as Go's `encoding/base64` reads it: line breaks are skipped, everything else must be right. */
const CANONICAL = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export class Base64Error extends Error {
  override readonly name = 'Base64Error'
}

/** The text as Go would write it again. Throws Base64Error with Go's message. */
export function normalizeBase64(text: string): string {
  if (text.length % 4 === 0 && CANONICAL.test(text) && !text.endsWith('=')) return text
  const at = faultOf(text)
  if (at >= 0) throw new Base64Error(`illegal base64 data at input byte ${at}`)
  return Buffer.from(text, 'base64').toString('base64')
}

/** Where Go stops reading; -1 if it reads to the end. */
function faultOf(text: string): number {
  let at = 0
  const skipBreaks = () => {
    while (text[at] === '\n' || text[at] === '\r') at++
  }
  for (;;) {
    for (let inQuantum = 0; inQuantum < 4; inQuantum++) {
      skipBreaks()
      const char = text[at]
      if (char === undefined) return inQuantum === 0 ? -1 : at - inQuantum
      at++
      if (/[A-Za-z0-9+/]/.test(char)) continue
      if (char !== '=' || inQuantum < 2) return at - 1
      if (inQuantum === 2) {
        skipBreaks()
        if (at === text.length) return at
        if (text[at] !== '=') return at
        at++
      }
      skipBreaks()
      return at < text.length ? at : -1
    }
  }
}
