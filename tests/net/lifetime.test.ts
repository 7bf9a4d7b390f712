/** What outlives the agent, what goes on without the API server, and what is left when a machine is taken out of the cluster. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { removeNetwork } from '../../electron/agent/net/remove.ts'
import { cniConfigFile } from '../../electron/agent/net/cni-config.ts'
import { eventually, openNetLab, POD_PORT, type Machine, type NetLab, type PodInLab } from './lab.ts'
import type { Namespace } from './namespaces.ts'

let lab: NetLab
let here: Machine
let there: Machine
let near: PodInLab
let far: PodInLab

const ask = (from: Namespace, to: string, port: number, timeout = 1000) => from.ask({ kind: 'dial', protocol: 'tcp', to, port, timeout })
const until = (what: string, from: Namespace, to: string, port: number, answer: string) =>
  eventually(what, async () => expect(await ask(from, to, port)).toMatch(answer))

/** All that packets meet on a machine, without what changes by itself. */
async function landscape({ net }: Machine): Promise<string> {
  const parts = [
    await net.run('ip', '-4', 'route', 'show', 'table', 'all'),
    await net.run('ip', '-o', '-4', 'addr', 'show'),
    (await net.run('ip', '-o', 'link', 'show')).replaceAll(/^\d+: |@if\d+|link-netns \S+|link-netnsid \d+/gm, ''),
    await net.run('nft', '-s', 'list', 'ruleset'),
  ]
  return parts.map((part) => part.replaceAll(/^\d+: /gm, '').replaceAll(/[ \t]+$/gm, '')).join('\n---\n')
}

let untouched = ''

beforeAll(async () => {
  lab = await openNetLab()
  here = await lab.machine('here')
  there = await lab.machine('there')
  near = await lab.pod(here, 'pod-near')
  far = await lab.pod(there, 'pod-far')
  await lab.service('far', { clusterIP: '10.96.1.1' }, [{ pod: far }])
  await until('the Service is there', near.net, '10.96.1.1', 80, 'pod-far')
  await until('the Service is there', here.net, '10.96.1.1', 80, 'pod-far')
})
afterAll(() => lab?.[Symbol.asyncDispose]())

