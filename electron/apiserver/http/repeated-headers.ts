type Headers = Readonly<Record<string, string | undefined>>

const PREFIX = 'impersonate-'

/**
 * Node joins what was sent in several headers of one name with commas, which values may have in them: the name of a group often does.
 * Here the values of `Impersonate-*` headers are lines. `raw` has names and values by turns, as they were sent.
 */
export function withImpersonationLines(headers: Headers, raw: readonly string[]): Headers {
  let found = false
  for (const name in headers) found ||= name.startsWith(PREFIX)
  if (!found) return headers
  const lines: Record<string, string> = {}
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    if (!name.startsWith(PREFIX)) continue
    const value = raw[i + 1] ?? ''
    lines[name] = Object.hasOwn(lines, name) ? `${lines[name] ?? ''}\n${value}` : value
  }
  return { ...headers, ...lines }
}
