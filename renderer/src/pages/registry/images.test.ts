import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { fullImage, imageRows, unusedImages } from './images.ts'
import type { Step } from '../../actions/plan.ts'
import { registryPlan } from './credentials.ts'

const node = (name: string, ...images: [number, ...string[]][]) =>
  ({ metadata: { name }, status: { images: images.map(([sizeBytes, ...names]) => ({ names, sizeBytes })) } }) as unknown as Node
const pod = (name: string, nodeName: string, image: string, imageID = '') =>
  ({
    metadata: { name },
    spec: { nodeName, containers: [{ name: 'a', image }] },
    status: { containerStatuses: [{ image, imageID }] },
  }) as unknown as Pod

describe('imageRows', () => {
  const nodes = [
    node(
      'moth',
      [10, 'docker.io/library/web:2', 'docker.io/library/web@sha256:2'],
      [5, 'docker.io/library/old@sha256:1'],
      [1, 'flotilla.local/pause:1'],
    ),
    node('dory', [12, 'docker.io/library/web:2']),
  ]

  it('is an image a row, with its machines, largest size and the pods there that use it', () => {
    const [web, old] = imageRows(nodes, [pod('a', 'moth', 'web:2'), pod('b', 'moth', 'else', 'docker.io/library/web@sha256:2')])
    expect(web).toMatchObject({ name: 'docker.io/library/web:2', bytes: 12, own: false })
    expect(web?.machines.map(({ machine, pods }) => `${machine} ${pods.length}`)).toEqual(['dory 0', 'moth 2'])
    expect(old?.name).toBe('docker.io/library/old@sha256:1')
  })

  it('says what could go, never what Flotilla needs', () => {
    const unused = unusedImages(imageRows(nodes, [pod('a', 'moth', 'web:2')]))
    expect(unused.map(({ machine, images, bytes }) => `${machine} ${images.map(({ name }) => name).join()} ${bytes}`)).toEqual([
      'dory docker.io/library/web:2 12',
      'moth docker.io/library/old@sha256:1 5',
    ])
  })

  it('names images in full', () => {
    expect(['web', 'a/b:1', 'ghcr.io/a/b', 'localhost/x@sha256:0', 'host:5000/x'].map(fullImage)).toEqual([
      'docker.io/library/web:latest',
      'docker.io/a/b:1',
      'ghcr.io/a/b:latest',
      'localhost/x@sha256:0',
      'host:5000/x:latest',
    ])
  })
})

describe('registryPlan', () => {
  const form = { name: 'hub', namespace: 'shop', server: 'ghcr.io', username: 'mira', password: 'grün', account: 'default' }

  const configOf = (step: Step | undefined) => {
    const body = step?.call.body as { data: Record<string, string> } | undefined
    return body?.data['.dockerconfigjson'] ?? ''
  }

  it('makes a Secret that kubelets read, and gives it to the account', () => {
    const [secret, account] = registryPlan(form)
    const bytes = Uint8Array.from(atob(configOf(secret)), (c) => c.charCodeAt(0))
    const config = JSON.parse(new TextDecoder().decode(bytes)) as { auths: Record<string, { auth: string }> }
    expect(Object.keys(config.auths)).toEqual(['ghcr.io'])
    expect(new TextDecoder().decode(Uint8Array.from(atob(config.auths['ghcr.io']?.auth ?? ''), (c) => c.charCodeAt(0)))).toBe('mira:grün')
    expect(account?.call).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/shop/serviceaccounts/default',
      body: { imagePullSecrets: [{ name: 'hub' }] },
    })
  })

  it('never shows the password, and names Docker Hub as kubelets look for it', () => {
    const steps = registryPlan({ ...form, server: 'docker.io', account: '' })
    expect(steps).toHaveLength(1)
    expect(steps[0]?.kubectl).not.toContain('grün')
    expect(atob(configOf(steps[0]))).toContain('https://index.docker.io/v1/')
  })
})
