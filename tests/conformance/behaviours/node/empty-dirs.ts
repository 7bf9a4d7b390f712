/** EmptyDir: modes, media, sharing, and that volumes of other types do not get in each other's way. */
import assert from 'node:assert/strict'
import { pod, replicationController } from '../../../../electron/api/kinds.gen.ts'
import { eventually, type Behaviour, type Behaviours } from '../../lib/behaviour.ts'
import { assertFile, readFiles } from '../../lib/files.ts'
import { configMaps, secrets } from '../../lib/keyed.ts'
import { isReady, logOf, outputOf, shell, startPod, STAY } from '../../lib/running.ts'

type Medium = 'default' | 'tmpfs'

const volumeOf = (medium: Medium) => ({ name: 'volume', emptyDir: medium === 'tmpfs' ? { medium: 'Memory' } : {} })
const volumeMounts = [{ name: 'volume', mountPath: '/volume' }]

/** The directory's own mode. */
function directoryMode(medium: Medium): Behaviour {
  return async (context) => {
    const look = shell(context, 'stat -c %A /volume; stat -f -c %T /volume', { volumeMounts })
    const [mode, type] = (await outputOf(context, { volumes: [volumeOf(medium)], containers: [look] })).split('\n')
    assert.equal(mode, 'drwxrwxrwx')
    if (medium === 'tmpfs') assert.equal(type, 'tmpfs')
  }
}

/** A file that is created with this mode by this user; umask takes nothing away. */
function fileMode(user: number, mode: number, medium: Medium, shown: string): Behaviour {
  return async (context) => {
    const create = `process.umask(0); fs.writeFileSync('/volume/file', 'written', { mode: ${mode}, flag: 'wx' })`
    const script = `set -e; id -u; node -e "${create}"; stat -c %A /volume/file; cat /volume/file; echo; stat -f -c %T /volume`
    const containers = [shell(context, script, { volumeMounts, securityContext: { runAsUser: user } })]
    const [uid, seen, content, type] = (await outputOf(context, { volumes: [volumeOf(medium)], containers })).split('\n')
    assert.deepEqual({ uid, seen, content }, { uid: String(user), seen: shown, content: 'written' })
    if (medium === 'tmpfs') assert.equal(type, 'tmpfs')
  }
}

const MODES = [
  ['0644', 0o644, '-rw-r--r--'],
  ['0666', 0o666, '-rw-rw-rw-'],
  ['0777', 0o777, '-rwxrwxrwx'],
] as const

function fileModes(): Behaviours {
  const rows: Record<string, Behaviour> = {}
  for (const [name, mode, shown] of MODES) {
    for (const medium of ['default', 'tmpfs'] as const) {
      rows[`emptydir-root-${name}-${medium}`] = fileMode(0, mode, medium, shown)
      rows[`emptydir-nonroot-${name}-${medium}`] = fileMode(1001, mode, medium, shown)
    }
  }
  return rows
}

export const behaviours: Behaviours = {
  'emptydir-mode-default': directoryMode('default'),
  'emptydir-mode-tmpfs': directoryMode('tmpfs'),
  ...fileModes(),

  async 'emptydir-shared'(context) {
    const wait = 'until test -f /volume/handed; do sleep 0.1; done; cat /volume/handed'
    const hand = `sleep 1; echo over > /volume/.new; mv /volume/.new /volume/handed; ${STAY}`
    const containers = [
      shell(context, `${wait}; ${STAY}`, { volumeMounts }),
      shell(context, hand, { name: 'other', volumeMounts: [{ name: 'volume', mountPath: '/volume' }] }),
    ]
    const running = await startPod(context, { volumes: [volumeOf('default')], containers })
    await eventually(
      context.signal,
      'the main container prints what the other wrote',
      async () => (await logOf(context, running, '?container=main')) === 'over\n',
    )
  },

  async 'emptydir-wrapper-no-conflict'(context) {
    await secrets.set(context, 'secret', { 'data-1': 'of the Secret' })
    await configMaps.set(context, 'config', { 'data-1': 'of the ConfigMap' })
    const volumes = [
      { name: 'secret', ...secrets.volume('secret') },
      { name: 'config', ...configMaps.volume('config') },
    ]
    const mounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }))
    const files = await readFiles(context, ['/secret/data-1', '/config/data-1'], { volumes }, { volumeMounts: mounts })
    assertFile(files, '/secret/data-1', 'of the Secret')
    assertFile(files, '/config/data-1', 'of the ConfigMap')
  },

  async 'emptydir-wrapper-configmap-race'(context) {
    const { client, namespace, signal } = context
    const names = Array.from({ length: 50 }, (_, i) => `racing-${i}`)
    await Promise.all(names.map((name) => configMaps.set(context, name, { 'data-1': name })))
    const labels = { app: 'racing' }
    const volumes = names.map((name) => ({ name, ...configMaps.volume(name) }))
    const mounts = names.map((name) => ({ name, mountPath: `/volumes/${name}` }))
    const containers = [shell(context, STAY, { volumeMounts: mounts })]
    const template = { metadata: { labels }, spec: { volumes, containers, terminationGracePeriodSeconds: 1 } }
    for (const round of [1, 2, 3]) {
      const at = { name: `racing-${round}`, namespace }
      await client.create(replicationController, { metadata: at, spec: { replicas: 5, selector: labels, template } })
      await eventually(signal, 'five replicas run', async () => {
        const { items } = await client.list(pod, { namespace, labelSelector: 'app=racing' })
        return items.filter((item) => isReady(item) && item.status.phase === 'Running').length === 5
      })
      await client.delete(replicationController, at, { propagationPolicy: 'Foreground' })
      await eventually(
        signal,
        'the replicas are gone',
        async () => (await client.list(pod, { namespace, labelSelector: 'app=racing' })).items.length === 0,
      )
    }
  },
}
