/** Names as pods resolve them: in their own namespace, from the address that their node's agent serves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { service as serviceKind } from '../../electron/api/core/v1/service.ts'
import { endpointSlice as sliceKind } from '../../electron/api/discovery/v1/endpoint-slice.ts'
import { eventually, openNetLab, type Machine, type NetLab, type PodInLab } from './lab.ts'

const VIP = '10.96.0.10'

let lab: NetLab
let machine: Machine
let pod: PodInLab

/** What busybox's nslookup prints of the answer; throws if there is none. */
async function lookUp(name: string, type = 'a'): Promise<string> {
  const text = await pod.net.run('busybox', 'nslookup', `-type=${type}`, name, VIP)
  return text.slice(text.indexOf('\n\n')).trim()
}

/** The addresses, or the code of the error, that c-ares gives a program in the pod. */
async function addressesOf(name: string): Promise<unknown> {
  const program = `
    const resolver = new (require('node:dns').promises.Resolver)()
    resolver.setServers(['${VIP}'])
    resolver.resolve4('${name}').then((found) => found, ({ code }) => code).then((found) => console.log(JSON.stringify(found)))`
  return JSON.parse(await pod.net.run(process.execPath, '-e', program))
}

const resolves = (what: string, name: string, answer: string) => eventually(what, async () => expect(await lookUp(name)).toContain(answer))

beforeAll(async () => {
  lab = await openNetLab()
  machine = await lab.machine('node')
  pod = await lab.pod(machine, 'pod')
  await lab.service('web', { clusterIP: '10.96.5.5' }, [{ pod }])
  const at = (name: string) => ({ namespace: 'default', name })
  await lab.api.admin.create(serviceKind, { metadata: at('many'), spec: { clusterIP: 'None', ports: [{ port: 80 }] } })
  await lab.api.admin.create(sliceKind, {
    metadata: { ...at('many-1'), labels: { 'kubernetes.io/service-name': 'many' } },
    addressType: 'IPv4',
    endpoints: Array.from({ length: 250 }, (_, i) => ({ addresses: [`10.244.99.${i + 1}`], conditions: { ready: true } })),
  })
})
afterAll(() => lab?.[Symbol.asyncDispose]())

describe('a pod', () => {
  it('resolves Services by name, and addresses to their names', async () => {
    await resolves('the Service is known', 'web.default.svc.cluster.local', '10.96.5.5')
    expect(await lookUp('5.5.96.10.in-addr.arpa', 'ptr')).toContain('web.default.svc.cluster.local')
    expect(await addressesOf('nope.default.svc.cluster.local')).toBe('ENOTFOUND')
  })

  it('gets by TCP what is too long for UDP', async () => {
    expect(await addressesOf('many.default.svc.cluster.local')).toHaveLength(250)
  })

  it('resolves on while the control plane is away, also after a restart of the agent', async () => {
    lab.cut()
    expect(await lookUp('web.default.svc.cluster.local')).toContain('10.96.5.5')
    await machine.stopAgent()
    await expect(lookUp('web.default.svc.cluster.local')).rejects.toThrow()
    await machine.startAgent()
    await resolves('the agent is back', 'web.default.svc.cluster.local', '10.96.5.5')
    lab.join()
  })

  it('resolves again when the address was lost and is back', async () => {
    await machine.net.run('ip', 'addr', 'del', `${VIP}/32`, 'dev', 'lo')
    await resolves('the address is back', 'web.default.svc.cluster.local', '10.96.5.5')
    expect(await addressesOf('many.default.svc.cluster.local')).toHaveLength(250)
    expect(await machine.net.run('ip', '-brief', 'addr', 'show', 'dev', 'lo')).toContain(VIP)
  })
})
