/** Differences of two texts by line, with the words that changed. */

export interface DiffLine {
  readonly sign: ' ' | '+' | '-'
  /** Line numbers from 1 in the old and the new text; null where it is not there. */
  readonly old: number | null
  readonly new: number | null
  readonly parts: readonly { readonly text: string; readonly changed: boolean }[]
}

export type DiffRow = DiffLine | { readonly fold: number }

/** Myers' shortest edit in O(ND); for manifests, whose texts are small. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = splitLines(before)
  const b = splitLines(after)
  const lines: DiffLine[] = []
  for (const step of shortestEdit(a, b)) {
    const text = step.sign === '+' ? b[step.b] : a[step.a]
    lines.push({
      sign: step.sign,
      old: step.sign === '+' ? null : step.a + 1,
      new: step.sign === '-' ? null : step.b + 1,
      parts: [{ text: text ?? '', changed: false }],
    })
  }
  return markWords(lines)
}

function splitLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

interface Step {
  readonly sign: ' ' | '+' | '-'
  readonly a: number
  readonly b: number
}

function shortestEdit(a: readonly string[], b: readonly string[]): Step[] {
  const max = a.length + b.length
  const reach = new Map<number, number>([[1, 0]])
  const history: Map<number, number>[] = []
  const at = (of: Map<number, number>, k: number) => of.get(k) ?? 0
  for (let d = 0; d <= max; d++) {
    history.push(new Map(reach))
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && at(reach, k - 1) < at(reach, k + 1)) ? at(reach, k + 1) : at(reach, k - 1) + 1
      let y = x - k
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++
        y++
      }
      reach.set(k, x)
      if (x >= a.length && y >= b.length) return walkBack(history, a.length, b.length)
    }
  }
  return []
}

function walkBack(history: readonly Map<number, number>[], endA: number, endB: number): Step[] {
  const steps: Step[] = []
  let x = endA
  let y = endB
  for (let d = history.length - 1; d >= 0; d--) {
    const reach = history[d] as Map<number, number>
    const at = (k: number) => reach.get(k) ?? 0
    const k = x - y
    const from = k === -d || (k !== d && at(k - 1) < at(k + 1)) ? k + 1 : k - 1
    const fromX = d === 0 ? 0 : at(from)
    const fromY = d === 0 ? 0 : fromX - from
    while (x > fromX && y > fromY) steps.push({ sign: ' ', a: --x, b: --y })
    if (d === 0) break
    if (x === fromX) steps.push({ sign: '+', a: x, b: --y })
    else steps.push({ sign: '-', a: --x, b: y })
  }
  return steps.toReversed()
}

/** Where lines were replaced one by one, the part between their common start and end is what changed. */
function markWords(lines: readonly DiffLine[]): DiffLine[] {
  const result = [...lines]
  for (let i = 0; i < result.length;) {
    let minus = i
    while (result[minus]?.sign === '-') minus++
    let plus = minus
    while (result[plus]?.sign === '+') plus++
    const pairs = Math.min(minus - i, plus - minus)
    for (let n = 0; n < pairs; n++) {
      const old = result[i + n] as DiffLine
      const now = result[minus + n] as DiffLine
      const [oldParts, newParts] = changedParts(old.parts[0]?.text ?? '', now.parts[0]?.text ?? '')
      result[i + n] = { ...old, parts: oldParts }
      result[minus + n] = { ...now, parts: newParts }
    }
    i = Math.max(plus, i + 1)
  }
  return result
}

function changedParts(old: string, now: string): [DiffLine['parts'], DiffLine['parts']] {
  const most = Math.min(old.length, now.length)
  let start = 0
  while (start < most && old[start] === now[start]) start++
  let tail = 0
  while (tail < most - start && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++
  const cut = (text: string) =>
    [
      { text: text.slice(0, start), changed: false },
      { text: text.slice(start, text.length - tail), changed: true },
      { text: text.slice(text.length - tail), changed: false },
    ].filter((part) => part.text !== '')
  return [cut(old), cut(now)]
}

/** Equal lines further than `around` from a change are folded into their count. */
export function folded(lines: readonly DiffLine[], around = 3): DiffRow[] {
  const near = lines.map((_, index) => lines.slice(Math.max(0, index - around), index + around + 1).some((line) => line.sign !== ' '))
  const rows: DiffRow[] = []
  let hidden = 0
  for (const [index, line] of lines.entries()) {
    if (near[index]) {
      if (hidden) rows.push({ fold: hidden })
      hidden = 0
      rows.push(line)
    } else hidden++
  }
  if (hidden) rows.push({ fold: hidden })
  return rows
}
