/**
 * `node embedded-objects.ts DIR fill` writes the objects into an embedded store and waits to be killed. `… DIR open` opens it, says
 * `serving` after the first read, reads all and says `read`, and waits to be killed.
 */
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { fill, readAll } from './objects.ts'

const [dir = '', what] = process.argv.slice(2)
const store = await createEmbeddedStore({ dir, clock: systemClock, logger: silentLogger })
if (what === 'fill') {
  await fill(store)
  process.stdout.write('filled\n')
} else {
  await store.range({ key: '/registry/', end: '/registry0', limit: 1 })
  process.stdout.write('serving\n')
  await readAll(store)
  process.stdout.write('read\n')
}
process.stdin.resume()
