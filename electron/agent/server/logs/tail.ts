/** Where the last lines of a log begin, over all its files. */
import type { OpenLog } from './open-logs.ts'

export interface LogPosition {
  /** Index among the files. */
  readonly file: number
  readonly offset: number
}

const BLOCK = 64 << 10
const NEWLINE = 10
const SPACE = 32
const PARTIAL = 80

/**
 * Searches backwards. A line of the container may stand in several lines of the file, of which all but the last are marked as partial;
 * it counts once.
 */
export async function findTail(files: readonly OpenLog[], lines: number): Promise<LogPosition> {
  if (lines === 0) return { file: Math.max(0, files.length - 1), offset: Infinity }
  const count = { left: lines + 1 }
  for (let file = files.length - 1; file >= 0; file--) {
    const offset = await findInFile(files[file] as OpenLog, count)
    if (offset !== null) return { file, offset }
  }
  return { file: 0, offset: 0 }
}

/** Where the wanted lines begin, or null if more of them are in earlier files. */
async function findInFile({ handle }: OpenLog, count: { left: number }): Promise<number | null> {
  const { size } = await handle.stat()
  /** What follows a newline is the start of a line whose end was seen before. */
  let rest: Buffer = Buffer.alloc(0)
  let end = size
  while (end > 0) {
    const start = Math.max(0, end - BLOCK)
    const block = Buffer.alloc(end - start)
    await handle.read(block, 0, block.length, start)
    let cut = block.length
    for (let at = block.lastIndexOf(NEWLINE, cut - 1); at !== -1 && cut > 0; at = at > 0 ? block.lastIndexOf(NEWLINE, at - 1) : -1) {
      const lineStart = start + at + 1
      const head = Buffer.concat([block.subarray(at + 1, cut), rest])
      if (head.length > 0 && !isPartial(head) && --count.left === 0) return nextLine(head, lineStart)
      rest = Buffer.alloc(0)
      cut = at
    }
    rest = Buffer.concat([block.subarray(0, cut), rest])
    end = start
  }
  if (rest.length > 0 && !isPartial(rest) && --count.left === 0) return nextLine(rest, 0)
  return null
}

/** The wanted lines begin behind the one that is one too many. */
function nextLine(line: Buffer, start: number): number {
  return start + line.length + 1
}

/** `TIME STREAM P…`: the third word tells. */
function isPartial(line: Buffer): boolean {
  const first = line.indexOf(SPACE)
  const second = first < 0 ? -1 : line.indexOf(SPACE, first + 1)
  return second >= 0 && line[second + 1] === PARTIAL
}
