/** Whether a name matches a pattern with `*` and `?`. Source: ssh_config(5) "PATTERNS". */
export function matchPattern(pattern: string, name: string): boolean {
  const source = pattern.toLowerCase().replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(name.toLowerCase())
}

/** Whether a list of patterns takes a name: one must match, and none that is negated with `!`. */
export function matchPatterns(patterns: readonly string[], name: string): boolean {
  let matched = false
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchPattern(pattern.slice(1), name)) return false
    } else matched ||= matchPattern(pattern, name)
  }
  return matched
}
