/**
 * What differs between two values, as a unified diff of their indented JSON with three lines of context. Kubernetes puts it behind
 * the refusal of an update. Source: apimachinery `util/diff`.
 */

const CONTEXT = 3

interface Edit {
  readonly sign: ' ' | '-' | '+'
  readonly line: string
}

/** Empty if they are the same. */
export function unifiedDiff(before: unknown, after: unknown): string {
  return hunks(edits(linesOf(before), linesOf(after))).join('')
}

function linesOf(value: unknown): string[] {
  return (JSON.stringify(value, inOrder, 1) ?? 'null').split('\n')
}

/** Members by name, so that objects that were put together differently do not look different. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The shortest edit by longest common subsequence, after cutting what both begin and end with. */
function edits(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ sign: ' ', line }))
  return [
    ...same(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end)),
  ]
}

function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const out: Edit[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]]
    if (x !== undefined && x === y) {
      out.push({ sign: ' ', line: x })
      i++
      j++
    } else if (x !== undefined && (y === undefined || at(i + 1, j) >= at(i, j + 1))) {
      out.push({ sign: '-', line: x })
      i++
    } else if (y !== undefined) {
      out.push({ sign: '+', line: y })
      j++
    }
  }
  return out
}

function hunks(all: readonly Edit[]): string[] {
  const out: string[] = []
  let index = 0
  let [before, after] = [1, 1]
  while (index < all.length) {
    const first = all.findIndex((edit, i) => i >= index && edit.sign !== ' ')
    if (first < 0) break
    let last = first
    for (let i = first; i < all.length && i <= last + 2 * CONTEXT; i++) if (all[i]?.sign !== ' ') last = i
    const from = Math.max(index, first - CONTEXT)
    const to = Math.min(all.length, last + CONTEXT + 1)
    before += from - index
    after += from - index
    const part = all.slice(from, to)
    const removed = part.filter((edit) => edit.sign !== '+').length
    const added = part.filter((edit) => edit.sign !== '-').length
    out.push(`@@ -${range(before, removed)} +${range(after, added)} @@\n`, ...part.map(({ sign, line }) => `${sign}${line}\n`))
    before += removed
    after += added
    index = to
  }
  return out
}

function range(start: number, length: number): string {
  if (length === 1) return `${start}`
  return `${length === 0 ? start - 1 : start},${length}`
}
