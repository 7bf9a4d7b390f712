import { describe, expect, it } from 'vitest'
import { ACTION } from '../../framework/events.ts'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { nodePorts } from './node-ports.ts'

const TAKEN = "node(s) didn't have free ports for the requested pod ports"
const withPort = (name: string, hostIP: string, protocol: 'TCP' | 'UDP' = 'TCP', on = '') =>
  podOf(name, { ...(on ? { on } : {}), container: { ports: [{ containerPort: 80, hostPort: 80, hostIP, protocol }] } })

describe('NodePorts', () => {
  it('refuses a node whose port is taken, and only that port', () => {
    const world = pluginWorld([nodePorts], { nodes: [nodeOf('a'), nodeOf('b')], pods: [podOf('other', { on: 'a', hostPorts: [80] })] })
    expect(world.reasons(podOf('web', { hostPorts: [80] }))).toEqual({ a: TAKEN, b: '' })
    expect(world.reasons(podOf('web', { hostPorts: [81] }))).toEqual({ a: '', b: '' })
    const { a: status } = world.statuses(podOf('web', { hostPorts: [80] }))
    expect(status).toMatchObject({ code: 'Unschedulable', evidence: [{ type: 'port', ip: '0.0.0.0', protocol: 'TCP', port: 80 }] })
  })

  it('tells addresses and protocols apart, and knows that 0.0.0.0 is all of them', () => {
    const world = pluginWorld([nodePorts], { nodes: [nodeOf('a')], pods: [withPort('other', '10.0.0.1', 'TCP', 'a')] })
    expect(world.reasons(withPort('web', '10.0.0.2'))).toEqual({ a: '' })
    expect(world.reasons(withPort('web', '10.0.0.1'))).toEqual({ a: TAKEN })
    expect(world.reasons(withPort('web', ''))).toEqual({ a: TAKEN })
    expect(world.reasons(withPort('web', '10.0.0.1', 'UDP'))).toEqual({ a: '' })
  })

  it('wants another try when a pod leaves that held the port', () => {
    const world = pluginWorld([nodePorts], { nodes: [] })
    const event = { resource: 'AssignedPod', action: ACTION.delete } as const
    const pod = podOf('web', { hostPorts: [80] })
    expect(world.hint(pod, event, podOf('other', { on: 'a', hostPorts: [80] }), undefined)).toBe('Queue')
    expect(world.hint(pod, event, podOf('other', { on: 'a', hostPorts: [81] }), undefined)).toBe('Skip')
  })
})
