import { expect, test } from 'vitest'
import { PodInfo } from '../snapshot/pod-info.ts'
import { podOf } from '../testing/objects.ts'
import { Nominator } from './nominator.ts'

const promised = (node: string) => {
  const pod = podOf('web')
  return new PodInfo({ ...pod, status: { ...pod.status, nominatedNodeName: node } })
}
const plain = new PodInfo(podOf('web'))

test('keeps a pod under the node that it was promised last', () => {
  const nominator = new Nominator()
  nominator.set(plain, 'a')
  nominator.set(plain, 'b')
  expect([nominator.onNode('a'), nominator.onNode('b'), nominator.size]).toEqual([[], [plain], 1])
  nominator.set(plain, '')
  expect(nominator.size).toBe(0)
})

test('goes by the pod’s status where the scheduler says nothing', () => {
  const nominator = new Nominator()
  nominator.set(promised('a'), undefined)
  expect(nominator.nodeOf(plain.uid)).toBe('a')
})

test('keeps a promise that is not written down yet when the pod changes otherwise', () => {
  const nominator = new Nominator()
  nominator.set(plain, 'a')
  nominator.update(plain, new PodInfo(podOf('web', { labels: { x: 'y' } })))
  expect(nominator.nodeOf(plain.uid)).toBe('a')
  nominator.update(promised('a'), plain)
  expect(nominator.nodeOf(plain.uid)).toBeUndefined()
})
