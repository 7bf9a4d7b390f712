import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored } from '../../testing/rules.ts'
import { apiService } from './api-service.ts'

const of = (spec: Loose = {}, name = 'v1.wardle.example.com'): Loose => ({
  metadata: { name },
  spec: { group: 'wardle.example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, ...spec },
})
const service = { name: 'api', namespace: 'wardle' }

describe('an API service', () => {
  it.each<[what: string, manifest: Loose, errors: string[]]>([
    ['served here', of(), []],
    ['behind a Service', of({ service, caBundle: 'aGk=' }), []],
    [
      'of another name than its group and version',
      of({}, 'v2.wardle.example.com'),
      ['metadata.name: Invalid value: "v2.wardle.example.com": must be `spec.version+"."+spec.group`: "v1.wardle.example.com"'],
    ],
    [
      'without priority',
      of({ groupPriorityMinimum: 0 }),
      ['spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000'],
    ],
    [
      'whose certificate is asked for and not looked at',
      of({ service, caBundle: 'aGk=', insecureSkipTLSVerify: true }),
      ['spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present'],
    ],
    ['behind a Service without a name', of({ service: { namespace: 'wardle' } }), ['spec.service.name: Required value']],
  ])('%s', (_, manifest, errors) => {
    expect(created(apiService, manifest).errors).toEqual(errors)
  })

  it('shows where it is served and why it is not', () => {
    const conditions = [{ type: 'Available', status: 'False', reason: 'ServiceNotFound' }]
    const object = stored(apiService, { ...of({ service }), status: { conditions } })
    expect(object.spec.service?.port).toBe(443)
    expect(row(apiService, object)).toMatchObject({ Service: 'wardle/api', Available: 'False (ServiceNotFound)' })
    expect(row(apiService, created(apiService, of()).object)).toMatchObject({ Service: 'Local', Available: 'Unknown' })
  })
})
