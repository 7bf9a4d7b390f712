/** What Helm says with --debug, in steps that a person can follow. Helm 3 writes "file.go:12: TIME [debug] …", Helm 4 `level=DEBUG msg="…" key=value`. */

export interface Progress {
  readonly phase: 'prepare' | 'apply' | 'wait' | 'delete'
  /** "Deployment web", "StatefulSet is not ready: shop/db. 1 out of 2 …"; may be empty. */
  readonly detail: string
}

/** Null for a line that says nothing of where Helm is. */
export function progressOf(line: string): Progress | null {
  const three = /\[debug\] (.*)$/.exec(line)
  if (three) return ofThree(three[1] ?? '')
  const four = /^level=\w+ msg="((?:[^"\\]|\\.)*)"(.*)$/.exec(line)
  return four ? ofFour(four[1] ?? '', fieldsOf(four[2] ?? '')) : null
}

function ofThree(message: string): Progress | null {
  const changed = /^(?:Patch|Created a new|Looks like there are no changes for) (\S+) (?:called )?"([^"]+)"/.exec(message)
  if (changed) return { phase: 'apply', detail: `${changed[1]} ${changed[2]}` }
  const deleted = /^(?:Starting delete for|Deleting) "([^"]+)"(?: (\S+))?/.exec(message)
  if (deleted) return { phase: 'delete', detail: `${deleted[2] ?? ''} ${deleted[1]}`.trim() }
  if (/^\w+ is not ready: /.test(message)) return { phase: 'wait', detail: message }
  if (message.startsWith('beginning wait for ')) return { phase: 'wait', detail: '' }
  const watched = /^Watching for changes to (\S+ \S+)/.exec(message)
  if (watched) return { phase: 'wait', detail: watched[1] ?? '' }
  if (/^(?:creating|checking) \d+ resource/.test(message)) return { phase: 'apply', detail: '' }
  return /^(?:CHART PATH|preparing )/.test(message) ? { phase: 'prepare', detail: '' } : null
}

function ofFour(message: string, fields: Readonly<Record<string, string>>): Progress | null {
  const kind = fields['kind'] ?? /Kind=(\w+)/.exec(fields['gvk'] ?? '')?.[1] ?? ''
  const what = `${kind} ${fields['name'] ?? ''}`.trim()
  if (/^(?:Created|Patched|patching|no changes for) ?resource|^Created resource via patch|^checking resources for changes/i.test(message))
    return { phase: 'apply', detail: kind ? what : '' }
  if (message === 'starting delete resource') return { phase: 'delete', detail: what }
  if (message === 'waiting for resource') return { phase: 'wait', detail: `${what}: ${fields['actualStatus'] ?? ''}` }
  if (message.startsWith('waiting for resources')) return { phase: 'wait', detail: '' }
  return message === 'Chart path' ? { phase: 'prepare', detail: '' } : null
}

function fieldsOf(text: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [, key, quoted, bare] of text.matchAll(/ (\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g))
    fields[key ?? ''] = quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/g, '$1')
  return fields
}

/** Takes the lines of a program's debugging from what it tells a person. One for each run. */
export function createListener(): (line: string, error: boolean) => { progress: Progress | null; told: string | null } {
  let muted = false
  return (line, error) => {
    const progress = error ? progressOf(line) : null
    if (progress || /\[debug\]|^level=DEBUG/.test(line)) return { progress, told: null }
    if (!error) {
      // The values and manifests that --debug prints have secrets in them.
      if (line === 'USER-SUPPLIED VALUES:') muted = true
      else if (/^(?:NOTES|TEST SUITE):/.test(line)) muted = false
    } else {
      if (line.startsWith('Error: ')) muted = false
      // A stack trace follows the error, to the end.
      else if (/^(?:main\.|runtime\.|helm\.sh\/|github\.com\/|k8s\.io\/|(?:INSTALLATION|UPGRADE) FAILED$|\t)/.test(line))
        return { progress, told: null }
    }
    return { progress, told: muted || line.trim() === '' ? null : line }
  }
}
