import { describe, expect, it } from 'vitest'
import { createListener, progressOf } from './progress.ts'

const three = (message: string) => `client.go:142: 2026-11-21 21:33:03.108158934 +0000 UTC m=+0.599331546 [debug] ${message}`
const four = (message: string, fields = '') => `level=DEBUG msg="${message}"${fields}`

describe('progressOf', () => {
  it.each([
    [three('CHART PATH: /charts/web'), 'prepare', ''],
    [three('creating 15 resource(s)'), 'apply', ''],
    [three('Patch Deployment "web" in namespace shop'), 'apply', 'Deployment web'],
    [three('Looks like there are no changes for Secret "web"'), 'apply', 'Secret web'],
    [three('beginning wait for 15 resources with timeout of 10s'), 'wait', ''],
    [
      three('StatefulSet is not ready: shop/db. 1 out of 2 expected pods have been scheduled'),
      'wait',
      /^StatefulSet is not ready: shop\/db\./,
    ],
    [three('Starting delete for "web" Ingress'), 'delete', 'Ingress web'],
    [four('Chart path', ' path=/charts/web'), 'prepare', ''],
    [four('Created resource via patch', ' namespace=shop name=web gvk="apps/v1, Kind=Deployment"'), 'apply', 'Deployment web'],
    [four('Patched resource', ' namespace=shop name=web gvk="/v1, Kind=Secret"'), 'apply', 'Secret web'],
    [
      four('waiting for resource', ' namespace=shop name=web kind=Deployment expectedStatus=Current actualStatus=InProgress'),
      'wait',
      'Deployment web: InProgress',
    ],
    [four('starting delete resource', ' namespace=shop name=web kind=Job'), 'delete', 'Job web'],
  ])('knows where Helm is from %s', (line, phase, detail) => {
    expect(progressOf(line)).toEqual({ phase, detail: typeof detail === 'string' ? detail : (expect.stringMatching(detail) as string) })
  })

  it('makes nothing of other lines', () => {
    expect(progressOf(three('Clearing REST mapper cache'))).toBeNull()
    expect(progressOf('Error: UPGRADE FAILED: timed out')).toBeNull()
  })
})

describe('a listener', () => {
  it('keeps values and manifests to itself, and tells state, notes and errors', () => {
    const listen = createListener()
    const said: [string, boolean][] = [
      ['STATUS: deployed', false],
      ['USER-SUPPLIED VALUES:', false],
      ['password: hunter2', false],
      ['NOTES:', false],
      ['Open http://web', false],
      [three('Patch Secret "web" in namespace shop'), true],
      ['Error: UPGRADE FAILED: timed out', true],
      ['helm.sh/helm/v3/cmd/helm/install.go:158', true],
      ['\truntime/proc.go:272', true],
    ]
    expect(said.map(([line, error]) => listen(line, error).told).filter((told) => told !== null)).toEqual([
      'STATUS: deployed',
      'NOTES:',
      'Open http://web',
      'Error: UPGRADE FAILED: timed out',
    ])
  })
})
