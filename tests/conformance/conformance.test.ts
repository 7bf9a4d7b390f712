/** What passed once goes on passing; which behaviours do not pass yet is what `npm run conformance` counts. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { startCluster, type Cluster } from './lib/cluster.ts'
import { readRecord } from './lib/record.ts'
import { isSlow, readRows } from './lib/rows.ts'
import { loadBehaviours, runRows, type Outcome } from './lib/suite.ts'

const rows = readRows()
const behaviours = await loadBehaviours(rows)
const recorded = readRecord()
const tested = rows.filter((row) => row.needs === 'api' && recorded.has(row.id) && !isSlow(row))

describe('behaviours that need no node', () => {
  let cluster: Cluster
  const outcomes = new Map<string, Outcome>()

  beforeAll(async () => {
    cluster = await startCluster('api')
    for (const outcome of await runRows(tested, behaviours, cluster, () => undefined)) outcomes.set(outcome.row.id, outcome)
  }, 20 * 60_000)
  afterAll(() => cluster[Symbol.asyncDispose]())

  it.each(tested.map((row) => row.id))('%s', (id) => {
    const outcome = outcomes.get(id)
    if (!outcome?.passed) throw new Error(outcome?.why ?? 'it was not run')
  })
})
