/** Stands for the provisioner: hosts that answer, refuse, or stop half-way, by their address. */
import { createHash } from 'node:crypto'
import { systemClock } from '../../../electron/base/clock.ts'
import { FlotillaError } from '../../../electron/base/errors.ts'
import type { Machine, MachineFailure, MachineStep } from '../../../electron/api/infra/v1alpha1/types.ts'
import type { Client } from '../../../electron/client/client.ts'
import type { Channels } from '../../../electron/contracts/channels.ts'
import type { Handlers } from '../../../electron/contracts/server.ts'
import { MACHINE, NODE } from './cluster.ts'
import { addNode, stepNames } from './harbor.ts'
import { virtualHandlers } from './virtual.ts'

type MachineHandlers = Pick<
  Handlers<Channels>,
  | 'machines.scanHostKey'
  | 'machines.preflight'
  | 'machines.add'
  | 'machines.addSandbox'
  | 'machines.poke'
  | 'machines.logs'
  | 'machines.run'
  | 'machines.upgrade'
  | 'machines.retry'
  | 'machines.cancel'
  | 'machines.remove'
  | Extract<keyof Channels, `vm.${string}`>
>

/** Hosts with a story. */
export const HOSTS = {
  unknownName: 'nowhere.example',
  changedKey: '192.168.1.66',
  stopsAtJoin: '192.168.1.57',
  fullDisk: '192.168.1.58',
} as const

const BLOB = Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 ', 'latin1'), Buffer.alloc(32, 7)])
export const KEY = {
  key: `ssh-ed25519 ${BLOB.toString('base64')}`,
  fingerprint: `SHA256:${createHash('sha256').update(BLOB).digest('base64').replace('=', '')}`,
}
const now = () => `${new Date(systemClock.now()).toISOString().slice(0, 19)}Z`
const wait = (ms: number) => new Promise<void>((resolve) => void systemClock.setTimeout(resolve, ms))

const JOIN_FAILURE: MachineFailure = {
  code: 'JOIN_TIMEOUT',
  step: 'join-network',
  what: 'No packet came back from skiff on UDP 8472.',
  why: 'tender sent 12, skiff received 0. A firewall on tender drops them (nftables table filter, chain output).',
  next: 'Allow UDP 8472 on tender, then retry.',
}

/** Work that a test does not wait for ends with its cluster. */
function inBackground(work: Promise<void>): void {
  work.catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'closed') throw error
  })
}

