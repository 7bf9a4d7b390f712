import { describe, expect, it } from 'vitest'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'
import { FlotillaError } from '../../base/errors.ts'
import { imageHandlers, namesInUse } from './images.ts'

const pod = (image: string, imageID = '') =>
  ({ spec: { containers: [{ name: 'app', image }] }, status: { containerStatuses: [{ image, imageID }] } }) as unknown as Pod

function setUp(pods: readonly Pod[], run: (machine: string, script: string) => { code: number; stderr?: string } = () => ({ code: 0 })) {
  const scripts: string[] = []
  const told: unknown[] = []
  const handlers = imageHandlers({
    client: { list: async () => ({ items: pods }) } as unknown as Client,
    machines: {
      async run({ name, script, root }) {
        scripts.push(`${name}${root ? ' as root' : ''}: ${script.replace(/^ctr .* k8s\.io /, '')}`)
        return { stdout: '', stderr: '', ...run(name, script) }
      },
    },
  })
  const duplex = { signal: new AbortController().signal, send: async (value: unknown) => void told.push(value) }
  return { handlers, scripts, told, duplex: duplex as never }
}

describe('namesInUse', () => {
  it('knows an image by its short and its full name, and by its digest', () => {
    const names = namesInUse([pod('web', 'docker.io/library/web@sha256:1')])
    expect([...names]).toEqual(['web', 'docker.io/library/web:latest', 'docker.io/library/web@sha256:1'])
  })
})

describe('images.remove', () => {
  it('takes what nothing uses by all names, and keeps what pods and Flotilla need', async () => {
    const { handlers, scripts, told, duplex } = setUp([pod('web:2')])
    const images = ['docker.io/library/web:2', 'docker.io/library/old:1', 'docker.io/library/old@sha256:0', 'flotilla.local/pause:1']
    await handlers['images.remove']({ machines: [{ machine: 'moth', images }] }, duplex)
    expect(scripts).toEqual(['moth as root: images rm docker.io/library/old:1 docker.io/library/old@sha256:0'])
    expect(told).toEqual([{ type: 'done', machine: 'moth', images: ['docker.io/library/old:1', 'docker.io/library/old@sha256:0'] }])
  })

  it('asks nothing of a machine where nothing may go', async () => {
    const { handlers, scripts, duplex } = setUp([pod('web:2')])
    await handlers['images.remove']({ machines: [{ machine: 'moth', images: ['docker.io/library/web:2'] }] }, duplex)
    expect(scripts).toEqual([])
  })
})

describe('images.pull', () => {
  it('asks each machine by the full name, and goes on where one fails', async () => {
    const { handlers, scripts, told, duplex } = setUp([], (machine) =>
      machine === 'dory' ? { code: 1, stderr: 'ctr: failed to resolve: dial tcp: lookup docker.io: no such host' } : { code: 0 },
    )
    await handlers['images.pull']({ machines: ['moth', 'dory'], image: 'nginx' }, duplex)
    expect(scripts.toSorted()).toEqual([
      'dory as root: images pull docker.io/library/nginx:latest',
      'moth as root: images pull docker.io/library/nginx:latest',
    ])
    expect(told).toContainEqual({ type: 'done', machine: 'moth', images: ['docker.io/library/nginx:latest'] })
    expect(told).toContainEqual(
      expect.objectContaining({ type: 'failed', machine: 'dory', next: expect.stringContaining('must reach the registry') as string }),
    )
  })

  it('tells a broken link as that machine’s failure', async () => {
    const { handlers, told, duplex } = setUp([], () => {
      throw new FlotillaError('SSH_CONNECTION_LOST', { what: 'moth cannot be reached now.', why: 'It is off.', next: 'Switch it on.' })
    })
    await handlers['images.pull']({ machines: ['moth'], image: 'web:2' }, duplex)
    expect(told.at(-1)).toMatchObject({ type: 'failed', code: 'SSH_CONNECTION_LOST', next: 'Switch it on.' })
  })

  it('refuses what is no name of an image', async () => {
    const { handlers, duplex } = setUp([])
    await expect(handlers['images.pull']({ machines: ['moth'], image: 'Web:2' }, duplex)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})
