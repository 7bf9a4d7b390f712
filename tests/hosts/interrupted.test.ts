/** A connection that ends in the middle of any step: what is said, that the next run completes, and that all of it goes again. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../electron/base/clock.ts'
import { connectEndpoint, type MachineConnection } from '../../electron/provision/ssh/endpoint.ts'
import { ensureClusterKey } from '../../electron/provision/ssh/keys.ts'
import { removeFrom } from '../../electron/provision/steps/remove.ts'
import { USERS } from './lab/base-root.ts'
import { Lab, until } from './lab/lab.ts'
import { CLUSTER, labEnvironment, runProvision, type Attempt } from './lab/provisioning.ts'
import { difference, tree } from './lab/tree.ts'
import type { TestHost } from './lab/test-host.ts'

let lab: Lab
beforeAll(async () => {
  lab = await Lab.create()
})
afterAll(() => lab?.[Symbol.asyncDispose]())

/** Ends what sshd does for the user, from the machine's end. */
const cut = (host: TestHost, user: string) => host.exec(`kill -9 $(pgrep -f '^sshd: ${user}')`)

/**
 * The attempt with a connection that is cut once, while the step's command of this number runs (the first is 0). Says afterwards whether
 * it came to that.
 */
function cutting(host: TestHost, attempt: Attempt, step: string, nth: number): { attempt: Attempt; happened: () => boolean } {
  let [current, count, done] = ['', 0, false]
  const watch = ({ connection, via }: MachineConnection): MachineConnection => {
    const exec = connection.exec.bind(connection)
    connection.exec = async (command, options) => {
      const running = exec(command, options)
      if (current !== step || done || count++ !== nth) return await running
      done = true
      running.catch(() => undefined)
      await until('the connection is cut', async () => {
        await cut(host, attempt.user ?? 'root')
        return connection.closed.aborted
      })
      // Whether it had ended just before is chance; that the connection is gone is not.
      return await exec(command, options)
    }
    return { connection, via }
  }
  return {
    attempt: {
      ...attempt,
      onStep({ name, state }) {
        if (state === 'running' && current !== name) [current, count] = [name, 0]
      },
      deps: {
        async connect(signal) {
          const clusterKey = await ensureClusterKey(join(lab.dir, 'state/id'), 'flotilla')
          const endpoint = { host: host.address, port: host.port, user: attempt.user ?? 'root', hostKey: await host.hostKey() }
          const options = { environment: labEnvironment(lab), credentials: attempt.credentials, ownKey: clusterKey, signal }
          return watch(await connectEndpoint(endpoint, options))
        },
      },
    },
    happened: () => done,
  }
}

async function remove(host: TestHost, user: string, sudoPassword?: string): Promise<void> {
  const clusterKey = await ensureClusterKey(join(lab.dir, 'state/id'), 'flotilla')
  const endpoint = { host: host.address, port: 22, user, hostKey: await host.hostKey() }
  const signal = AbortSignal.timeout(120_000)
  const { connection } = await connectEndpoint(endpoint, {
    environment: labEnvironment(lab),
    credentials: { useAgent: false },
    ownKey: clusterKey,
    signal,
  })
  await using _ = connection
  await removeFrom(connection, null, {
    name: host.name,
    owner: `${CLUSTER.id} ${host.name}`,
    ...{ clock: systemClock, signal, clusterKey, sudoPassword },
    uninstallScript: await readFile(join(import.meta.dirname, '../../resources/units/flotilla-uninstall'), 'utf8'),
    detail: () => undefined,
  })
}

/** The first and a later command of each step that talks to the machine. */
const PLACES: readonly [step: string, nth: number][] = [
  ['preflight', 0],
  ['preflight', 2],
  ['key', 0],
  ['runtime', 0],
  ['runtime', 1],
  ['agent', 0],
  ['configure', 0],
  ['configure', 1],
  ['start', 0],
  ['start', 1],
  ['images', 0],
  ['join', 0],
]
/** Those at which a sudo that asks stands between. */
const BY_SUDO: typeof PLACES = [
  ['preflight', 2],
  ['runtime', 0],
  ['configure', 1],
  ['start', 0],
]

describe.each([
  { kind: 'a machine without systemd', user: 'root', systemd: false, places: PLACES, credentials: { password: USERS.root.password } },
  {
    kind: 'a machine with systemd, by sudo with a password',
    user: 'ana',
    systemd: true,
    places: BY_SUDO,
    credentials: { password: USERS.ana.password },
  },
])('$kind', ({ user, systemd, places, credentials }) => {
  let host: TestHost
  let before: string[]
  const attempt: Attempt = { user, credentials }
  beforeAll(async () => {
    host = await lab.host({ systemd })
    if (user !== 'root') await host.run(`install -d -o ${user} -g ${user} /home/${user}; rm -r /home/${user}/.ssh`)
    before = await tree(host)
  })

  it.each(places)('says so when the connection ends in the step "%s", command %i', async (step, nth) => {
    const trial = cutting(host, attempt, step, nth)
    const { error, steps } = await runProvision(lab, host, trial.attempt)
    expect(trial.happened()).toBe(true)
    expect(error).toMatchObject({
      code: 'SSH_CONNECTION_LOST',
      what: `The connection to ${host.address} broke.`,
      why: 'The host or the network ended it.',
      next: 'Check the network and that the machine is up, then try again.',
    })
    expect(steps.find(({ state }) => state === 'failed')?.name).toBe(step)
  })

  it('is set up by the next run', async () => {
    const { error, steps } = await runProvision(lab, host, attempt)
    expect(error).toBeNull()
    expect(steps.every(({ state }) => state === 'done')).toBe(true)
    await until('the agent runs', async () => (await host.exec('test -s /run/flotilla/stub-agent')).code === 0)
  })

  it('is as it was before, to the byte, once it is removed', async () => {
    await remove(host, user, credentials.password)
    expect(difference(before, await tree(host))).toEqual([])
  })
})
