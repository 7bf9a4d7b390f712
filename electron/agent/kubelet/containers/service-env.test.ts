import { expect, it } from 'vitest'
import type { Service } from '../../../api/core/v1/types.gen.ts'
import { serviceEnvironment } from './service-env.ts'

const service = (
  namespace: string,
  name: string,
  clusterIP: string,
  ports: { port: number; name?: string; protocol?: string }[] = [{ port: 80 }],
) => ({ metadata: { namespace, name }, spec: { clusterIP, ports } }) as unknown as Service
const all = [
  service('default', 'kubernetes', '10.96.0.1', [{ port: 443, name: 'https' }]),
  service('shop', 'web-front', '10.96.0.7', [{ port: 8765 }, { port: 53, name: 'dns-udp', protocol: 'UDP' }]),
  service('shop', 'headless', 'None'),
  service('other', 'db', '10.96.0.9'),
]

it('tells of the Services of the namespace, and of the API server in any', () => {
  const env = Object.fromEntries(serviceEnvironment(all, 'shop', true))
  expect(env).toMatchObject({
    WEB_FRONT_SERVICE_HOST: '10.96.0.7',
    WEB_FRONT_SERVICE_PORT: '8765',
    WEB_FRONT_SERVICE_PORT_DNS_UDP: '53',
    WEB_FRONT_PORT: 'tcp://10.96.0.7:8765',
    WEB_FRONT_PORT_8765_TCP: 'tcp://10.96.0.7:8765',
    WEB_FRONT_PORT_8765_TCP_PROTO: 'tcp',
    WEB_FRONT_PORT_8765_TCP_PORT: '8765',
    WEB_FRONT_PORT_8765_TCP_ADDR: '10.96.0.7',
    WEB_FRONT_PORT_53_UDP: 'udp://10.96.0.7:53',
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
  })
  expect(Object.keys(env).some((name) => name.startsWith('HEADLESS') || name.startsWith('DB'))).toBe(false)
})

it('tells of the API server alone where links are not wanted', () => {
  expect([...serviceEnvironment(all, 'shop', false).keys()].every((name) => name.startsWith('KUBERNETES_'))).toBe(true)
})

it('prefers a Service of the pod itself that is named as the API server', () => {
  const own = [...all, service('shop', 'kubernetes', '10.96.0.99')]
  expect(serviceEnvironment(own, 'shop', true).get('KUBERNETES_SERVICE_HOST')).toBe('10.96.0.99')
  expect(serviceEnvironment(own, 'shop', false).get('KUBERNETES_SERVICE_HOST')).toBe('10.96.0.1')
})
