import { describe, expect, it } from 'vitest'
import { pod } from '../../testing/pods.ts'
import { parseResolvConf, podDns } from './dns.ts'
import { kernelHostName, podHostName, podHostsFile } from './hosts-file.ts'

const host = parseResolvConf(
  '# comment\nnameserver 192.168.1.1\nnameserver 1.1.1.1\nsearch lan. example.org\noptions timeout:2 attempts:3\n',
)
const input = { clusterDomain: 'cluster.local', clusterDns: ['10.96.0.10'], host }

describe('podDns', () => {
  it('reads a resolv.conf', () => {
    expect(host).toEqual({ servers: ['192.168.1.1', '1.1.1.1'], searches: ['lan', 'example.org'], options: ['timeout:2', 'attempts:3'] })
  })

  it('asks the cluster first, then searches where the node does', () => {
    expect(podDns(pod({ dnsPolicy: 'ClusterFirst' }), input).config).toEqual({
      servers: ['10.96.0.10'],
      searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'lan', 'example.org'],
      options: ['ndots:5'],
    })
  })

  it("uses the node's own for pods on its network, unless they want the cluster's", () => {
    expect(podDns(pod({ dnsPolicy: 'ClusterFirst', hostNetwork: true }), input).config).toEqual(host)
    expect(podDns(pod({ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }), input).config.servers).toEqual(['10.96.0.10'])
    expect(podDns(pod({ dnsPolicy: 'Default' }), input).config).toEqual(host)
  })

  it('adds what the pod says, options by name', () => {
    const dnsConfig = { nameservers: ['9.9.9.9'], searches: ['mine'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] }
    expect(podDns(pod({ dnsPolicy: 'None', dnsConfig }), input).config).toEqual({
      servers: ['9.9.9.9'],
      searches: ['mine'],
      options: ['ndots:2', 'edns0'],
    })
    expect(podDns(pod({ dnsConfig }), input).config.options).toEqual(['ndots:2', 'edns0'])
  })

  it('keeps to three servers, and says which were left out', () => {
    const { config, warnings } = podDns(pod({ dnsConfig: { nameservers: ['a', 'b', 'c'] } }), input)
    expect(config.servers).toEqual(['10.96.0.10', 'a', 'b'])
    expect(warnings).toEqual([{ reason: 'DNSConfigForming', message: expect.stringContaining('10.96.0.10 a b') as string }])
  })
})

describe('host names', () => {
  it('come from the pod, cut to what DNS takes', () => {
    expect(podHostName(pod({}, { name: `${'x'.repeat(62)}-tail` }), 'd').hostname).toBe('x'.repeat(62))
    expect(podHostName(pod({ hostname: 'web-0', subdomain: 'web' }), 'cluster.local')).toEqual({
      hostname: 'web-0',
      domain: 'web.default.svc.cluster.local',
    })
  })

  it('are whole names where the pod wants that, if the kernel takes them', () => {
    expect(kernelHostName(pod({ hostname: 'a', subdomain: 'b', setHostnameAsFQDN: true }), 'cluster.local')).toBe(
      'a.b.default.svc.cluster.local',
    )
    expect(() => kernelHostName(pod({ hostname: 'x'.repeat(60), subdomain: 'b', setHostnameAsFQDN: true }), 'cluster.local')).toThrow(
      /64 characters is the max/,
    )
  })

  it('stand in the hosts file with all addresses and aliases', () => {
    const text = podHostsFile(['10.0.0.5', 'fd00::5'], { hostname: 'a', domain: 'b.c' }, [{ ip: '1.2.3.4', hostnames: ['x', 'y'] }])
    expect(text.startsWith('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n')).toBe(true)
    expect(text.endsWith('10.0.0.5\ta.b.c\ta\nfd00::5\ta.b.c\ta\n\n# Entries added by HostAliases.\n1.2.3.4\tx\ty\n')).toBe(true)
  })
})
