/** The provisioner on a test host, with a stub for the agent and nothing behind the link. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MachineStep, PreflightCheck } from '../../../electron/api/infra/v1alpha1/types.ts'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { systemRandom } from '../../../electron/base/random.ts'
import { connectEndpoint, type Credentials, type Endpoint, type SshEnvironment } from '../../../electron/provision/ssh/endpoint.ts'
import { ensureClusterKey } from '../../../electron/provision/ssh/keys.ts'
import { KnownHosts } from '../../../electron/provision/ssh/known-hosts.ts'
import type { ClusterInfo } from '../../../electron/provision/steps/configure.ts'
import { provision, type ProvisionDeps, type ProvisionRequest } from '../../../electron/provision/steps/provision.ts'
import { LocalFiles } from '../../../electron/provision/steps/runtime.ts'
import { readUnits } from '../../../electron/provision/units.ts'
import type { Lab } from './lab.ts'
import type { TestHost } from './test-host.ts'

const ROOT = join(import.meta.dirname, '../../..')
export const NODE = join(ROOT, `node_modules/node-linux-${process.arch}/bin/node`)
export const STUB_AGENT = join(import.meta.dirname, 'stub-agent.mjs')

export const CLUSTER: ClusterInfo = {
  id: 'c0ffee00',
  caPem: '-----BEGIN CERTIFICATE-----\nstub\n-----END CERTIFICATE-----\n',
  clusterDomain: 'cluster.local',
  serviceCIDR: '10.96.0.0/16',
  clusterCIDR: '10.244.0.0/16',
  apiVip: '10.96.0.1',
  dnsVip: '10.96.0.10',
}

/** ssh as if the user had nothing of their own. */
export function labEnvironment(lab: Lab): SshEnvironment {
  return {
    home: join(lab.dir, 'home'),
    localUser: 'tester',
    configFile: join(lab.dir, 'home/.ssh/config'),
    knownHosts: new KnownHosts({ own: join(lab.dir, 'state/known_hosts'), others: [] }),
    clock: systemClock,
  }
}

export interface Attempt {
  readonly credentials: Credentials
  readonly user?: string
  readonly jump?: Endpoint['jump']
  readonly request?: Partial<ProvisionRequest>
  readonly deps?: Partial<ProvisionDeps>
  readonly signal?: AbortSignal
  /** Awaited after preflight and before anything is copied. */
  beforeCopy?(): Promise<void>
  onStep?(step: MachineStep): Promise<void> | void
}

export interface Outcome {
  steps: readonly MachineStep[]
  checks: readonly PreflightCheck[]
  error: unknown
  /** Milliseconds by step, as this computer saw them. */
  timing: Record<string, number>
}

export async function runProvision(lab: Lab, host: TestHost, attempt: Attempt): Promise<Outcome> {
  const environment = labEnvironment(lab)
  const clusterKey = await ensureClusterKey(join(lab.dir, 'state/id'), 'flotilla')
  const endpoint: Endpoint = {
    host: host.address,
    port: host.port,
    user: attempt.user ?? 'root',
    hostKey: await host.hostKey(),
    jump: attempt.jump,
  }
  const { credentials } = attempt
  const sudoPassword = credentials.sudoPassword ?? credentials.password
  const deps: ProvisionDeps = {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    cluster: CLUSTER,
    clusterKey,
    programs: { agent: STUB_AGENT, runtime: () => NODE },
    units: await readUnits(join(ROOT, 'resources/units')),
    localFiles: new LocalFiles(join(ROOT, '.cache/packed')),
    connect: (signal) => connectEndpoint(endpoint, { environment, credentials, ownKey: clusterKey, signal }),
    async connectWithOwnKey(signal) {
      await attempt.beforeCopy?.()
      return await connectEndpoint(endpoint, { environment, credentials: { useAgent: false }, ownKey: clusterKey, signal })
    },
    onTouch: async () => undefined,
    bootstrapToken: async () => 'abcdef.0123456789abcdef',
    openLink: async () => undefined,
    untilNodeReady: async () => undefined,
    ...attempt.deps,
  }
  const outcome: Outcome = { steps: [], checks: [], error: null, timing: {} }
  const begun: Record<string, number> = {}
  try {
    await provision(
      { name: host.name, sudoPassword, ...attempt.request },
      deps,
      {
        onSteps(steps) {
          for (const step of steps) {
            const before = outcome.steps.find((old) => old.name === step.name)
            if (before?.state === step.state && before.detail === step.detail) continue
            if (step.state === 'running') begun[step.name] ??= performance.now()
            if (step.state === 'done') outcome.timing[step.name] = Math.round(performance.now() - (begun[step.name] ?? 0))
            void attempt.onStep?.(step)
          }
          outcome.steps = steps
        },
        onPreflight: (checks) => (outcome.checks = checks),
        onFacts: () => undefined,
      },
      { signal: attempt.signal ?? new AbortController().signal },
    )
  } catch (error) {
    outcome.error = error instanceof Error && error.name === 'StepError' ? error.cause : error
  }
  return outcome
}

/** Where a provisioner could leave something. */
export const PLACES = ['/opt', '/var/lib/flotilla', '/run/flotilla', '/var/log/flotilla', '/etc/cni', '/etc/systemd/system']

export async function hashOf(path: string): Promise<string> {
  const { createHash } = await import('node:crypto')
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}
