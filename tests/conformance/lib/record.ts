/** Which rows passed when the count was last recorded. What is in it must go on passing: `npm test` sees to that for the tier `api`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row } from './rows.ts'
import type { Outcome } from './suite.ts'

const FILE = join(import.meta.dirname, '../passing.txt')

export function readRecord(): Set<string> {
  return new Set(readFileSync(FILE, 'utf8').split('\n').filter(Boolean))
}

/** Rows that were not run stay as they were. */
export function writeRecord(rows: readonly Row[], outcomes: readonly Outcome[]): void {
  const passing = readRecord()
  for (const { row, passed } of outcomes) {
    if (passed) passing.add(row.id)
    else passing.delete(row.id)
  }
  const ids = rows.map((row) => row.id).filter((id) => passing.has(id))
  writeFileSync(FILE, `${ids.join('\n')}\n`)
}
