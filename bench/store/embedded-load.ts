/** Loads an embedded store in this process: `node embedded-load.ts DIR WRITERS SECONDS` prints a LoadResult with its CPU as JSON. */
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { load } from './load.ts'

const [dir = '', writers, seconds] = process.argv.slice(2)
await using store = await createEmbeddedStore({ dir, clock: systemClock, logger: silentLogger })
const before = process.cpuUsage()
const result = await load((key, value) => store.txn({ success: [{ type: 'put', key, value }] }), Number(writers), Number(seconds))
const { user, system } = process.cpuUsage(before)
// The warm-up is in the CPU time, a tenth more of the same.
process.stdout.write(JSON.stringify({ ...result, cpuMicroseconds: (user + system) / 1.1 }))
