import { describe, expect, it } from 'vitest'
import type { ConfigMap, Container, Secret } from '../../../api/core/v1/types.gen.ts'
import { container, pod } from '../../testing/pods.ts'
import { makeEnvironment } from './env.ts'
import type { EnvironmentInput } from './env.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const configMaps: Record<string, Record<string, string>> = { config: { KEY: 'value', 'a=b': 'x', 'with space': 'y' } }
const secrets: Record<string, Record<string, string>> = { keys: { TOKEN: base64('s3cret') } }

function input(spec: Partial<Container>, more: Partial<EnvironmentInput> = {}): EnvironmentInput {
  const own = container({ name: 'main', ...spec })
  return {
    pod: pod({ containers: [own] }, { labels: { app: 'web' }, annotations: { note: 'n' } }),
    container: own,
    addresses: { podIPs: ['10.0.0.5', 'fd00::5'], hostIPs: ['192.168.1.2'] },
    allocatable: { cpu: '2', memory: '1Gi' },
    objects: {
      configMap: async (_namespace, name) => (configMaps[name] ? ({ data: configMaps[name] } as unknown as ConfigMap) : null),
      secret: async (_namespace, name) => (secrets[name] ? ({ data: secrets[name] } as unknown as Secret) : null),
    },
    services: new Map([['WEB_SERVICE_HOST', '10.96.0.7']]),
    onSkipped: () => undefined,
    ...more,
  }
}
const make = async (spec: Partial<Container>) => Object.fromEntries(await makeEnvironment(input(spec)))

describe('makeEnvironment', () => {
  it('refers to what was defined before, to Services, and not to what comes after', async () => {
    const env = [
      { name: 'LATER', value: '$(A)' },
      { name: 'A', value: '1' },
      { name: 'BOTH', value: '$(A)@$(WEB_SERVICE_HOST)' },
    ]
    expect(await make({ env })).toEqual({ LATER: '$(A)', A: '1', BOTH: '1@10.96.0.7', WEB_SERVICE_HOST: '10.96.0.7' })
  })

  it('takes whole objects with a prefix, lets single variables override them, and tells of keys that are no names', async () => {
    const skipped: unknown[] = []
    const spec = {
      envFrom: [{ configMapRef: { name: 'config' }, prefix: 'P_' }, { secretRef: { name: 'keys' } }],
      env: [{ name: 'TOKEN', value: 'own' }],
    }
    const env = await makeEnvironment(input(spec, { onSkipped: (source, keys) => skipped.push(source, keys) }))
    expect(env.get('P_KEY')).toBe('value')
    expect(env.get('P_with space')).toBe('y')
    expect(env.get('TOKEN')).toBe('own')
    expect(skipped).toEqual(['configMap default/config', ['a=b']])
  })

  it('knows the facts of the pod', async () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } })
    const env = [
      field('NAME', 'metadata.name'),
      field('UID', 'metadata.uid'),
      field('IPS', 'status.podIPs'),
      field('HOST', 'status.hostIP'),
      field('APP', "metadata.labels['app']"),
      field('NOTE', "metadata.annotations['note']"),
    ]
    expect(await make({ env })).toMatchObject({
      NAME: 'web',
      UID: 'uid-1',
      IPS: '10.0.0.5,fd00::5',
      HOST: '192.168.1.2',
      APP: 'web',
      NOTE: 'n',
    })
  })

  it('rounds resources up to their divisor, and shows what the node has where there is no limit', async () => {
    const resource = (name: string, what: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource: what, ...(divisor ? { divisor } : {}) } },
    })
    const env = [
      resource('CPU', 'limits.cpu'),
      resource('MILLI', 'limits.cpu', '1m'),
      resource('MEMORY', 'requests.memory', '1Mi'),
      resource('ALL', 'limits.memory'),
      resource('NONE', 'requests.cpu'),
    ]
    const resources = { limits: { cpu: '1500m' }, requests: { memory: '1025Ki' } }
    expect(await make({ env, resources })).toMatchObject({ CPU: '2', MILLI: '1500', MEMORY: '2', ALL: String(1 << 30), NONE: '0' })
  })

  it.each([
    [{ configMapKeyRef: { name: 'none', key: 'K' } }, 'configmap "none" not found'],
    [{ configMapKeyRef: { name: 'config', key: 'NONE' } }, "couldn't find key NONE in ConfigMap default/config"],
    [{ secretKeyRef: { name: 'none', key: 'K' } }, 'secret "none" not found'],
    [{ secretKeyRef: { name: 'keys', key: 'NONE' } }, "couldn't find key NONE in Secret default/keys"],
  ])('says what is missing: %j', async (valueFrom, message) => {
    await expect(make({ env: [{ name: 'X', valueFrom }] })).rejects.toThrow(message)
  })

  it('leaves out what is missing and optional', async () => {
    const spec = {
      envFrom: [{ configMapRef: { name: 'none', optional: true } }],
      env: [
        { name: 'X', valueFrom: { secretKeyRef: { name: 'none', key: 'K', optional: true } } },
        { name: 'Y', valueFrom: { secretKeyRef: { name: 'keys', key: 'TOKEN' } } },
      ],
    }
    expect(await make(spec)).toEqual({ Y: 's3cret', WEB_SERVICE_HOST: '10.96.0.7' })
  })
})
