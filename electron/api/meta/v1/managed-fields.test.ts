import { expect, it } from 'vitest'
import { withoutManagedFields } from './managed-fields.ts'
import type { ObjectMeta } from './object.ts'

it('leaves field ownership out without reading it', () => {
  const metadata = Object.defineProperty({ name: 'a', labels: { x: '1' } }, 'managedFields', {
    enumerable: true,
    get: () => {
      throw new Error('it was read')
    },
  }) as unknown as ObjectMeta
  expect(withoutManagedFields(metadata)).toEqual({ name: 'a', labels: { x: '1' } })
})
