/** The network's parts of the agent in a process of their own, which reaches the API server by the relay, as on a worker. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../electron/base/clock.ts'
import { Emitter } from '../../electron/base/events.ts'
import { startIn } from '../../electron/base/lifecycle.ts'
import { jsonLogger } from '../../electron/base/logger.ts'
import { systemRandom } from '../../electron/base/random.ts'
import type { AgentConfig } from '../../electron/api/infra/v1alpha1/agent-config.ts'
import { createInformers } from '../../electron/client/informers.ts'
import { createRemoteClient } from '../../electron/client/remote-client.ts'
import { Checkpoints } from '../../electron/agent/checkpoint/checkpoints.ts'
import { apiRelayPart } from '../../electron/agent/net/api-relay-part.ts'
import { nodeNetworkPart } from '../../electron/agent/proxy/node-network-part.ts'

export interface AgentProcessInput {
  readonly config: AgentConfig
  readonly certificate: { readonly cert: string; readonly key: string }
}

const [file = ''] = process.argv.slice(2)
const { config, certificate } = JSON.parse(readFileSync(file, 'utf8')) as AgentProcessInput
const clock = systemClock
const random = systemRandom
const logger = jsonLogger({ clock, level: 'debug', sink: (line) => void process.stderr.write(line) })
const stack = new AsyncDisposableStack()
const client = stack.use(
  createRemoteClient({
    server: `https://${config.apiVip}`,
    ca: readFileSync(config.caFile, 'utf8'),
    servername: 'kubernetes.default.svc',
    identity: () => ({ certificate }),
    clock,
  }),
)
const informers = createInformers(client, { clock, logger, random })
const checkpoints = new Checkpoints(join(config.stateDir, 'checkpoints'), { random, logger })
const reconnected = new Emitter<void>()
reconnected.on(() => informers.retryNow())
const context = { config, clock, random, logger, client, informers, checkpoints, reconnected }
for (const part of [apiRelayPart, nodeNetworkPart]) await startIn(stack, part(context))
stack.use(informers)
void informers.start().catch(() => undefined)

process.once('SIGTERM', () => void stack.disposeAsync().then(() => process.exit(0)))
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, text: 'here' })
