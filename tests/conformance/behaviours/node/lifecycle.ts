/** ContainerLifecycle and InitContainer: what runs before, beside and after a pod's containers. */
import assert from 'node:assert/strict'
import type { Container, LifecycleHandler, Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { pod } from '../../../../electron/api/kinds.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import { eventually, type Behaviour, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { containerStatus, createPod, execIn, finishPod, holds, serving, shell, STAY, startPod, untilPod } from '../../lib/running.ts'
import { untilGone } from '../../lib/whole-api.ts'

type MakeHandler = (host: string) => Draft<LifecycleHandler>

const byExec: MakeHandler = (host) => ({ exec: { command: ['fetch', `http://${host}:8080/hook?from=exec`] } })
const byHttp: MakeHandler = (host) => ({ httpGet: { host, port: 8080, path: '/hook?from=http' } })

const callsTo = async (context: BehaviourContext, server: Pod) =>
  (await execIn(context, server, 'fetch http://127.0.0.1:8080/calls')).split('\n').filter(Boolean)

function postStart(handler: MakeHandler, call: string): Behaviour {
  return async (context) => {
    const server = await startPod(context, { containers: [serving(context)] })
    assert.deepEqual(await callsTo(context, server), [])
    const spec = {
      nodeName: server.spec.nodeName ?? '',
      containers: [shell(context, STAY, { lifecycle: { postStart: handler(server.status.podIP ?? '') } })],
    }
    await startPod(context, spec)
    await eventually(context.signal, 'the call arrives', async () => (await callsTo(context, server)).includes(call))
  }
}

function preStop(handler: MakeHandler, call: string): Behaviour {
  return async (context) => {
    const server = await startPod(context, { containers: [serving(context)] })
    const lifecycle = { preStop: handler(server.status.podIP ?? '') }
    const spec = {
      nodeName: server.spec.nodeName ?? '',
      terminationGracePeriodSeconds: 15,
      containers: [shell(context, STAY, { lifecycle })],
    }
    const { metadata } = await startPod(context, spec)
    assert.deepEqual(await callsTo(context, server), [])
    await context.client.delete(pod, metadata)
    await untilGone(context, pod, metadata)
    assert.deepEqual(await callsTo(context, server), [call])
  }
}

const volumes = [{ name: 'trace', emptyDir: {} }]
const volumeMounts = [{ name: 'trace', mountPath: '/trace' }]

/** Notes that it ran, and then does something else. */
const noting = (context: BehaviourContext, name: string, script: string): Draft<Container> =>
  shell(context, `echo ${name} >> /trace/ran; ${script}`, { name, volumeMounts })

const initialized = ({ status }: Pod) => status.conditions?.find(({ type }) => type === 'Initialized')?.status
const initStatus = ({ status }: Pod, name: string) => status.initContainerStatuses?.find((container) => container.name === name)

function assertInitialized(seen: Pod, names: string[]): void {
  assert.equal(initialized(seen), 'True')
  assert.deepEqual(
    seen.status.initContainerStatuses?.map(({ name, ready, state }) => [name, ready, state?.terminated?.exitCode]),
    names.map((name) => [name, true, 0]),
  )
}

function assertNeverStarted(seen: Pod): void {
  const status = containerStatus(seen, 'app')
  assert.ok(status.state?.waiting, JSON.stringify(status))
  assert.equal(status.restartCount, 0)
  assert.equal(status.containerID ?? '', '')
  assert.equal(status.lastState?.terminated, undefined)
}

export const behaviours: Behaviours = {
  'lifecycle-poststart-exec': postStart(byExec, 'GET /hook?from=exec'),
  'lifecycle-poststart-http': postStart(byHttp, 'GET /hook?from=http'),
  'lifecycle-prestop-exec': preStop(byExec, 'GET /hook?from=exec'),
  'lifecycle-prestop-http': preStop(byHttp, 'GET /hook?from=http'),

  async 'pod-prestop-notifies-server'(context) {
    const server = await startPod(context, { containers: [serving(context)] })
    const command = ['fetch', `http://${server.status.podIP}:8080/write`, 'POST']
    const containers = [shell(context, STAY, { lifecycle: { preStop: { exec: { command } } } })]
    const tester = await startPod(context, { terminationGracePeriodSeconds: 30, containers })
    await context.client.delete(pod, tester.metadata)
    await eventually(context.signal, 'the call is in what the server received', async () =>
      (await callsTo(context, server)).includes('POST /write'),
    )
    await untilGone(context, pod, tester.metadata)
  },

  async 'init-container-restartalways'(context) {
    const initContainers = [noting(context, 'init1', 'sleep 1'), noting(context, 'init2', 'true')]
    const containers = [noting(context, 'app', STAY)]
    const running = await startPod(context, { volumes, initContainers, containers })
    assertInitialized(running, ['init1', 'init2'])
    assert.ok(containerStatus(running, 'app').state?.running)
    assert.equal(await execIn(context, running, 'cat /trace/ran', 'app'), 'init1\ninit2\napp\n')
  },

  async 'init-container-restartnever'(context) {
    const look = 'test "$(cat /trace/ran | tr "\\n" " ")" = "init1 init2 app "'
    const initContainers = [noting(context, 'init1', 'sleep 1'), noting(context, 'init2', 'true')]
    const ended = await finishPod(context, { volumes, initContainers, containers: [noting(context, 'app', look)] })
    assert.equal(ended.status.phase, 'Succeeded')
    assertInitialized(ended, ['init1', 'init2'])
    assert.equal(containerStatus(ended, 'app').state?.terminated?.exitCode, 0)
    assert.equal(containerStatus(ended, 'app').restartCount, 0)
  },

  async 'init-container-fail-restartalways'(context) {
    const initContainers = [noting(context, 'init1', 'false'), noting(context, 'init2', 'true')]
    const made = await createPod(context, { volumes, initContainers, containers: [noting(context, 'app', STAY)] })
    const failing = await untilPod(context, made, 'has restarted its first init container three times', (seen) => {
      if (!seen.status.initContainerStatuses?.length) return false
      assertNeverStarted(seen)
      return (initStatus(seen, 'init1')?.restartCount ?? 0) >= 3
    })
    assert.equal(failing.status.phase, 'Pending')
    assert.equal(initialized(failing), 'False')
    assert.ok(initStatus(failing, 'init2')?.state?.waiting)
  },

  async 'init-container-fail-restartnever'(context) {
    const initContainers = [noting(context, 'init1', 'true'), noting(context, 'init2', 'false'), noting(context, 'init3', 'true')]
    const ended = await finishPod(context, { volumes, initContainers, containers: [noting(context, 'app', STAY)] })
    assert.equal(ended.status.phase, 'Failed')
    await holds(context, 3, async () => {
      const later = await context.client.get(pod, ended.metadata)
      assert.equal(initStatus(later, 'init1')?.state?.terminated?.exitCode, 0)
      assert.equal(initStatus(later, 'init2')?.state?.terminated?.exitCode, 1)
      assert.equal(initStatus(later, 'init2')?.restartCount, 0)
      assert.ok(initStatus(later, 'init3')?.state?.waiting)
      assertNeverStarted(later)
      assert.equal(initialized(later), 'False')
    })
  },
}
