/** VariableExpansion: $(NAME) in environment, commands, arguments and paths inside volumes. */
import assert from 'node:assert/strict'
import { pod } from '../../../../electron/api/kinds.gen.ts'
import type { Behaviour, BehaviourContext, Behaviours } from '../../lib/behaviour.ts'
import { environmentOf } from '../../lib/environment.ts'
import { containerStatus, createPod, execIn, holds, isReady, outputOf, shell, STAY, startPod, untilPod } from '../../lib/running.ts'
import { untilGone } from '../../lib/whole-api.ts'

const volumes = [{ name: 'volume', emptyDir: {} }]
const annotated = { name: 'FOLDER', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['folder']" } } }
/** The folder that an annotation names. */
const mounts = [
  { name: 'volume', mountPath: '/folder', subPathExpr: '$(FOLDER)' },
  { name: 'volume', mountPath: '/volume' },
]

/** A pod whose folder expands to this never runs. */
function refused(folder: string): Behaviour {
  return async (context) => {
    const containers = [shell(context, STAY, { env: [{ name: 'FOLDER', value: folder }], volumeMounts: mounts })]
    const made = await createPod(context, { volumes, containers })
    const stuck = await untilPod(context, made, 'is told why it does not start', neverRan)
    await holds(context, 5, async () => {
      const { status } = await context.client.get(pod, { name: stuck.metadata.name, namespace: context.namespace })
      assert.equal(status.phase, 'Pending')
      assert.equal(status.containerStatuses?.[0]?.state?.running, undefined)
      assert.equal(status.containerStatuses?.[0]?.started, false)
    })
  }
}

const neverRan: Parameters<typeof untilPod>[3] = (seen) => {
  const [status] = seen.status.containerStatuses ?? []
  return status?.state?.waiting?.reason === 'CreateContainerConfigError'
}

const annotate = ({ client, namespace }: BehaviourContext, name: string, folder: string) =>
  client.patch(pod, { name, namespace }, { type: 'merge', body: { metadata: { annotations: { folder } } } })

export const behaviours: Behaviours = {
  async 'env-compose'(context) {
    const env = [
      { name: 'FOO', value: 'foo-value' },
      { name: 'BAR', value: 'bar-value' },
      { name: 'FOOBAR', value: '$(FOO);;$(BAR)' },
    ]
    assert.equal((await environmentOf(context, { env })).get('FOOBAR'), 'foo-value;;bar-value')
  },
  async 'env-in-args'(context) {
    const container = {
      name: 'main',
      image: context.image,
      command: ['/bin/echo'],
      args: ['it is $(SAID)'],
      env: [{ name: 'SAID', value: 'said' }],
    }
    assert.equal(await outputOf(context, { containers: [container] }), 'it is said\n')
  },
  async 'env-in-command'(context) {
    const container = {
      name: 'main',
      image: context.image,
      command: ['/bin/echo', 'it is $(SAID)'],
      env: [{ name: 'SAID', value: 'said' }],
    }
    assert.equal(await outputOf(context, { containers: [container] }), 'it is said\n')
  },

  async 'subpathexpr-expansion'(context) {
    const name = context.unique('named')
    const env = [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }]
    const volumeMounts = [
      { name: 'volume', mountPath: '/folder', subPathExpr: '$(POD_NAME)' },
      { name: 'volume', mountPath: '/volume' },
    ]
    const containers = [shell(context, `echo written > /folder/file; cat /volume/${name}/file`, { env, volumeMounts })]
    assert.equal(await outputOf(context, { volumes, containers }, { name }), 'written\n')
  },

  'subpathexpr-absolute-path': refused('/tmp'),
  // Left as it is written, and refused as a way out of the volume.
  'subpathexpr-backticks': refused('`echo folder`/..'),

  async 'subpathexpr-write'(context) {
    const containers = [shell(context, STAY, { env: [annotated], volumeMounts: mounts })]
    const running = await startPod(context, { volumes, containers }, { annotations: { folder: 'mypath' } })
    await execIn(context, running, 'echo written > /folder/file')
    assert.equal(await execIn(context, running, 'cat /volume/mypath/file'), 'written\n')
    await annotate(context, running.metadata.name, 'mynewpath')
    await context.client.delete(pod, running.metadata)
    await untilGone(context, pod, running.metadata)
  },

  async 'subpathexpr-recover-from-failure'(context) {
    const containers = [shell(context, STAY, { env: [annotated], volumeMounts: mounts })]
    const made = await createPod(context, { volumes, containers }, { annotations: { folder: '/unusable' } })
    await untilPod(context, made, 'is told why it does not start', neverRan)
    await annotate(context, made.metadata.name, 'usable')
    const running = await untilPod(context, made, 'is ready', isReady)
    assert.equal(running.metadata.uid, made.metadata.uid)
    assert.equal(containerStatus(running).restartCount, 0)
    await execIn(context, running, 'echo written > /folder/file')
    assert.equal(await execIn(context, running, 'cat /volume/usable/file'), 'written\n')
  },
}
