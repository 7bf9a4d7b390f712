import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../editor/yaml.ts'
import { formField, readForm, starter, writeForm, type FormFields } from './manifest-form.ts'

const START = starter({ image: 'shop/reviews:1.4.0', name: 'reviews', namespace: 'shop', port: 9080 })
const read = (text: string) => readForm(parseManifest(text)) as FormFields
const objects = (text: string) => parseManifest(text).documents.map((d) => d.object as Json)
type Json = Record<string, unknown>
const at = (object: Json | undefined, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Json | undefined)?.[key], object)

describe('the form', () => {
  it('reads what the page begins with', () => {
    expect(read(START)).toMatchObject({
      image: 'shop/reviews:1.4.0',
      name: 'reviews',
      namespace: 'shop',
      replicas: 3,
      port: '9080',
      reach: 'node',
      eachMachine: false,
      memoryLimit: '128Mi',
    })
  })

  it('reads back what it writes, field by field', () => {
    const change: Partial<FormFields> = {
      image: 'nginx:1.29',
      replicas: 5,
      port: '80',
      reach: 'cluster',
      cpuLimit: '1',
      memoryRequest: '256Mi',
      env: [{ name: 'A', value: '1' }],
    }
    expect(read(writeForm(START, change))).toMatchObject(change)
  })

  it('lets a new name follow wherever the old one stood for it', () => {
    const [workload, service] = objects(writeForm(START, { name: 'ratings' }))
    expect(at(workload, 'spec.selector.matchLabels.app')).toBe('ratings')
    expect(at(workload, 'spec.template.metadata.labels.app')).toBe('ratings')
    expect(at(workload, 'spec.template.spec.containers.0.name')).toBe('ratings')
    expect([at(service, 'metadata.name'), at(service, 'spec.selector.app')]).toEqual(['ratings', 'ratings'])
  })

  it('keeps what it does not know, comments too', () => {
    const text = START.replace(
      '          ports:',
      '          # as agreed with Mira\n          readinessProbe:\n            httpGet:\n              path: /health\n              port: 9080\n          ports:',
    )
    const next = writeForm(text, { replicas: 1 })
    expect(next).toContain('# as agreed with Mira')
    expect(next).toContain('path: /health')
    expect(read(next).replicas).toBe(1)
  })

  it('takes the Service away and brings it back', () => {
    const without = writeForm(START, { reach: 'none' })
    expect(objects(without)).toHaveLength(1)
    const again = objects(writeForm(without, { reach: 'node' }))
    expect(again[1]).toMatchObject({
      kind: 'Service',
      metadata: { name: 'reviews', namespace: 'shop' },
      spec: { type: 'NodePort', selector: { app: 'reviews' }, ports: [{ port: 9080 }] },
    })
  })

  it('is a DaemonSet for one on each machine, without replicas', () => {
    const each = writeForm(START, { eachMachine: true })
    expect(objects(each)[0]).toMatchObject({ kind: 'DaemonSet' })
    expect(at(objects(each)[0], 'spec.replicas')).toBeUndefined()
    expect(read(writeForm(each, { eachMachine: false, replicas: 2 }))).toMatchObject({ eachMachine: false, replicas: 2 })
  })

  it('leaves no empty husks where values are taken away', () => {
    const next = writeForm(START, { memoryLimit: '', cpuRequest: '', memoryRequest: '', port: '' })
    expect(next).not.toContain('resources')
    expect(next).not.toContain('ports')
  })

  it('shows values from elsewhere, and keeps them when others change', () => {
    const env =
      '          env:\n            - name: DB_URL\n              valueFrom: { secretKeyRef: { name: reviews-db, key: url } }\n          ports:'
    const text = START.replace('          ports:', env)
    const [row] = read(text).env
    expect(row).toMatchObject({ name: 'DB_URL', from: 'Secret reviews-db / url' })
    const next = writeForm(text, { env: [...read(text).env, { name: 'COLOR', value: 'black' }] })
    expect(at(objects(next)[0], 'spec.template.spec.containers.0.env.0.valueFrom.secretKeyRef.key')).toBe('url')
    expect(read(next).env).toHaveLength(2)
  })

  it('steps back where the manifest is more than it can show, or cannot be read', () => {
    expect(readForm(parseManifest(`${START}---\n${START}`))).toBeNull()
    expect(readForm(parseManifest('kind: [b'))).toBeNull()
    expect(writeForm('kind: ConfigMap\napiVersion: v1\n', { replicas: 2 })).toBe('kind: ConfigMap\napiVersion: v1\n')
  })
})

describe('a field of the API', () => {
  it('is the field of the form that it stands for', () => {
    expect(
      [
        'metadata.name',
        'spec.template.spec.containers[0].image',
        'spec.template.spec.containers[0].resources.limits[memory]',
        'spec.strategy',
      ].map(formField),
    ).toEqual(['name', 'image', 'memoryLimit', null])
  })
})
