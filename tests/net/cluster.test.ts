/** Pods' network and Services between machines, on real namespaces, VXLAN and nftables. */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { service as serviceKind } from '../../electron/api/core/v1/service.ts'
import { cniConfigFile } from '../../electron/agent/net/cni-config.ts'
import { eventually, openNetLab, POD_PORT, type Machine, type NetLab, type PodInLab } from './lab.ts'
import type { Namespace } from './namespaces.ts'

let lab: NetLab
let here: Machine
let there: Machine
let outside: Namespace
const pods = new Map<string, PodInLab>()
const pod = (name: string): PodInLab => pods.get(name) as PodInLab

/** Who answered, and whom it saw. */
async function ask(from: Namespace, to: string, port: number, protocol: 'tcp' | 'udp' = 'tcp', timeout = 3000): Promise<string> {
  return from.ask({ kind: 'dial', protocol, to, port, timeout })
}

const until = (what: string, from: Namespace, to: string, port: number, answer: RegExp | string) =>
  eventually(what, async () => expect(await ask(from, to, port, 'tcp', 1000)).toMatch(answer))

beforeAll(async () => {
  lab = await openNetLab()
  ;[here, there] = [await lab.machine('here'), await lab.machine('there')]
  outside = await lab.wire.machine('outside', '192.168.77.99')
  for (const [name, machine] of [
    ['pod-a', here],
    ['pod-b', here],
    ['pod-c', there],
  ] as const) {
    pods.set(name, await lab.pod(machine, name))
  }
})
afterAll(() => lab?.[Symbol.asyncDispose]())

describe('pods', () => {
  it('reach each other on one node and through the tunnel, under their own addresses', async () => {
    expect(await ask(pod('pod-a').net, pod('pod-b').address, POD_PORT)).toBe(`pod-b ${pod('pod-a').address}`)
    await until('the tunnel is up', pod('pod-a').net, pod('pod-c').address, POD_PORT, `pod-c ${pod('pod-a').address}`)
    expect(await ask(pod('pod-c').net, pod('pod-b').address, POD_PORT, 'udp')).toBe(`pod-b ${pod('pod-c').address}`)
    await pod('pod-a').net.run('busybox', 'ping', '-c', '1', '-W', '2', pod('pod-c').address)
  })

  it('are reached by both machines', async () => {
    expect(await ask(here.net, pod('pod-a').address, POD_PORT)).toMatch('pod-a')
    expect(await ask(here.net, pod('pod-c').address, POD_PORT)).toMatch('pod-c')
  })

  it('reach what is outside under the address of their machine', async () => {
    await outside.ask({ kind: 'serve', port: 9000 })
    expect(await ask(pod('pod-a').net, '192.168.77.99', 9000)).toBe(`outside ${here.address}`)
  })
})

describe('the API server', () => {
  it('is reached at its address in the cluster by pods and by the machine', async () => {
    for (const net of [pod('pod-a').net, here.net]) {
      const question = {
        kind: 'secure',
        to: here.config.apiVip,
        port: 443,
        ca: lab.api.pki.caPem,
        servername: 'kubernetes.default.svc',
      } as const
      expect(await net.ask(question)).toBe('authorized')
    }
  })

  it('is not reached by others at that address', async () => {
    await outside.run('ip', 'route', 'add', '10.96.0.0/16', 'via', here.address)
    expect(await ask(outside, here.config.apiVip, 443, 'tcp', 700)).toBe('timeout')
    await outside.run('ip', 'route', 'del', '10.96.0.0/16')
  })

  it('keeps its connections with the agents when their rules come into force', () => {
    for (const { log } of [here, there]) expect(log.join('')).not.toMatch('lost its watch')
  })

  it('is told on the Node that the network is up', async () => {
    await eventually('the condition is there', async () => {
      const { status } = await lab.api.admin.get(nodeKind, { name: 'here' })
      const condition = status.conditions?.find(({ type }) => type === 'NetworkUnavailable')
      expect(condition).toMatchObject({ status: 'False' })
    })
  })
})

