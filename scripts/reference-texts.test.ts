import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { FACTS } from '../electron/api/schema/facts.ts'
import { referenceText } from './reference-texts.ts'

const CORE = 'io.k8s.api.core.v1'

it('says what a field is for, not once more what its model is', async () => {
  await using undo = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'descriptions-'))
  undo.defer(() => rm(dir, { recursive: true }))
  const file = join(dir, 'descriptions.json')
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'descriptions.ts'), file])
  const texts = JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, string>>
  const repeated: string[] = []
  for (const [model, { properties = {} }] of Object.entries(FACTS))
    for (const [field, { $ref }] of Object.entries(properties)) {
      const own = texts[model]?.[field]
      if ($ref !== undefined && own !== undefined && own === texts[$ref.split('/').at(-1) ?? '']?.['']) repeated.push(`${model}.${field}`)
    }
  expect(repeated).toEqual([])
  expect(texts[`${CORE}.Pod`]?.['spec']).toMatch(/^What is wanted of the Pod\./)
  const untold = ['Pod', 'PodSpec', 'Container', 'Probe', 'Volume'].flatMap((name) =>
    Object.keys(FACTS[`${CORE}.${name}`]?.properties ?? {}).filter((field) => !texts[`${CORE}.${name}`]?.[field]),
  )
  expect(untold).toEqual([])
})

it('tells fields of one name apart by what they refer to', () => {
  const pod = referenceText(`${CORE}.PodSpec`, 'securityContext', `${CORE}.PodSecurityContext`)
  expect(pod).toContain('whole pod')
  expect(referenceText(`${CORE}.Container`, 'securityContext', `${CORE}.SecurityContext`)).not.toBe(pod)
  expect(referenceText(`${CORE}.Volume`, 'nfs', `${CORE}.NFSVolumeSource`)).toContain('kind nfs')
})