export function machineHandlers(client: Client, options: { stepMs: number }): MachineHandlers {
  const stopped = new Set<string>()

  async function setStatus(name: string, status: Partial<Machine['status']>): Promise<void> {
    const machine = await client.get(MACHINE, { name })
    await client.update(MACHINE, { ...machine, status: { ...machine.status, ...status } }, { subresource: 'status' })
  }
  async function setUp(name: string, from: number, failAt: number): Promise<void> {
    stopped.delete(name)
    const steps: MachineStep[] = stepNames.map((title, index) => ({
      name: title.toLowerCase().replaceAll(' ', '-'),
      title,
      state: index < from ? 'done' : 'waiting',
      ...(index < from ? { startedAt: now(), finishedAt: now() } : {}),
    }))
    const preflight = [
      { name: 'system', state: 'ok' as const, found: 'Debian 12, amd64, kernel 6.1' },
      { name: 'resources', state: 'ok' as const, found: '4 cores, 7.7 Gi, 96 Gi free' },
      { name: 'swap', state: 'warn' as const, found: 'Swap is on, 2 Gi', advice: 'Kept on; pods get none of it.' },
    ]
    await setStatus(name, { phase: 'Provisioning', steps, preflight, link: { connected: true, since: now() } })
    for (let index = from; index < steps.length; index++) {
      const step = steps[index] as MachineStep
      steps[index] = { ...step, state: 'running', startedAt: now() }
      await setStatus(name, { steps: [...steps] })
      await wait(options.stepMs)
      if (stopped.has(name) || index === failAt) {
        steps[index] = { ...(steps[index] as MachineStep), state: 'failed', finishedAt: now() }
        const failure =
          index === failAt
            ? JOIN_FAILURE
            : { code: 'CANCELLED', step: step.name, what: 'Set-up was stopped.', why: 'You stopped it.', next: 'Retry goes on from here.' }
        return setStatus(name, { phase: 'Failed', steps: [...steps], failure })
      }
      steps[index] = { ...(steps[index] as MachineStep), state: 'done', finishedAt: now() }
      await setStatus(name, { steps: [...steps] })
    }
    await addNode(client, { name, ip: '10.77.0.12', cpu: 4, memory: '8Gi' })
    const machine = await client.get(MACHINE, { name })
    const { failure: _failure, ...status } = machine.status
    await client.update(MACHINE, { ...machine, status: { ...status, phase: 'Ready', address: '10.77.0.12' } }, { subresource: 'status' })
  }
  const failure = (code: ConstructorParameters<typeof FlotillaError>[0], what: string, why: string, next: string) =>
    new FlotillaError(code, { what, why, next })

  return {
    ...virtualHandlers(client, (name) => inBackground(setUp(name, 0, -1))),
    async 'machines.scanHostKey'({ host }) {
      await wait(options.stepMs)
      if (host === HOSTS.unknownName)
        throw failure(
          'SSH_HOST_UNKNOWN',
          `The host "${host}" was not found.`,
          'Its name does not resolve to an address.',
          'Check the name, or use the address.',
        )
      if (host === HOSTS.changedKey)
        return {
          ...KEY,
          state: 'changed',
          pinned: { fingerprint: 'SHA256:oldoldoldoldoldoldoldoldoldoldoldoldoldoldold', source: '~/.ssh/known_hosts line 12' },
        }
      return { ...KEY, state: host.startsWith('known') ? 'known' : 'unknown' }
    },
    async 'machines.preflight'({ host, credentials }) {
      await wait(options.stepMs)
      if (credentials.password === 'wrong')
        throw failure(
          'SSH_AUTH_FAILED',
          `Could not sign in to ${host}.`,
          'The password was refused.',
          'Check the user and the password, or sign in with a key.',
        )
      return [
        { name: 'system', state: 'ok', found: 'Debian 12, amd64, kernel 6.1' },
        { name: 'resources', state: 'ok', found: '4 cores, 7.7 Gi, 96 Gi free' },
        { name: 'kernel', state: 'ok', found: 'cgroup v2, overlayfs, nftables' },
        { name: 'clock', state: 'ok', found: 'Clock within 0.2 s' },
        { name: 'sudo', state: 'ok', found: 'sudo works with password' },
        { name: 'swap', state: 'warn', found: 'Swap is on, 2 Gi', advice: 'Kept on; pods get none of it.' },
        ...(host === HOSTS.fullDisk
          ? [{ name: 'disk', state: 'fail' as const, found: '0.2 Gi free on /var', advice: 'Free at least 2 Gi, then check again.' }]
          : []),
      ]
    },
    async 'machines.add'({ name, host, port, user, hostKey, credentials, labels }) {
      await client.create(MACHINE, {
        metadata: { name },
        spec: {
          provider: 'ssh',
          ssh: { host, port, user, hostKey, auth: credentials.password ? 'password' : credentials.keyFile ? 'key' : 'agent' },
          ...(labels ? { labels } : {}),
        },
      })
      inBackground(setUp(name, 0, host === HOSTS.stopsAtJoin ? 4 : -1))
      return { name }
    },
    async 'machines.addSandbox'({ name = 'sandbox-1', memoryBytes }) {
      await client.create(MACHINE, {
        metadata: { name },
        spec: { provider: 'sandbox', sandbox: memoryBytes ? { memoryBytes } : {} },
      })
      inBackground(setUp(name, 0, -1))
      return { name }
    },
    'machines.poke': async () => ({}),
    async 'machines.logs'({ name, source }, duplex) {
      const lines = Array.from(
        { length: 40 },
        (_, i) => `2026-11-21T08:${String(i).padStart(2, '0')}:12+00:00 ${name} ${source}: line ${i}`,
      )
      await duplex.send({ type: 'stdout' }, Buffer.from(`${lines.join('\n')}\n`))
      await duplex.send({ type: 'exit', code: 0 })
    },
    async 'machines.run'(_arg, duplex) {
      await duplex.send({ type: 'exit', code: 0 })
    },
    async 'machines.upgrade'({ names = [] }, duplex) {
      for (const machine of names) await duplex.send({ type: 'done', machine, from: 'a', to: 'b', version: 'v1.36.4+flotilla.0.1.0' })
    },
    async 'machines.retry'({ name }) {
      const machine = await client.get(MACHINE, { name })
      const from = machine.status.steps?.findIndex((step) => step.state === 'failed') ?? 0
      const { failure: _failure, ...status } = machine.status
      await client.update(MACHINE, { ...machine, status }, { subresource: 'status' })
      inBackground(setUp(name, Math.max(0, from), -1))
      return {}
    },
    async 'machines.cancel'({ name }) {
      stopped.add(name)
      return {}
    },
    async 'machines.remove'({ name, forget }) {
      const machine = await client.get(MACHINE, { name })
      if (machine.status.link?.connected === false && !forget)
        throw failure(
          'SSH_UNREACHABLE',
          `Could not clean up ${name}.`,
          'It does not answer on port 22.',
          'Switch it on and try again, or drop it without cleaning up.',
        )
      await setStatus(name, { phase: 'Removing' })
      await wait(options.stepMs)
      await client.delete(NODE, { name }).catch(() => undefined)
      await client.delete(MACHINE, { name })
      return {}
    },
  }
}
