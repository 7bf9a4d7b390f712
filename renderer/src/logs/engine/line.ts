/** One line of a container's log: its time, its level as far as the text tells, and the text. */

/** Levels by the number under which they are kept; higher is worse. */
export const LEVELS = ['', 'debug', 'info', 'warn', 'err'] as const
/** Stands in the place of a level where a row is a mark and no line. */
export const MARK = 5

export interface Line {
  /** Of one log store; never used twice. */
  id: number
  /** Number of the log it is of. */
  readonly source: number
  /** Seconds since the epoch, 0 where the line had no time, and nanoseconds within the second. */
  readonly sec: number
  readonly nano: number
  /** Index in LEVELS, or MARK. */
  readonly level: number
  readonly text: string
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?/
const ESC = '\u001b'
const BEL = '\u0007'
/** Colours and cursor movements of terminals (ECMA-48). */
const ESCAPES = new RegExp(`${ESC}(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)|[@-Z\\\\-_])`, 'g')

export interface ParsedLine {
  readonly sec: number
  readonly nano: number
  readonly level: number
  readonly text: string
}

/** Reads lines; times of the same second, which come one after the other, are read once. */
export class LineParser {
  #stamp = ''
  #sec = 0

  parse(raw: string): ParsedLine {
    const match = STAMP.exec(raw)
    const body = match ? raw.slice(match[0].length) : raw
    const plain = body.includes(ESC) ? body.replaceAll(ESCAPES, '') : body
    const text = plain.endsWith('\r') ? plain.slice(0, -1) : plain
    const level = levelOf(text)
    if (!match) return { sec: 0, nano: 0, level, text }
    const stamp = `${match[1] ?? ''}${match[3] ?? 'Z'}`
    if (stamp !== this.#stamp) {
      this.#stamp = stamp
      this.#sec = Math.floor(Date.parse(stamp) / 1000)
    }
    return { sec: this.#sec, nano: match[2] ? Number(match[2].padEnd(9, '0')) : 0, level, text }
  }
}

/** RFC 3339 with nine decimals, UTC; "" for none. */
export function timeText(sec: number, nano: number): string {
  return sec === 0 ? '' : `${new Date(sec * 1000).toISOString().slice(0, 19)}.${String(nano).padStart(9, '0')}Z`
}

/** Far enough for a level: what follows is the message. */
const HEAD = 160
const JSON_LEVEL = /"(?:level|severity|lvl)"\s*:\s*"?(\w+)/i
const FMT_LEVEL = /\b(?:level|severity|lvl)=(\w+)/i
const WORD_LEVEL = /(?:^|[\s[(|<"])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|PANIC|CRIT(?:ICAL)?|SEVERE)(?=[\s\]):|>"]|$)/
const KLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d/

/** Index in LEVELS, from klog's first letter, a JSON or logfmt field, or a word in capitals near the start. */
export function levelOf(text: string): number {
  const head = text.length > HEAD ? text.slice(0, HEAD) : text
  const klog = KLOG.exec(head)
  if (klog) return klog[1] === 'I' ? 2 : klog[1] === 'W' ? 3 : 4
  const found = (head.startsWith('{') ? JSON_LEVEL.exec(head)?.[1] : undefined) ?? FMT_LEVEL.exec(head)?.[1] ?? WORD_LEVEL.exec(head)?.[1]
  switch (found?.toLowerCase().slice(0, 4)) {
    case 'erro':
    case 'err':
    case 'fata':
    case 'pani':
    case 'crit':
    case 'seve':
      return 4
    case 'warn':
      return 3
    case 'info':
    case 'noti':
      return 2
    case 'debu':
    case 'trac':
      return 1
    default:
      return 0
  }
}
