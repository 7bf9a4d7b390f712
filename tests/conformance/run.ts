/**
 * `npm run conformance [-- --needs api|node|nodes] [-- --only id,id] [-- --limit seconds] [-- --simulated]`: each row of behaviours.tsv against a running cluster.
 * `--simulated` runs the rows that simulated nodes can show on those, which proves less than `needs.tsv` asks for and is not recorded.
 * `--record` notes in `passing.txt` which pass. Ends with `N of M behaviours pass` and the ids that do not, one a line; exits 1 if there are any.
 */
import { parseArgs } from 'node:util'
import { startCluster } from './lib/cluster.ts'
import { writeRecord } from './lib/record.ts'
import { readRows, type Needs, type Row } from './lib/rows.ts'
import { canBeSimulated } from './lib/simulated.ts'
import { loadBehaviours, runRows, type Outcome } from './lib/suite.ts'

const TIERS: readonly Needs[] = ['api', 'node', 'nodes']

const { values } = parseArgs({
  options: {
    needs: { type: 'string' },
    only: { type: 'string' },
    limit: { type: 'string' },
    record: { type: 'boolean' },
    simulated: { type: 'boolean', default: false },
    verbose: { type: 'boolean', short: 'v' },
  },
})
const tier = TIERS.find((needs) => needs === values.needs)
if (values.needs !== undefined && !tier) usage(`--needs takes ${TIERS.join(', ')}, not "${values.needs}".`)

const seconds = values.limit === undefined ? null : Number(values.limit)
if (seconds !== null && !(seconds > 0)) usage(`--limit takes seconds, not "${values.limit}".`)
const limit = seconds === null ? undefined : () => seconds * 1000

if (values.simulated && values.record) usage('what passes on simulated nodes is not recorded.')
const { simulated } = values

const rows = readRows()
const only = values.only?.split(',')
for (const id of only ?? []) if (!rows.some((row) => row.id === id)) usage(`behaviours.tsv has no row "${id}".`)
const chosen = rows.filter(
  (row) => (!tier || row.needs === tier) && (!only || only.includes(row.id)) && (!simulated || canBeSimulated(row)),
)
const behaviours = await loadBehaviours(rows)

const outcomes: Outcome[] = []
for (const needs of TIERS) {
  const inTier = chosen.filter((row) => row.needs === needs)
  if (inTier.length) outcomes.push(...(await runTier(needs, inTier)))
}
for (const needs of TIERS) {
  const inTier = outcomes.filter((outcome) => outcome.row.needs === needs)
  if (inTier.length)
    console.log(`${simulated ? `simulated ${needs}` : needs}: ${inTier.filter((o) => o.passed).length} of ${inTier.length}`)
}
if (values.record) writeRecord(rows, outcomes)
const failing = rows.filter((row) => outcomes.some((o) => o.row.id === row.id && !o.passed))
console.log(`${outcomes.length - failing.length} of ${outcomes.length} behaviours pass${simulated ? ' on simulated nodes' : ''}`)
for (const row of failing) console.log(row.id)
process.exit(failing.length ? 1 : 0)

/** Rows without a test need no cluster to be known as failing. */
async function runTier(needs: Needs, inTier: Row[]): Promise<Outcome[]> {
  const tested = inTier.filter((row) => behaviours.has(row.id))
  const untested = inTier.filter((row) => !behaviours.has(row.id))
  const without = untested.map((row): Outcome => ({ row, passed: false, why: 'it has no test', milliseconds: 0 }))
  if (!tested.length) return without
  await using cluster = await startCluster(needs, { simulated })
  const report = ({ row, passed, why, milliseconds }: Outcome) => {
    console.error(`${passed ? 'ok  ' : 'FAIL'} ${row.id} ${(milliseconds / 1000).toFixed(1)} s`)
    if (!passed || values.verbose) console.error(`     ${row.behaviour}\n${why.replace(/^/gm, '     ')}`)
  }
  return [...(await runRows(tested, behaviours, cluster, report, limit)), ...without]
}

function usage(why: string): never {
  console.error(
    `error: ${why}\nnext: npm run conformance [-- --needs api|node|nodes] [-- --only id,id] [-- --limit seconds] [-- --simulated]`,
  )
  process.exit(2)
}
