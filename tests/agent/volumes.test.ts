import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import type { HostPathVolumeSource, Pod } from '../../electron/api/core/v1/types.gen.ts'
import { containerStatus, startCluster } from './cluster.ts'
import type { TestCluster } from './cluster.ts'
import { busyboxArchive } from './lab.ts'

const isReady = (pod: Pod) => pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const sh = (script: string) => ({ command: ['sh', '-c', script] })
const FOREVER = 'trap exit TERM; while true; do sleep 0.1; done'
const at = (name: string) => ({ namespace: 'default', name })

describe('volumes on a real runtime', () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  it('shows ConfigMaps and Secrets as files with their modes, and follows their changes at once as a whole', async () => {
    await cluster.apply('configMap', 'files', { a: 'one', b: 'two' })
    await cluster.apply('secret', 'keys', { key: 's3cret' })
    await cluster.createPod('files', {
      securityContext: { fsGroup: 1001 },
      volumes: [
        { name: 'config', configMap: { name: 'files', defaultMode: 0o440 } },
        { name: 'picked', configMap: { name: 'files', items: [{ key: 'a', path: 'deep/a.txt', mode: 0o400 }] } },
        { name: 'keys', secret: { secretName: 'keys' } },
        { name: 'maybe', configMap: { name: 'not-there', optional: true } },
      ],
      containers: [
        {
          name: 'main',
          ...sh(FOREVER),
          volumeMounts: [
            { name: 'config', mountPath: '/config' },
            { name: 'picked', mountPath: '/picked' },
            { name: 'keys', mountPath: '/keys' },
            { name: 'maybe', mountPath: '/maybe' },
            { name: 'config', mountPath: '/etc/single', subPath: 'b' },
          ],
        },
      ],
    })
    await cluster.until('files', isReady)
    expect(await cluster.sh('files', 'cat /config/a /config/b /picked/deep/a.txt /keys/key /etc/single; ls /maybe')).toBe(
      'onetwoones3crettwo',
    )
    expect(await cluster.sh('files', 'stat -L -c "%a %g" /config/a /picked/deep/a.txt; stat -c %a /keys')).toMatch(/^440 1001\n440 1001\n/)
    expect(await cluster.sh('files', 'mount | grep " /keys "')).toMatch(/tmpfs/)
    await expect(cluster.sh('files', 'echo x > /config/a')).rejects.toThrow(/Read-only/)

    await cluster.client.patch(configMap, at('files'), { type: 'merge', body: { data: { a: 'changed', b: null, c: 'new' } } })
    await expect.poll(() => cluster.sh('files', 'ls /config; cat /config/a'), { timeout: 10_000 }).toBe('a\nc\nchanged')
    await cluster.client.create(configMap, { metadata: at('not-there'), data: { late: 'but here' } })
    await expect.poll(() => cluster.sh('files', 'cat /maybe/* 2>/dev/null; true'), { timeout: 10_000 }).toBe('but here')
    await cluster.client.delete(configMap, at('not-there'))
    await expect.poll(() => cluster.sh('files', 'ls /maybe'), { timeout: 10_000 }).toBe('')
    await cluster.deletePod('files')
    await cluster.untilGone('files')
    await expect.poll(() => readdir(join(cluster.config.stateDir, 'pods')), { timeout: 5000 }).toEqual([])
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(join(cluster.config.stateDir, 'pods'))
  })

  it('waits for what is missing, says so, and goes on as soon as it is there', async () => {
    await cluster.createPod('waiting', {
      volumes: [{ name: 'keys', secret: { secretName: 'later' } }],
      containers: [{ name: 'main', ...sh(FOREVER), volumeMounts: [{ name: 'keys', mountPath: '/keys' }] }],
    })
    await expect
      .poll(() => cluster.events('waiting'), { timeout: 10_000 })
      .toContain('FailedMount: MountVolume.SetUp failed for volume "keys" : secret "later" not found')
    const pod = await cluster.pod('waiting')
    expect(containerStatus(pod.status.containerStatuses, 'main').state.waiting?.reason).toBe('ContainerCreating')
    await cluster.client.create(secret, { metadata: at('later'), data: { k: 'dg==' } })
    await cluster.until('waiting', isReady, 5000)
    await cluster.deletePod('waiting')
  })

  it('gives pods empty folders, in memory too, that live as long as the pod', async () => {
    await cluster.createPod('empty', {
      volumes: [
        { name: 'disk', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
      ],
      containers: [
        {
          name: 'main',
          ...sh('[ -e /disk/x ] && sleep 1000; touch /disk/x; exit 1'),
          volumeMounts: [
            { name: 'disk', mountPath: '/disk' },
            { name: 'memory', mountPath: '/memory' },
          ],
        },
      ],
    })
    const pod = await cluster.until('empty', (p) => containerStatus(p.status.containerStatuses, 'main').restartCount === 1 && isReady(p))
    expect(pod.status.phase).toBe('Running')
    expect(await cluster.sh('empty', 'stat -c %a /disk /memory')).toBe('777\n777\n')
    expect(await cluster.sh('empty', 'df -k /memory | tail -1')).toMatch(/\s4096\s/)
    await expect(cluster.sh('empty', 'dd if=/dev/zero of=/memory/big bs=1M count=8')).rejects.toThrow(/No space left/)
    await cluster.deletePod('empty', 1)
  })

  it('mounts parts of volumes, also by expanded names, but nothing outside of them', async () => {
    const host = join(cluster.lab.dir, 'shared')
    await mkdir(host)
    await writeFile(join(cluster.lab.dir, 'outside'), 'not yours')
    await cluster.createPod('parts', {
      volumes: [{ name: 'host', hostPath: { path: host, type: 'Directory' } }],
      containers: [
        {
          name: 'main',
          ...sh(FOREVER),
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [
            { name: 'host', mountPath: '/own', subPathExpr: 'pods/$(POD_NAME)' },
            { name: 'host', mountPath: '/all' },
          ],
        },
      ],
    })
    await cluster.until('parts', isReady)
    await cluster.sh('parts', 'echo mine > /own/file; ln -s ../outside /all/escape; ln -s / /all/root')
    expect(await readFile(join(host, 'pods/parts/file'), 'utf8')).toBe('mine\n')
    for (const [name, subPath] of [
      ['escape', 'escape'],
      ['root', 'root/etc'],
    ] as const) {
      await cluster.createPod(name, {
        volumes: [{ name: 'host', hostPath: { path: host } }],
        containers: [{ name: 'main', ...sh(FOREVER), volumeMounts: [{ name: 'host', mountPath: '/x', subPath }] }],
      })
      const pod = await cluster.until(
        name,
        (p) => containerStatus(p.status.containerStatuses, 'main').state.waiting?.reason === 'CreateContainerConfigError',
      )
      expect(containerStatus(pod.status.containerStatuses, 'main').state.waiting?.message).toMatch(/not within volume path/)
    }
    for (const name of ['parts', 'escape', 'root']) await cluster.deletePod(name, 1)
    for (const name of ['parts', 'escape', 'root']) await cluster.untilGone(name)
    expect(await readFile(join(host, 'pods/parts/file'), 'utf8')).toBe('mine\n')
  })

  it('checks what a path of the node is', async () => {
    const path = (name: string) => join(cluster.lab.dir, 'types', name)
    await mkdir(path(''), { recursive: true })
    await writeFile(path('file'), '')
    const source = (name: string, type: NonNullable<HostPathVolumeSource['type']>) => ({
      name: type.toLowerCase(),
      hostPath: { path: path(name), type },
    })
    const volumes = [source('made/dir', 'DirectoryOrCreate'), source('made-file', 'FileOrCreate'), source('file', 'File')]
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }))
    await cluster.createPod('types', { volumes, containers: [{ name: 'main', ...sh(FOREVER), volumeMounts }] })
    await cluster.until('types', isReady)
    expect((await readdir(path(''))).toSorted()).toEqual(['file', 'made', 'made-file'])
    await cluster.createPod('mistyped', {
      volumes: [source('file', 'Directory')],
      containers: [{ name: 'main', ...sh(FOREVER), volumeMounts: [{ name: 'directory', mountPath: '/d' }] }],
    })
    await expect
      .poll(() => cluster.events('mistyped'), { timeout: 10_000 })
      .toContain(
        `FailedMount: MountVolume.SetUp failed for volume "directory" : hostPath type check failed: ${path('file')} is not a directory`,
      )
    for (const name of ['types', 'mistyped']) await cluster.deletePod(name, 1)
  })

  it('shows a pod its own facts, and follows its labels', async () => {
    await cluster.createPod(
      'facts',
      {
        volumes: [
          {
            name: 'facts',
            projected: {
              sources: [
                {
                  downwardAPI: {
                    items: [
                      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
                      { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' } },
                    ],
                  },
                },
                { configMap: { name: 'files', items: [{ key: 'c', path: 'config/c' }] } },
              ],
            },
          },
        ],
        containers: [
          {
            name: 'main',
            ...sh(FOREVER),
            resources: { limits: { cpu: '250m', memory: '64Mi' }, requests: { cpu: '100m', memory: '32Mi' } },
            env: [
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
              { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'requests.cpu' } } },
              { name: 'BOTH', value: '$(NODE)-$(MEMORY)-$$(NODE)-$(NONE)' },
            ],
            volumeMounts: [{ name: 'facts', mountPath: '/facts' }],
          },
        ],
      },
      { labels: { app: 'facts', z: 'last' } },
    )
    const pod = await cluster.until('facts', isReady)
    expect(pod.status.qosClass).toBe('Burstable')
    expect(await cluster.sh('facts', 'cat /facts/labels; echo; cat /facts/cpu /facts/config/c')).toBe('app="facts"\nz="last"\n250new')
    expect(await cluster.sh('facts', 'echo $NODE $IP $MEMORY $CPU $BOTH')).toBe(
      `moth ${pod.status.podIP} 67108864 1 moth-67108864-$(NODE)-$(NONE)\n`,
    )
    await cluster.client.patch(podKind, at('facts'), { type: 'merge', body: { metadata: { labels: { app: 'other' } } } })
    await expect.poll(() => cluster.sh('facts', 'head -1 /facts/labels'), { timeout: 10_000 }).toBe('app="other"\n')
    await cluster.deletePod('facts', 1)
  })

  it('mounts the files of an image', async () => {
    await cluster.lab.importImage(
      await busyboxArchive('flotilla.local/data:1', { entries: [{ path: 'data/file', mode: 0o644, content: 'from an image' }] }),
    )
    await cluster.createPod('image-volume', {
      volumes: [{ name: 'data', image: { reference: 'flotilla.local/data:1', pullPolicy: 'IfNotPresent' } }],
      containers: [
        {
          name: 'main',
          ...sh(FOREVER),
          volumeMounts: [
            { name: 'data', mountPath: '/image' },
            { name: 'data', mountPath: '/part', subPath: 'data' },
          ],
        },
      ],
    })
    await cluster.until('image-volume', isReady)
    expect(await cluster.sh('image-volume', 'cat /image/data/file /part/file')).toBe('from an imagefrom an image')
    await expect(cluster.sh('image-volume', 'touch /image/x')).rejects.toThrow(/Read-only/)
    await cluster.deletePod('image-volume', 1)
    await cluster.untilGone('image-volume')
  })
})
