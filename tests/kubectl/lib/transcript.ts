/**
 * Transcripts: what is typed into a shell and what it prints, a file per area. Line by line:
 *
 * - `# text` says something to the reader; `+ NAME` begins a file, whose lines follow after `| `
 * - `$ command` is run once, `~ command` again and again until it prints what is wanted; `> ` continues the line before.
 *   `$[>=1.24] command`: only by these kubectls; `$[<=1.23] command`
 * - two spaces begin a line of its standard output, `! ` one of its standard error, `= N` is its exit code, if it is not 0
 * - `@ <=1.20` begins what kubectls up to that version print instead of what stands above
 *
 * Empty lines are of the output if it goes on after them. White space at the ends of lines and of outputs does not count.
 */

/** The number after "1.". */
export type Minor = number

export interface Output {
  readonly out: string
  readonly err: string
  readonly code: number
}

export interface Command {
  readonly text: string
  readonly untilSo: boolean
  readonly since: Minor
  readonly upTo: Minor
  /** Ascending by `upTo`; the last one is for all further versions. */
  readonly outputs: readonly { readonly upTo: Minor; readonly output: Output }[]
}

export type Step =
  | { readonly type: 'remark'; readonly text: string }
  | { readonly type: 'file'; readonly name: string; readonly text: string }
  | ({ readonly type: 'command' } & Command)

const COMMAND = /^([$~])(?:\[(>=|<=)1\.(\d+)\])? (.*)$/

export function parseTranscript(text: string): Step[] {
  const steps: Step[] = []
  const lines = text.split('\n')
  let at = 0
  const take = (prefix: string): string[] => {
    const taken: string[] = []
    while (at < lines.length && (lines[at] === prefix.trimEnd() || lines[at]?.startsWith(prefix))) {
      taken.push((lines[at++] ?? '').slice(prefix.length))
    }
    return taken
  }
  while (at < lines.length) {
    const line = lines[at++] ?? ''
    const command = COMMAND.exec(line)
    if (line === '') continue
    if (line.startsWith('# ')) steps.push({ type: 'remark', text: line.slice(2) })
    else if (line.startsWith('+ '))
      steps.push({
        type: 'file',
        name: line.slice(2),
        text: take('| ')
          .map((one) => `${one}\n`)
          .join(''),
      })
    else if (command) {
      const [, mark, bound, minor, first = ''] = command
      steps.push({
        type: 'command',
        text: [first, ...take('> ')].join('\n'),
        untilSo: mark === '~',
        since: bound === '>=' ? Number(minor) : 0,
        upTo: bound === '<=' ? Number(minor) : Infinity,
        outputs: takeOutputs(),
      })
    } else throw new Error(`line ${at} of the transcript is none of its kinds: ${line}`)
  }
  return steps

  function takeOutputs(): Command['outputs'] {
    const outputs = [{ upTo: Infinity, output: takeOutput() }]
    for (let bound = nextBound(); bound !== null; bound = nextBound()) outputs.push({ upTo: bound, output: takeOutput() })
    return outputs.sort((a, b) => a.upTo - b.upTo)
  }
  function nextBound(): number | null {
    while (
      lines[at] === '' &&
      lines
        .slice(at)
        .find((line) => line !== '')
        ?.startsWith('@ ')
    )
      at++
    const found = /^@ <=1\.(\d+)$/.exec(lines[at] ?? '')
    if (!found) return null
    at++
    return Number(found[1])
  }
  function takeOutput(): Output {
    const output = { out: [] as string[], err: [] as string[], code: 0 }
    for (let blanks = 0; at < lines.length; at++) {
      const line = lines[at] ?? ''
      if (line.trim() === '') {
        blanks++
        continue
      }
      const into = line.startsWith('  ') ? output.out : line === '!' || line.startsWith('! ') ? output.err : null
      const code = /^= (\d+)$/.exec(line)
      if (!into && !code) {
        at -= blanks
        break
      }
      if (code) output.code = Number(code[1])
      else into?.push(...Array.from({ length: blanks }, () => ''), line.slice(2))
      blanks = 0
    }
    return { out: output.out.join('\n'), err: output.err.join('\n'), code: output.code }
  }
}

export function formatTranscript(steps: readonly Step[]): string {
  const lines: string[] = []
  let before: Step['type'] | null = null
  for (const step of steps) {
    if (before && !(before === step.type && step.type === 'remark')) lines.push('')
    if (before === 'remark' && step.type !== 'remark') lines.pop()
    before = step.type
    if (step.type === 'remark') lines.push(`# ${step.text}`)
    else if (step.type === 'file') lines.push(`+ ${step.name}`, ...prefixed(step.text.replace(/\n$/, ''), '| '))
    else lines.push(...formatCommand(step))
  }
  return `${lines.join('\n')}\n`
}

function formatCommand({ text, untilSo, since, upTo, outputs }: Command): string[] {
  const [first = '', ...rest] = text.split('\n')
  const range = since > 0 ? `[>=1.${since}]` : upTo < Infinity ? `[<=1.${upTo}]` : ''
  const lines = [`${untilSo ? '~' : '$'}${range} ${first}`, ...rest.map((line) => `> ${line}`)]
  for (const { upTo: bound, output } of outputs.toReversed()) {
    if (bound < Infinity) lines.push(`@ <=1.${bound}`)
    if (output.out) lines.push(...prefixed(output.out, '  '))
    if (output.err) lines.push(...prefixed(output.err, '! '))
    if (output.code !== 0) lines.push(`= ${output.code}`)
  }
  return lines
}

function prefixed(text: string, prefix: string): string[] {
  return text.split('\n').map((line) => `${prefix}${line}`.trimEnd())
}

export function isFor({ since, upTo }: Command, minor: Minor): boolean {
  return since <= minor && minor <= upTo
}

export function expected({ outputs }: Command, minor: Minor): Output {
  const found = outputs.find(({ upTo }) => minor <= upTo)
  if (!found) throw new Error('a command has no output for later versions')
  return found.output
}
