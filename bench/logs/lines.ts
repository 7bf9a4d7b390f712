/** What the container says. */

const WORDS = [
  'GET /cart 200',
  'POST /pay 202',
  'heap 214 Mi of 256 Mi',
  'upstream timeout',
  'warm cache',
  'GET /healthz 200',
  'retry 1',
  'ok',
]
const LEVELS = ['INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'INFO', 'DEBUG', 'WARN', 'INFO', 'ERROR']

/** The n-th message, about a hundred bytes: a function of its number, so that it can be told when one is missing. */
export function messageOf(n: number): string {
  const trace = (Math.imul(n, 2654435761) >>> 0).toString(16).padStart(8, '0')
  return `${LEVELS[n % LEVELS.length] ?? ''} ${WORDS[n % WORDS.length] ?? ''} request=${n} user=${(n * 7919) % 100_003} took ${(n * 31) % 997} ms trace=${trace}`
}

/** What is searched for, and in how many of the first `total` messages it is. */
export function searches(total: number): { readonly typed: string; readonly matches: number }[] {
  const count = (fits: (text: string) => boolean) => {
    let matches = 0
    for (let n = 0; n < total; n++) if (fits(messageOf(n))) matches++
    return matches
  }
  return ['upstream timeout', 'request=765432 ', 'e', 'nowhere in it', 'TRACE=0000']
    .map((typed) => ({
      typed,
      matches: count((text) => text.toLowerCase().includes(typed.trim().toLowerCase())),
    }))
    .concat(
      ['/took \\d ms trace=[0-9a-f]+a$/', '/error.*user=4\\d{4} /i'].map((typed) => {
        const [, source = '', flags] = /^\/(.+)\/(i?)$/.exec(typed) ?? []
        const pattern = new RegExp(source, flags)
        return { typed, matches: count((text) => pattern.test(text)) }
      }),
    )
}
