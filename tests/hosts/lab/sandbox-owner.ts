/** A program that makes two sandboxes and then only waits: to be killed. Prints what it made as one line of JSON. */
import { systemClock } from '../../../electron/base/clock.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { Sandboxes } from '../../../electron/provision/sandbox/sandbox.ts'

const [stateDir = '', authorizedKey = ''] = process.argv.slice(2)
const sandboxes = new Sandboxes({ stateDir, clock: systemClock, random: systemRandom, authorizedKey, egress: false })
const made = await Promise.all([sandboxes.create('one'), sandboxes.create('two')])
process.stdout.write(`${JSON.stringify(made)}\n`)
setInterval(() => undefined, 1 << 30)
