import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { configMap } from '../../../api/core/v1/config-map.ts'
import { startTestServer } from '../../../apiserver/testing/harness.ts'
import { Emitter } from '../../../base/events.ts'
import { silentLogger as logger } from '../../../base/logger.ts'
import { seededRandom } from '../../../base/random.ts'
import { faultyClient, type Faults } from '../../../client/testing/faulty-client.ts'
import { Checkpoints } from '../../checkpoint/checkpoints.ts'
import { WatchedObject } from './watched-object.ts'

it('is read anew as soon as the control plane is back, however long it was away', async () => {
  await using undo = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'watched-'))
  undo.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  await using server = await startTestServer()
  const { clock } = server
  const at = { namespace: 'default', name: 'settings' }
  await server.client.create(configMap, { metadata: at, data: { colour: 'red' } })
  const random = seededRandom(1)
  const faults: Faults = {}
  const client = faultyClient(server.client, faults, random)
  const retryNow = new Emitter<void>()
  const checkpoints = new Checkpoints(dir, { random, logger })
  const colour = async () => (await watched.get())?.data?.['colour']
  const watched = new WatchedObject(configMap, at, { client, checkpoints, clock, random, logger, retryNow }, () => undefined)
  undo.defer(() => watched.stop())
  await expect.poll(colour).toBe('red')

  faults.partitioned = true
  await server.client.patch(configMap, at, { type: 'merge', body: { data: { colour: 'green' } } })
  for (let passed = 0; passed < 120; passed++) await clock.advance(1000)
  faults.partitioned = false
  await server.client.patch(configMap, at, { type: 'merge', body: { data: { colour: 'blue' } } })
  expect(await colour()).toBe('red')
  retryNow.emit()
  await expect.poll(colour).toBe('blue')
})
