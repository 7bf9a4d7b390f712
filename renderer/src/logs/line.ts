/** One line of a container's log: its time, its level as far as the text tells, and the text. */

export type Level = 'err' | 'warn' | 'info' | 'debug' | ''

export interface LogLine {
  /** Its place since the log was opened; never used twice. */
  readonly n: number
  /** RFC 3339 with nine decimals, UTC, so that times compare as text; "" where the line had none. */
  readonly time: string
  readonly level: Level
  readonly text: string
}

/** A place where lines may be missing, or where the container began anew. */
export interface LogBreak {
  readonly n: number
  readonly kind: 'gap' | 'restart' | 'dropped'
  readonly text: string
}

export type LogRow = LogLine | LogBreak

export const isBreak = (row: LogRow): row is LogBreak => 'kind' in row

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?/
const ESC = '\u001b'
const BEL = '\u0007'
/** Colours and cursor movements of terminals (ECMA-48). */
const ESCAPES = new RegExp(`${ESC}(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)|[@-Z\\\\-_])`, 'g')

export function parseLine(raw: string, n: number): LogLine {
  const match = STAMP.exec(raw)
  const time = match ? stampOf(match[1] ?? '', match[2] ?? '', match[3] ?? 'Z') : ''
  const body = match ? raw.slice(match[0].length) : raw
  const text = body.includes(ESC) ? body.replaceAll(ESCAPES, '') : body
  return { n, time, level: levelOf(text), text: text.endsWith('\r') ? text.slice(0, -1) : text }
}

function stampOf(second: string, fraction: string, zone: string): string {
  const whole = zone === 'Z' ? second : new Date(Date.parse(second + zone)).toISOString().slice(0, 19)
  return `${whole}.${fraction.padEnd(9, '0')}Z`
}

/** Far enough for a level: what follows is the message. */
const HEAD = 160
const JSON_LEVEL = /"(?:level|severity|lvl)"\s*:\s*"?(\w+)/i
const FMT_LEVEL = /\b(?:level|severity|lvl)=(\w+)/i
const WORD_LEVEL = /(?:^|[\s[(|<"])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|PANIC|CRIT(?:ICAL)?|SEVERE)(?=[\s\]):|>"]|$)/
const KLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d/

/** From klog's first letter, a JSON or logfmt field, or a word in capitals near the start. */
export function levelOf(text: string): Level {
  const head = text.slice(0, HEAD)
  const klog = KLOG.exec(head)
  if (klog) return klog[1] === 'I' ? 'info' : klog[1] === 'W' ? 'warn' : 'err'
  const found = (head.startsWith('{') ? JSON_LEVEL.exec(head)?.[1] : undefined) ?? FMT_LEVEL.exec(head)?.[1] ?? WORD_LEVEL.exec(head)?.[1]
  switch (found?.toLowerCase().slice(0, 4)) {
    case 'erro':
    case 'err':
    case 'fata':
    case 'pani':
    case 'crit':
    case 'seve':
      return 'err'
    case 'warn':
      return 'warn'
    case 'info':
    case 'noti':
      return 'info'
    case 'debu':
    case 'trac':
      return 'debug'
    default:
      return ''
  }
}
