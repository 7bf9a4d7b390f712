/**
 * The program of a worker.
 *
 *   agent.mjs --config FILE                       runs the agent
 *   agent.mjs remove-network --config FILE        takes links, addresses and rules off this machine, when nothing else of us runs
 *   agent.mjs --version
 */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { parseArgs } from 'node:util'
import { systemClock, deadline } from '../base/clock.ts'
import { FlotillaError, messageOf } from '../base/errors.ts'
import { jsonLogger } from '../base/logger.ts'
import type { Logger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import type { AgentConfig } from '../api/infra/v1alpha1/agent-config.ts'
import { createAgent } from './agent.ts'
import type { Agent, AgentPart } from './agent.ts'
import { apiRelayPart } from './net/api-relay-part.ts'
import { systemCommands } from './net/commands.ts'
import { ownAddress, watchAddress } from './net/own-address.ts'
import { removeNetwork } from './net/remove.ts'
import { nodeNetworkPart } from './proxy/node-network-part.ts'
import { isShuttingDown } from './shutdown.ts'
import { Programs } from './upgrade/programs.ts'
import { detached } from './uninstall/uninstall.ts'
import { AGENT_VERSION } from './version.ts'

/** Beside the kubelet, in the order in which they start. */
const PARTS: readonly AgentPart[] = [apiRelayPart, nodeNetworkPart]

const UNINSTALL = '/opt/flotilla/bin/flotilla-uninstall'
/** Milliseconds for containers to end when the machine is shut down. */
const SHUTDOWN = 25_000

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      version: { type: 'boolean' },
      'log-level': { type: 'string' },
      'api-url': { type: 'string' },
      'uninstall-script': { type: 'string' },
    },
  })
  if (values.version) return void process.stdout.write(`${AGENT_VERSION}\n`)
  const configured = await readConfig(values.config)
  if (positionals[0] === 'remove-network') return removeNetwork(configured, systemCommands)
  if (positionals[0] !== undefined) throw usage(`There is no command ${JSON.stringify(positionals[0])}.`)

  const level = values['log-level'] === 'debug' ? 'debug' : 'info'
  const logger = jsonLogger({ clock: systemClock, sink: (line) => void process.stderr.write(line), level })
  // Whoever keeps the agent alive starts it anew, with what has changed meanwhile.
  // The answer to who asked for it goes out first.
  const restart = () => void systemClock.setTimeout(() => process.kill(process.pid, 'SIGTERM'), 250)
  const common = { clock: systemClock, random: systemRandom, logger }
  const self = process.argv[1] ?? ''
  const programs = new Programs({ ...common, self, stateDir: configured.stateDir, version: AGENT_VERSION, restart })
  if (!(await programs.begin())) return
  const own = { config: configured, random: systemRandom, interfaces: networkInterfaces }
  const config = { ...configured, nodeIP: await ownAddress(own) }
  const agent = createAgent({
    config,
    version: AGENT_VERSION,
    ...common,
    programs,
    parts: PARTS,
    removeAll: detached(values['uninstall-script'] ?? UNINSTALL),
    ...(values['api-url'] === undefined ? {} : { apiUrl: values['api-url'] }),
  })
  stopOnSignals(agent, config, logger)
  watchAddress({
    ...{ ...own, clock: systemClock, used: config.nodeIP },
    onMove(to) {
      logger.info('this machine has another address now', { from: config.nodeIP, to })
      restart()
    },
  })
  await agent.start()
}

function stopOnSignals(agent: Agent, config: AgentConfig, logger: Logger): void {
  const stop = async (signal: string) => {
    logger.info('stopping', { signal })
    if (await isShuttingDown(config.serviceManager)) {
      using limit = deadline(systemClock, SHUTDOWN)
      await agent
        .shutDown(limit.signal)
        .catch((error: unknown) => logger.warn('some containers did not end in time', { error: messageOf(error) }))
    }
    await agent[Symbol.asyncDispose]()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
}

async function readConfig(file: string | undefined): Promise<AgentConfig> {
  if (file === undefined) throw usage('--config is missing.')
  try {
    return JSON.parse(await readFile(file, 'utf8')) as AgentConfig
  } catch (error) {
    throw new FlotillaError('INVALID_INPUT', {
      what: `The agent's configuration ${file} cannot be read.`,
      why: messageOf(error),
      next: 'Set the machine up again from the control plane.',
      cause: error,
    })
  }
}

function usage(what: string): FlotillaError {
  return new FlotillaError('USAGE', { what, why: '', next: 'Run it as: agent.mjs --config FILE' })
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof FlotillaError ? error.message : ((error as Error).stack ?? String(error))}\n`)
  process.exit(error instanceof FlotillaError ? error.exitCode : 1)
})
