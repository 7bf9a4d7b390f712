import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { storageClass } from './storage-class.ts'

const of = (more: Loose = {}): Loose => ({ provisioner: 'a.b/c', ...more })
const topology = (...matchLabelExpressions: Loose[]) => of({ allowedTopologies: [{ matchLabelExpressions }] })
const AT = 'allowedTopologies[0].matchLabelExpressions'

describe('a storage class', () => {
  it('deletes volumes and makes them at once, unless it says otherwise', () => {
    expect(created(storageClass, of()).object).toMatchObject({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' })
  })

  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['an ordinary one', of({ parameters: { a: '' } }), []],
    ['of nobody', of({ provisioner: '' }), ['provisioner: Required value']],
    [
      'with words that nobody knows',
      of({ reclaimPolicy: 'Recycle', volumeBindingMode: 'Never' }),
      [
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        'volumeBindingMode: Unsupported value: "Never": supported values: "Immediate", "WaitForFirstConsumer"',
      ],
    ],
    ['with a parameter without a name', of({ parameters: { '': 'a' } }), ['parameters: Invalid value: "": field can not be empty.']],
    ['with much to say', of({ parameters: { a: 'x'.repeat(256 * 1024) } }), ['parameters: Too long: may not be more than 262144 bytes']],
    [
      'of places that are none',
      topology({ key: 'zone', values: [] }, { key: 'zone', values: ['a', 'a'] }),
      [`${AT}[0].values: Required value`, `${AT}[1].values[1]: Duplicate value: "a"`, `${AT}[1].key: Duplicate value: "zone"`],
    ],
  ])('%s', (_, manifest, errors) => {
    expect(created(storageClass, manifest).errors).toEqual(errors)
  })

  it('keeps what volumes were made by', () => {
    const outcome = updated(storageClass, stored(storageClass, of()), (object) => {
      Object.assign(object, {
        parameters: { a: 'b' },
        provisioner: 'x.y/z',
        reclaimPolicy: 'Retain',
        volumeBindingMode: 'WaitForFirstConsumer',
        allowVolumeExpansion: true,
      })
    })
    expect(outcome.errors).toEqual([
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ])
  })

  it('is shown as the default one if it is', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
    expect(row(storageClass, stored(storageClass, { metadata: { annotations }, ...of() }))).toEqual({
      Name: 'one (default)',
      Provisioner: 'a.b/c',
      ReclaimPolicy: 'Delete',
      VolumeBindingMode: 'Immediate',
      AllowVolumeExpansion: false,
      Age: '60m',
    })
    expect(row(storageClass, stored(storageClass, of()))['Name']).toBe('one')
  })
})
