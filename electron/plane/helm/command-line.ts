/** An operation as the words of a command line, for Helm 3 and 4. */
import type { ChartSource, HelmOperation } from '../../contracts/helm.ts'

export interface Files {
  /** The chart's folder or archive, instead of the path in the source. */
  readonly chart?: string | undefined
  /** The file with the values. */
  readonly values?: string | undefined
}

/** The words after `helm`. `preview`: what the API server would be asked, with nothing changed, as JSON. */
export function wordsOf(operation: HelmOperation, major: 3 | 4, files: Files, preview = false): string[] {
  const { type, name, namespace } = operation
  const waiting = 'wait' in operation ? [...(operation.wait ? ['--wait'] : []), '--timeout', `${operation.timeoutSeconds}s`] : []
  const words = (): string[] => {
    switch (operation.type) {
      case 'install':
      case 'upgrade': {
        const undo = operation.undoOnFailure ? [major === 3 ? '--atomic' : '--rollback-on-failure'] : []
        const values = operation.values?.trim() && files.values ? ['--values', files.values] : []
        const own =
          operation.type === 'install'
            ? operation.createNamespace
              ? ['--create-namespace']
              : []
            : // Without it Helm would keep what was set before and is no longer in the values.
              ['--reset-values', ...(operation.forceConflicts && major === 4 ? ['--force-conflicts'] : [])]
        const ending = preview ? ['--dry-run=server', '--output', 'json'] : [...undo, ...waiting]
        return [...chartWords(operation.chart, files.chart), ...own, ...values, ...ending]
      }
      case 'rollback':
        return [String(operation.revision), ...(operation.forceConflicts && major === 4 ? ['--force-conflicts'] : []), ...waiting]
      case 'uninstall':
        return [...(operation.keepHistory ? ['--keep-history'] : []), ...waiting]
      case 'test':
        return ['--timeout', `${operation.timeoutSeconds}s`]
    }
  }
  return [type, name, ...words(), '--namespace', namespace, ...(preview ? [] : ['--debug'])]
}

/** How a chart is named on a command line. */
export function chartWords(chart: ChartSource, file?: string): string[] {
  switch (chart.type) {
    case 'path':
      return [file ?? chart.path]
    case 'kept':
      return [file ?? '']
    case 'oci':
      return [chart.reference, ...(chart.version ? ['--version', chart.version] : [])]
    case 'repository':
      return [chart.chart, '--repo', chart.url, ...(chart.version ? ['--version', chart.version] : [])]
  }
}

/** As a person would type it into a shell. */
export const commandText = (words: readonly string[]): string => ['helm', ...words].map(quoted).join(' ')

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)