describe('a Service', () => {
  it('leads pods and machines to an endpoint on another node', async () => {
    await lab.service('far', { clusterIP: '10.96.1.1' }, [{ pod: pod('pod-c') }])
    await until('the rules are in force', pod('pod-a').net, '10.96.1.1', 80, `pod-c ${pod('pod-a').address}`)
    expect(await ask(here.net, '10.96.1.1', 80)).toMatch('pod-c')
    expect(await ask(pod('pod-a').net, '10.96.1.1', 80, 'udp')).toBe(`pod-c ${pod('pod-a').address}`)
    await until('the other node has them too', there.net, '10.96.1.1', 80, 'pod-c')
  })

  it('spreads clients over its endpoints', async () => {
    await lab.service('spread', { clusterIP: '10.96.1.2' }, [{ pod: pod('pod-b') }, { pod: pod('pod-c') }])
    await until('the rules are in force', pod('pod-a').net, '10.96.1.2', 80, /pod/)
    const seen = new Set<string>()
    for (let i = 0; i < 40; i++) seen.add((await ask(pod('pod-a').net, '10.96.1.2', 80)).split(' ')[0] ?? '')
    expect([...seen].toSorted()).toEqual(['pod-b', 'pod-c'])
  })

  it('shows the pod as its client also where client and endpoint are on one node', async () => {
    await lab.service('near', { clusterIP: '10.96.1.3' }, [{ pod: pod('pod-b') }])
    await until('the rules are in force', pod('pod-a').net, '10.96.1.3', 80, `pod-b ${pod('pod-a').address}`)
  })

  it('leads a pod to itself', async () => {
    await lab.service('self', { clusterIP: '10.96.1.4' }, [{ pod: pod('pod-a') }])
    await until('the rules are in force', pod('pod-a').net, '10.96.1.4', 80, /^pod-a 10\.244\.1\.1$/)
    expect(await ask(pod('pod-a').net, '10.96.1.4', 80, 'udp')).toBe('pod-a 10.244.1.1')
  })

  it('keeps a client at one endpoint where it is asked to, and no longer than it is asked to', async () => {
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 2 } }
    const spec = { clusterIP: '10.96.1.5', sessionAffinity: 'ClientIP', sessionAffinityConfig } as const
    await lab.service('sticky', spec, [{ pod: pod('pod-b') }, { pod: pod('pod-c') }])
    await until('the rules are in force', pod('pod-a').net, '10.96.1.5', 80, /pod/)
    const who = async () => (await ask(pod('pod-a').net, '10.96.1.5', 80)).split(' ')[0] ?? ''
    const first = await who()
    for (let i = 0; i < 20; i++) expect(await who()).toBe(first)
    await eventually(
      'another endpoint is chosen',
      async () => {
        await sleep(systemClock, 2200)
        expect(await who()).not.toBe(first)
      },
      60_000,
    )
  })

  it('refuses clients while it has no endpoint, and on ports that it does not have', async () => {
    await lab.service('none', { clusterIP: '10.96.1.6' }, [])
    await until('the rules are in force', pod('pod-a').net, '10.96.1.6', 80, 'ECONNREFUSED')
    expect(await ask(here.net, '10.96.1.6', 80)).toBe('ECONNREFUSED')
    expect(await ask(pod('pod-a').net, '10.96.1.6', 80, 'udp')).toBe('ECONNREFUSED')
    expect(await ask(pod('pod-a').net, '10.96.1.1', 81)).toBe('ECONNREFUSED')
    await lab.endpoints('none', [{ pod: pod('pod-c') }])
    await until('it has one', pod('pod-a').net, '10.96.1.6', 80, 'pod-c')
  })

  it('is reached from outside at a node port of any node', async () => {
    const ports = [{ name: 'tcp', protocol: 'TCP', port: 80, targetPort: POD_PORT, nodePort: 30_100 } as const]
    await lab.service('door', { clusterIP: '10.96.1.7', type: 'NodePort', ports }, [{ pod: pod('pod-c') }])
    // The endpoint must answer through the node that was asked.
    await until('the rules are in force', outside, here.address, 30_100, /^pod-c 10\.244\.1\./)
    expect(await ask(outside, there.address, 30_100)).toMatch('pod-c')
    expect(await ask(pod('pod-a').net, here.address, 30_100)).toMatch('pod-c')
    expect(await ask(here.net, here.address, 30_100)).toMatch('pod-c')
  })

  it('keeps the address of who asks where traffic from outside must stay on the node', async () => {
    const ports = [{ name: 'tcp', protocol: 'TCP', port: 80, targetPort: POD_PORT, nodePort: 30_101 } as const]
    const spec = { clusterIP: '10.96.1.8', type: 'NodePort', externalTrafficPolicy: 'Local' } as const
    await lab.service('local-door', { ...spec, ports }, [{ pod: pod('pod-c') }])
    await until('the rules are in force', outside, there.address, 30_101, 'pod-c 192.168.77.99')
    expect(await ask(outside, here.address, 30_101, 'tcp', 700)).toBe('timeout')
    expect(await ask(pod('pod-a').net, here.address, 30_101)).toMatch('pod-c')
  })

  it('of a load balancer is reached at its address by those it names, and tells it which nodes to ask', async () => {
    const ports = [{ name: 'tcp', protocol: 'TCP', port: 80, targetPort: POD_PORT } as const]
    const spec = {
      clusterIP: '10.96.1.10',
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: ['192.168.77.99/32'],
      healthCheckNodePort: 30_102,
    } as const
    await lab.service('balanced', { ...spec, loadBalancerSourceRanges: [...spec.loadBalancerSourceRanges], ports }, [{ pod: pod('pod-c') }])
    const status = { loadBalancer: { ingress: [{ ip: '203.0.113.5' }] } }
    const at = { namespace: 'default', name: 'balanced' }
    await lab.api.admin.patch(serviceKind, at, { type: 'merge', body: { status } }, { subresource: 'status' })
    const stranger = await lab.wire.machine('stranger', '192.168.77.98')
    for (const net of [outside, stranger]) await net.run('ip', 'route', 'add', '203.0.113.5/32', 'via', there.address)
    await until('the rules are in force', outside, '203.0.113.5', 80, 'pod-c 192.168.77.99')
    expect(await ask(stranger, '203.0.113.5', 80, 'tcp', 700)).toBe('timeout')
    const health = (machine: Machine) => outside.ask({ kind: 'get', url: `http://${machine.address}:30102/` })
    expect(await health(there)).toMatch(/^200 .*"localEndpoints":1/)
    expect(await health(here)).toMatch(/^503 .*"localEndpoints":0/)
  })

  it('leads UDP clients on when their endpoint is gone', async () => {
    await lab.service('datagrams', { clusterIP: '10.96.1.9' }, [{ pod: pod('pod-b') }])
    const from = 40_321
    const dial = (timeout = 700) => pod('pod-a').net.ask({ kind: 'dial', protocol: 'udp', to: '10.96.1.9', port: 80, timeout, from })
    await eventually('the rules are in force', async () => expect(await dial()).toMatch('pod-b'))
    await lab.endpoints('datagrams', [{ pod: pod('pod-c') }])
    await eventually('the other endpoint answers', async () => expect(await dial()).toMatch('pod-c'))
  })
})

describe('a machine that already uses the addresses of its pods', () => {
  it('says so on its Node by the name of what holds them, and takes pods once they are free', async () => {
    const taken = await lab.machine('taken', async (net, podCidr) => {
      await net.run('ip', 'link', 'add', 'docker0', 'type', 'bridge')
      await net.run('ip', 'addr', 'add', podCidr.replace('.0/24', '.1/24'), 'dev', 'docker0')
      await net.run('ip', 'link', 'set', 'docker0', 'up')
    })
    await eventually('the condition is there', async () => {
      const { status } = await lab.api.admin.get(nodeKind, { name: 'taken' })
      const condition = status.conditions?.find(({ type }) => type === 'NetworkUnavailable')
      expect(condition).toMatchObject({ status: 'True', reason: 'AddressConflict' })
      expect(condition?.message).toMatch(/docker0/)
    })
    await expect(readFile(cniConfigFile(taken.config))).rejects.toThrow('ENOENT')
    expect(await taken.net.run('ip', 'link')).not.toMatch('flotilla0')
    await taken.net.run('ip', 'link', 'del', 'docker0')
    await eventually('it takes pods', async () => expect(await readFile(cniConfigFile(taken.config), 'utf8')).toMatch(taken.podCidr))
  })
})
