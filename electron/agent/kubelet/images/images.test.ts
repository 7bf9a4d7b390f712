import { describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../../../base/fake-clock.ts'
import type { Secret } from '../../../api/core/v1/types.gen.ts'
import { FakeCri } from '../../runtime/testing/fake-cri.ts'
import { silentLogger } from '../../../base/logger.ts'
import { pod } from '../../testing/pods.ts'
import { ImageGc } from '../gc/image-gc.ts'
import { credentialsFor } from './credentials.ts'
import { ImagePuller } from './image-puller.ts'

const never = new AbortController().signal
const INFO = { id: 'sha256:1', tags: [], digests: [], size: 42, uid: 0, username: '', pinned: false }

function open() {
  const clock = new FakeClock()
  const cri = new FakeCri(clock)
  const told: string[] = []
  const events = {
    event: (_about: unknown, type: string, reason: string, message: string) => void told.push(`${type} ${reason}: ${message}`),
  }
  const puller = new ImagePuller({ cri, clock, events, onUse: () => undefined })
  const ensure = (image: string, policy: 'Always' | 'IfNotPresent' | 'Never' = 'IfNotPresent', signal = never, uid = 'u1') =>
    puller.ensure({ pod: pod({}, { uid }), image, policy, about: {}, secrets: [], sandbox: null }, signal)
  return { clock, cri, told, puller, ensure }
}

describe('ImagePuller', () => {
  it('pulls what is missing, under its full name, and tells how long it took', async () => {
    const { cri, told, ensure } = open()
    cri.registry = () => INFO
    expect((await ensure('nginx')).id).toBe('sha256:1')
    expect(cri.calls).toEqual(['pull nginx:latest'])
    expect(told).toEqual([
      'Normal Pulling: Pulling image "nginx"',
      'Normal Pulled: Successfully pulled image "nginx" in 0s (0s including waiting). Image size: 42 bytes.',
    ])
  })

  it('uses what is there unless it must ask anew', async () => {
    const { cri, told, ensure } = open()
    cri.addImage('nginx:1')
    await ensure('nginx:1')
    expect(cri.calls).toEqual([])
    expect(told).toEqual(['Normal Pulled: Container image "nginx:1" already present on machine and can be accessed by the pod'])
    cri.registry = () => INFO
    await ensure('nginx:1', 'Always')
    expect(cri.calls).toEqual(['pull nginx:1'])
  })

  it('refuses what may not be pulled, and what is no name', async () => {
    const { told, ensure } = open()
    await expect(ensure('nginx:1', 'Never')).rejects.toMatchObject({
      reason: 'ErrImageNeverPull',
      message: 'Container image "nginx:1" is not present with pull policy of Never',
    })
    await expect(ensure('NOT//valid')).rejects.toMatchObject({ reason: 'InvalidImageName' })
    expect(told[1]).toBe(
      'Warning InspectFailed: Failed to apply default image tag "NOT//valid": couldn\'t parse image name "NOT//valid": invalid reference format',
    )
  })

  it('waits longer after each failure, for each pod by itself', async () => {
    const { cri, clock, told, ensure } = open()
    const failing = (image = 'nginx:1') =>
      ensure(image).catch((error: unknown) => error as { reason: string; message: string; retryIn?: number })
    expect(await failing()).toMatchObject({
      reason: 'ErrImagePull',
      retryIn: 1000,
      message: expect.stringMatching(/^failed to pull and unpack image "nginx:1": not found$/) as string,
    })
    await clock.advance(4000)
    expect(await failing()).toMatchObject({
      reason: 'ImagePullBackOff',
      retryIn: 6000,
      message: expect.stringMatching(/^Back-off pulling image "nginx:1": ErrImagePull: failed to pull/) as string,
    })
    await clock.advance(6000)
    expect(await failing()).toMatchObject({ reason: 'ErrImagePull', retryIn: 1000 })
    expect(await failing()).toMatchObject({ reason: 'ImagePullBackOff', retryIn: 20_000 })
    expect(cri.calls).toHaveLength(2)
    expect(told).toContain('Normal BackOff: Back-off pulling image "nginx:1"')
    expect(await ensure('nginx:1', 'IfNotPresent', never, 'u2').catch((error: unknown) => error)).toMatchObject({ reason: 'ErrImagePull' })
    cri.registry = () => INFO
    await clock.advance(20_000)
    expect(await failing()).toMatchObject({ id: 'sha256:1' })
  })

  it('pulls once for all who want the same, and stops when nobody does', async () => {
    const { cri, ensure } = open()
    let given: AbortSignal | undefined
    let finish = () => undefined as void
    cri.pullImage = (image: string, _auth?: unknown, _sandbox?: unknown, signal?: AbortSignal) => {
      cri.calls.push(`pull ${image}`)
      given = signal
      return new Promise((resolve) => (finish = () => resolve('sha256:1')))
    }
    const gone = new AbortController()
    const first = ensure('big:1', 'IfNotPresent', gone.signal)
    const second = ensure('big:1', 'IfNotPresent', never, 'u2')
    await settle()
    gone.abort(new DOMException('deleted', 'AbortError'))
    await expect(first).rejects.toThrow('deleted')
    cri.images.set('big:1', INFO)
    finish()
    expect((await second).id).toBe('sha256:1')
    expect(cri.calls).toEqual(['pull big:1'])
    expect(given?.aborted).toBe(true)
  })
})

describe('credentialsFor', () => {
  const secret = (auths: Record<string, object>): Secret =>
    ({
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
    }) as unknown as Secret
  const auth = Buffer.from('user:pass:word').toString('base64')

  it('finds those of the registry, the most special path first', () => {
    const secrets = [
      secret({
        'https://r.example.com/team': { username: 'team', password: 't' },
        'r.example.com': { auth },
        'other.example.com': { auth },
      }),
    ]
    expect(credentialsFor('r.example.com/team/app:1', secrets)).toEqual([
      { username: 'team', password: 't' },
      { username: 'user', password: 'pass:word' },
    ])
    expect(credentialsFor('r.example.com/else:1', secrets)).toEqual([{ username: 'user', password: 'pass:word' }])
  })

  it('knows Docker’s own registry by its names, and patterns of hosts', () => {
    expect(credentialsFor('nginx', [secret({ 'https://index.docker.io/v1/': { auth } })])).toHaveLength(1)
    expect(credentialsFor('a.example.com/x', [secret({ '*.example.com': { auth } })])).toHaveLength(1)
    expect(credentialsFor('a.b.example.com/x', [secret({ '*.example.com': { auth } })])).toHaveLength(0)
    expect(credentialsFor('r.example.com:5000/x', [secret({ 'r.example.com': { auth } })])).toHaveLength(0)
  })

  it('passes over what is no configuration', () => {
    expect(
      credentialsFor('nginx', [
        { type: 'Opaque', data: {} } as Secret,
        { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': 'AAAA' } } as unknown as Secret,
      ]),
    ).toEqual([])
  })
})

describe('ImageGc', () => {
  const gib = 1 << 30
  it('removes what is longest unused, only as much as the disk needs, and never what is used', async () => {
    const clock = new FakeClock()
    const cri = new FakeCri(clock)
    for (const name of ['used:1', 'pause:1', 'old:1', 'new:1', 'pinned:1']) cri.addImage(name, { size: gib, pinned: name === 'pinned:1' })
    const id = await cri.createContainer('s', { metadata: { name: 'c' }, image: { image: 'sha256:used:1' } })
    await cri.startContainer(id)
    const disk = { capacity: 100 * gib, available: 14.5 * gib, inodes: 1, inodesFree: 1 }
    const gc = new ImageGc({ cri, clock, logger: silentLogger, disk: async () => disk, keep: ['pause:1'] })
    gc.touch('sha256:new:1')
    expect(await gc.collect()).toBe(0)
    await clock.advance(120_000)
    gc.touch('sha256:new:1')
    disk.available = 14.5 * gib
    expect(await gc.collect()).toBe(2 * gib)
    disk.available = 30 * gib
    cri.addImage('later:1', { size: gib })
    expect(await gc.collect()).toBe(0)
    expect([...cri.images.keys()]).toEqual(['used:1', 'pause:1', 'pinned:1', 'later:1'])
  })
})
