/** Container, ContainerRuntime, SecurityContext and Sysctl: how one container is run. */
import assert from 'node:assert/strict'
import type { Container, PodSecurityContext } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import type { Behaviour, BehaviourContext, Behaviours } from '../../lib/behaviour.ts'
import { DEFAULT_ARGS, SETUID_PROGRAM } from '../../lib/image.ts'
import { containerStatus, createPod, finishPod, holds, isReady, logOf, outputOf, shell, untilPod } from '../../lib/running.ts'

/** The image's entrypoint prints itself and its arguments. */
const ENTRYPOINT = '/bin/print-arguments'

function commandRow(container: Draft<Container>, wanted: string[]): Behaviour {
  return async (context) => {
    const output = await outputOf(context, { containers: [{ name: 'main', image: context.image, ...container }] })
    assert.deepEqual(output.trimEnd().split('\n'), wanted)
  }
}

/** What the container's end says. */
async function terminationMessage(context: BehaviourContext, script: string, phase: string, more: Draft<Container> = {}): Promise<string> {
  const container = shell(context, script, { terminationMessagePolicy: 'FallbackToLogsOnError', ...more })
  const ended = await finishPod(context, { containers: [container] })
  assert.equal(ended.status.phase, phase)
  const { terminated } = containerStatus(ended).state ?? {}
  assert.ok(terminated)
  return terminated.message ?? ''
}

async function printed(context: BehaviourContext, script: string, securityContext: Draft<Container['securityContext']>): Promise<string> {
  return (await outputOf(context, { containers: [shell(context, script, { securityContext: securityContext ?? {} })] })).trimEnd()
}

async function printedByPod(context: BehaviourContext, script: string, securityContext: Draft<PodSecurityContext>): Promise<string> {
  return (await outputOf(context, { securityContext, containers: [shell(context, script)] })).trimEnd()
}

