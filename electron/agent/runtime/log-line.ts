/** Lines of container logs as CRI runtimes write them: `TIME stdout|stderr P|F TEXT`. Source: kubernetes CRI logging. */

export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** Whether the container's line goes on in the next one of this stream. */
  readonly partial: boolean
  readonly text: string
}

/** null for what is no such line; `line` without its newline. */
export function parseLogLine(line: string): LogLine | null {
  const first = line.indexOf(' ')
  const second = line.indexOf(' ', first + 1)
  const third = line.indexOf(' ', second + 1)
  if (first < 0 || second < 0) return null
  const stream = line.slice(first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return null
  const tags = line.slice(second + 1, third < 0 ? undefined : third)
  const partial = tags.split(':')[0] === 'P'
  return { time: line.slice(0, first), stream, partial, text: third < 0 ? '' : line.slice(third + 1) }
}