describe('the agent', () => {
  it('leaves connections alone when it ends, when it is killed and when it comes back', async () => {
    expect(await near.net.ask({ kind: 'open', to: '10.96.1.1', port: 80 })).toMatch('pod-far')
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await here.stopAgent(signal)
      expect(await near.net.ask({ kind: 'say' })).toMatch('pod-far')
      expect(await ask(near.net, '10.96.1.1', 80)).toMatch('pod-far')
      await here.startAgent()
      expect(await near.net.ask({ kind: 'say' })).toMatch('pod-far')
    }
    await until('the rules are in force', near.net, '10.96.1.1', 80, 'pod-far')
    expect(await near.net.ask({ kind: 'say' })).toMatch('pod-far')
  })

  it('changes nothing when it comes back and nothing has changed', async () => {
    const before = await landscape(here)
    await here.stopAgent()
    await here.startAgent()
    // Long enough for the first look at the machine and for the first lists.
    await sleep(systemClock, 1500)
    expect(await landscape(here)).toBe(before)
  })

  it('goes on from what it saw last when it starts while the API server is away', async () => {
    await eventually('what it saw is kept', async () =>
      expect(await readFile(`${here.config.stateDir}/network.json`, 'utf8')).toMatch('far'),
    )
    lab.cut()
    await here.stopAgent('SIGKILL')
    for (const args of ['link del flotilla.vx', 'addr del 10.96.0.1/32 dev lo']) await here.net.run('ip', ...args.split(' '))
    await here.net.run('nft', 'delete', 'table', 'ip', 'flotilla')
    await rm(cniConfigFile(here.config), { force: true })
    await here.startAgent()
    await until('the network is as before', near.net, '10.96.1.1', 80, 'pod-far')
    const late = await lab.pod(here, 'pod-late')
    expect(await ask(late.net, far.address, POD_PORT)).toBe(`pod-far ${late.address}`)
    await late.remove()
    lab.join()
  })

  it('refuses clients of the API server at once while it is away, and finds its new port', async () => {
    const question = { kind: 'secure', to: '10.96.0.1', port: 443, ca: lab.api.pki.caPem, servername: 'kubernetes.default.svc' } as const
    const file = here.config.apiPortFile
    const port = await readFile(file, 'utf8')
    await writeFile(file, '1\n')
    await eventually('it hears of it', async () => expect(await near.net.ask(question)).toMatch('ECONNRESET'))
    await writeFile(file, port)
    await eventually('it hears of it', async () => expect(await near.net.ask(question)).toBe('authorized'))
  })

  it('hears of what changed as soon as the control plane is back, however long it was away', async () => {
    const file = here.config.apiPortFile
    const port = await readFile(file, 'utf8')
    await writeFile(file, '1\n')
    lab.cut()
    // Long enough for the pauses between attempts to have grown.
    await sleep(systemClock, 8000)
    lab.join()
    await lab.service('meanwhile', { clusterIP: '10.96.1.3' }, [{ pod: far }])
    await writeFile(file, port)
    const began = systemClock.monotonic()
    await until('the Service is there', near.net, '10.96.1.3', 80, 'pod-far')
    expect(systemClock.monotonic() - began).toBeLessThan(2500)
  })

  it('ends also while nothing answers, and comes back', async () => {
    const port = (await readFile(here.config.apiPortFile, 'utf8')).trim()
    const hole = `table ip hole { chain output { type filter hook output priority 0; tcp dport ${port} drop; }; }`
    await here.commands.run('nft', ['-f', '-'], hole)
    try {
      const began = systemClock.monotonic()
      await here.stopAgent()
      // A handshake that is under way is waited for, 10 seconds at most.
      expect(systemClock.monotonic() - began).toBeLessThan(15_000)
      await here.startAgent()
    } finally {
      await here.net.run('nft', 'delete', 'table', 'ip', 'hole')
    }
    await until('the network is as before', near.net, '10.96.1.1', 80, 'pod-far')
  })

  it('puts right what somebody else takes away', async () => {
    await here.net.run('nft', 'flush', 'ruleset')
    await here.net.run('ip', 'link', 'del', 'flotilla.vx')
    await lab.service('more', { clusterIP: '10.96.1.2' }, [{ pod: far }])
    await lab.api.admin.patch(
      nodeKind,
      { name: 'there' },
      { type: 'merge', body: { status: { addresses: [] } } },
      { subresource: 'status' },
    )
    const addresses = [{ type: 'InternalIP', address: there.address }]
    await lab.api.admin.patch(nodeKind, { name: 'there' }, { type: 'merge', body: { status: { addresses } } }, { subresource: 'status' })
    await until('it is as before', near.net, '10.96.1.2', 80, 'pod-far')
  })

  it('follows nodes that come and go', async () => {
    const third = await lab.machine('third')
    const pod = await lab.pod(third, 'pod-third')
    await until('the way is there', near.net, pod.address, POD_PORT, 'pod-third')
    await third.stopAgent()
    await lab.api.admin.delete(nodeKind, { name: 'third' })
    await eventually('the way is gone', async () => {
      expect(await here.net.run('ip', 'route')).not.toMatch(third.podCidr)
      expect(await here.net.run('bridge', 'fdb', 'show', 'dev', 'flotilla.vx')).not.toMatch(third.address)
      expect(await here.net.run('ip', 'neigh', 'show', 'dev', 'flotilla.vx')).not.toMatch(/10\.244\.3\./)
    })
  })
})

describe('a firewall of the machine', () => {
  it('that drops what it does not know lets pods through, and is as before after the removal', async () => {
    const rules =
      'table ip guard { chain forward { type filter hook forward priority 0; policy drop; }; chain input { type filter hook input priority 0; policy accept; }; }'
    await there.commands.run('nft', ['-f', '-'], rules)
    untouched = await there.net.run('nft', '-s', 'list', 'table', 'ip', 'guard')
    expect(await ask(near.net, far.address, POD_PORT)).toBe('timeout')
    await there.stopAgent()
    await there.startAgent()
    await until('pods get through', near.net, far.address, POD_PORT, 'pod-far')
  })
})

describe('removal', () => {
  it('leaves no rule, link, address or file of ours', async () => {
    const mapped = await lab.pod(there, 'pod-mapped', [{ hostPort: 8088, containerPort: POD_PORT, protocol: 'tcp' }])
    expect(await ask(here.net, there.address, 8088)).toMatch('pod-mapped')
    expect(await ask(there.net, '127.0.0.1', 8088)).toMatch('pod-mapped')
    // Its chains stay when a pod's end is not told to the plugins.
    const { config } = there
    await there.stopAgent()
    await far.remove()
    expect(mapped.address).toMatch(/^10\.244\./)
    await removeNetwork(config, there.commands)
    const after = await landscape(there)
    expect(after).not.toMatch(/flotilla|10\.96\.|10\.244\.|CNI-/)
    expect(await there.net.run('nft', '-s', 'list', 'ruleset')).toBe(untouched)
    await expect(readFile(cniConfigFile(config))).rejects.toThrow('ENOENT')
    await removeNetwork(config, there.commands)
  })
})
