/**
 * `node relay.ts STATE_DIR RENDERER_DIR`: a plane in its thread, and the UI served to a browser by the main thread, as the program does
 * it. Says where the UI is; at each line on stdin says how late the main thread's event loop was since the line before, and the CPU.
 */
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemRandom } from '../../electron/base/random.ts'
import { serveBrowserFace } from '../../electron/headless/browser-face.ts'
import { startOwn } from '../../electron/headless/session.ts'

const [stateDir = '', rendererDir = ''] = process.argv.slice(2)
const entry = join(import.meta.dirname, '../../electron/headless/flotilla.ts')
await using plane = await startOwn({ entry, stateDir })
await using face = await serveBrowserFace({ rendererDir, port: 0, random: systemRandom, connect: () => plane.host.connect() })
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
let before = process.cpuUsage()
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ ui: face.url, kubeconfig: plane.info.kubeconfig })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') break
  const { user, system } = process.cpuUsage(before)
  say({ p99: delay.percentile(99) / 1e6, max: delay.max / 1e6, cpuSeconds: (user + system) / 1e6 })
  delay.reset()
  before = process.cpuUsage()
}
