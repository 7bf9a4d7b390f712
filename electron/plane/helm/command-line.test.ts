import { describe, expect, it } from 'vitest'
import type { HelmOperation } from '../../contracts/helm.ts'
import { commandText, wordsOf } from './command-line.ts'

const release = { name: 'web', namespace: 'shop' }
const waiting = { wait: true, timeoutSeconds: 300 }
const install: HelmOperation = {
  type: 'install',
  ...release,
  ...waiting,
  chart: { type: 'repository', url: 'https://charts.example.com', chart: 'web', version: '1.2.0' },
  values: 'a: 1\n',
  undoOnFailure: true,
  createNamespace: true,
}

describe('wordsOf', () => {
  it('installs from a repository, by the name that each Helm has for taking a failure back', () => {
    const rest = '--wait --timeout 300s --namespace shop --debug'
    const start = 'helm install web web --repo https://charts.example.com --version 1.2.0 --create-namespace --values values.yaml'
    expect(commandText(wordsOf(install, 3, { values: 'values.yaml' }))).toBe(`${start} --atomic ${rest}`)
    expect(commandText(wordsOf(install, 4, { values: 'values.yaml' }))).toBe(`${start} --rollback-on-failure ${rest}`)
  })

  it('asks the server for a preview, and neither waits nor undoes', () => {
    const words = wordsOf(install, 4, {}, true)
    expect(words).toContain('--dry-run=server')
    expect(words).not.toContain('--wait')
    expect(words).not.toContain('--rollback-on-failure')
  })

  it('upgrades with the values given and no others, and overrides other owners of fields only in Helm 4', () => {
    const upgrade: HelmOperation = {
      type: 'upgrade',
      ...release,
      wait: false,
      timeoutSeconds: 60,
      chart: { type: 'oci', reference: 'oci://registry.example.com/charts/web' },
      values: ' ',
      undoOnFailure: false,
      forceConflicts: true,
    }
    const start = 'helm upgrade web oci://registry.example.com/charts/web --reset-values'
    expect(commandText(wordsOf(upgrade, 3, { values: 'values.yaml' }))).toBe(`${start} --timeout 60s --namespace shop --debug`)
    expect(commandText(wordsOf(upgrade, 4, {}))).toBe(`${start} --force-conflicts --timeout 60s --namespace shop --debug`)
  })

  it('rolls back, uninstalls and tests', () => {
    const text = (operation: HelmOperation) => commandText(wordsOf(operation, 3, {}))
    expect(text({ type: 'rollback', ...release, ...waiting, revision: 2, forceConflicts: false })).toBe(
      'helm rollback web 2 --wait --timeout 300s --namespace shop --debug',
    )
    expect(text({ type: 'uninstall', ...release, ...waiting, keepHistory: true })).toBe(
      'helm uninstall web --keep-history --wait --timeout 300s --namespace shop --debug',
    )
    expect(text({ type: 'test', ...release, timeoutSeconds: 60 })).toBe('helm test web --timeout 60s --namespace shop --debug')
  })

  it('quotes what a shell would take apart', () => {
    expect(commandText(['install', 'web', "/home/mira/it's mine"])).toBe(String.raw`helm install web '/home/mira/it'\''s mine'`)
  })
})
