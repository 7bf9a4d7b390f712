/** A shell that knows `echo`, `$((…))`, `exit` and nothing else: enough to see that keys go in and text comes out. */
export interface FakeShell {
  /** What the terminal shows for these keys. */
  type(keys: string): string
  readonly prompt: string
  /** Set when `exit` was typed. */
  readonly code: number | null
}

export function createShell(host: string): FakeShell {
  const prompt = `${host} $ `
  let line = ''
  let code: number | null = null
  function run(text: string): string {
    const [name = '', ...rest] = text.trim().split(/\s+/)
    if (!name) return ''
    if (name === 'exit') {
      code = Number(rest[0] ?? 0)
      return ''
    }
    if (name === 'echo')
      return `${text
        .trim()
        .slice(5)
        .replaceAll(/\$\(\((\d+)\s*\*\s*(\d+)\)\)/g, (_all, a: string, b: string) => String(Number(a) * Number(b)))}\r\n`
    return `sh: ${name}: not found\r\n`
  }
  return {
    prompt,
    get code() {
      return code
    },
    type(keys) {
      let shown = ''
      for (const key of keys) {
        if (key === '\r') {
          shown += `\r\n${run(line)}${code === null ? prompt : ''}`
          line = ''
        } else if (key === '\u007f') {
          if (line) shown += '\b \b'
          line = line.slice(0, -1)
        } else {
          line += key
          shown += key
        }
      }
      return shown
    },
  }
}