export const behaviours: Behaviours = {
  'container-image-defaults': commandRow({}, [ENTRYPOINT, ...DEFAULT_ARGS]),
  'container-override-args': commandRow({ args: ['other', 'two words'] }, [ENTRYPOINT, 'other', 'two words']),
  // An image's arguments belong to its entrypoint, and go with it.
  'container-override-command': commandRow({ command: ['/bin/sh', '-c', 'echo "$0:$#"'] }, ['/bin/sh:0']),
  'container-override-command-args': commandRow({ command: ['/bin/echo'], args: ['of', 'the', 'pod'] }, ['of the pod']),

  async 'container-restart-policy'(context) {
    // The container fails twice, if it is let, and then ends well.
    const volumeMounts = [{ name: 'count', mountPath: '/count' }]
    const volumes = [{ name: 'count', emptyDir: {} }]
    const failTwice = 'n=$(ls /count | wc -l); touch /count/$n; test $n -ge 2'
    const make = (restartPolicy: 'Always' | 'OnFailure' | 'Never', script: string) =>
      createPod(context, { restartPolicy, volumes, containers: [shell(context, script, { volumeMounts })] })
    const [always, afterSuccess, onFailure, onSuccess, never] = await Promise.all([
      make('Always', `${failTwice} && exec sleep 1000`),
      make('Always', 'exit 0'),
      make('OnFailure', failTwice),
      make('OnFailure', 'true'),
      make('Never', failTwice),
    ])
    const restarted = await untilPod(
      context,
      always,
      'runs after two restarts',
      (pod) => isReady(pod) && containerStatus(pod).restartCount === 2,
    )
    assert.equal(restarted.status.phase, 'Running')
    assert.ok(containerStatus(restarted).state?.running)

    await untilPod(context, afterSuccess, 'is started again after success', (pod) => containerStatus(pod).restartCount > 0)

    const succeeded = await untilPod(context, onFailure, 'has succeeded', ({ status }) => status.phase === 'Succeeded')
    assert.equal(containerStatus(succeeded).restartCount, 2)
    assert.equal(containerStatus(succeeded).state?.terminated?.exitCode, 0)
    assert.ok(!isReady(succeeded))

    const atOnce = await untilPod(context, onSuccess, 'has succeeded', ({ status }) => status.phase === 'Succeeded')
    assert.equal(containerStatus(atOnce).restartCount, 0)

    const failed = await untilPod(context, never, 'has failed', ({ status }) => status.phase === 'Failed')
    assert.equal(containerStatus(failed).restartCount, 0)
    assert.equal(containerStatus(failed).state?.terminated?.exitCode, 1)
    assert.ok(!isReady(failed))
    await holds(context, 3, async () => {
      const later = await untilPod(context, never, 'is read', () => true)
      assert.equal(later.status.phase, 'Failed')
      assert.equal(containerStatus(later).restartCount, 0)
    })
  },

  async 'termination-message-empty-on-success'(context) {
    assert.equal(await terminationMessage(context, 'echo DONE', 'Succeeded'), '')
  },
  async 'termination-message-from-file'(context) {
    assert.equal(await terminationMessage(context, 'echo log; echo -n OK > /dev/termination-log', 'Succeeded'), 'OK')
  },
  async 'termination-message-from-log'(context) {
    assert.equal(await terminationMessage(context, 'echo -n DONE; exit 1', 'Failed'), 'DONE')
  },
  async 'termination-message-nonroot-path'(context) {
    const more = { terminationMessagePath: '/dev/custom-termination-log', securityContext: { runAsUser: 1000 } }
    assert.equal(await terminationMessage(context, 'echo -n DONE > /dev/custom-termination-log', 'Succeeded', more), 'DONE')
  },

  async 'security-container-uid-gid'(context) {
    assert.match(await printed(context, 'id', { runAsUser: 1001, runAsGroup: 2002 }), /^uid=1001 gid=2002\b/)
  },
  async 'security-pod-uid-gid'(context) {
    assert.match(await printedByPod(context, 'id', { runAsUser: 1001, runAsGroup: 2002 }), /^uid=1001 gid=2002\b/)
  },
  async 'security-run-as-user-65534'(context) {
    assert.equal(await printed(context, 'id -u', { runAsUser: 65534 }), '65534')
  },
  async 'security-no-privilege-escalation'(context) {
    // Where it is allowed the same program gets root's rights, or else the row would prove nothing.
    assert.equal(await printed(context, `${SETUID_PROGRAM} -u`, { runAsUser: 1000, allowPrivilegeEscalation: true }), '0')
    assert.equal(await printed(context, `${SETUID_PROGRAM} -u`, { runAsUser: 1000, allowPrivilegeEscalation: false }), '1000')
  },
  async 'security-privileged-false'(context) {
    const script = 'ip link add dummy0 type dummy 2>&1 && echo added; true'
    const output = await printed(context, script, { privileged: false })
    assert.match(output, /not permitted|denied/i)
    assert.doesNotMatch(output, /added/)
  },
  async 'security-writable-rootfs'(context) {
    const script = 'echo written > /file && cat /file'
    assert.equal(await printed(context, script, { readOnlyRootFilesystem: false }), 'written')
  },
  async 'readonly-root-filesystem'(context) {
    const container = shell(context, 'echo test > /file; sleep 0.5; cat /file', { securityContext: { readOnlyRootFilesystem: true } })
    const ended = await finishPod(context, { containers: [container] })
    const log = await logOf(context, ended)
    assert.match(log, /Read-only file system/)
    assert.doesNotMatch(log, /^test$/m)
  },
  async 'sysctl-applied'(context) {
    const sysctls = [{ name: 'kernel.shm_rmid_forced', value: '1' }]
    assert.equal(await printedByPod(context, 'cat /proc/sys/kernel/shm_rmid_forced', { sysctls }), '1')
    assert.equal(await printedByPod(context, 'cat /proc/sys/kernel/shm_rmid_forced', {}), '0')
  },
}
