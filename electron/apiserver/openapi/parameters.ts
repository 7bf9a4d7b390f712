/** Parameters of requests. Source: apimachinery meta/v1 options, core/v1 PodLogOptions and its kin. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly type: 'string' | 'integer' | 'boolean'
  readonly description: string
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description })
const inPath = (name: string, description: string): Parameter => ({ name, in: 'path', type: 'string', description })

export const PATH_PARAMETERS = [
  inPath('name', 'name of the object'),
  inPath('namespace', 'object name and auth scope, such as for teams and projects'),
  inPath('path', 'path of the resource behind the proxy'),
]

export const PRETTY = query('pretty', 'string', 'If "true", the output is indented.')

export const LIST_QUERY = [
  query('allowWatchBookmarks', 'boolean', 'Asks for BOOKMARK events, which carry a resource version and no change.'),
  query('continue', 'string', 'The token of the page before, to go on with a list where it ended.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
  query('limit', 'integer', 'The most objects that one answer holds; a continue token then leads to the rest.'),
  query('resourceVersion', 'string', 'Which resource versions a request may be served from; for a watch, after which it begins.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant for a list: Exact or NotOlderThan.'),
  query('sendInitialEvents', 'boolean', 'Begins a watch with the present objects, followed by a bookmark.'),
  query('timeoutSeconds', 'integer', 'Seconds after which a list or watch ends, whatever happens.'),
  query('watch', 'boolean', 'Answers with a stream of changes instead of a list.'),
]

const DRY_RUN = query('dryRun', 'string', 'With "All" the request is checked to its end and nothing is stored.')

export const WRITE_QUERY = [
  DRY_RUN,
  query('fieldManager', 'string', 'Who makes the change, as it is recorded in managedFields. At most 128 printable characters.'),
  query('fieldValidation', 'string', 'What becomes of unknown and duplicate fields: Ignore, Warn (the default) or Strict.'),
]

export const FORCE = query('force', 'boolean', 'Takes fields over from other managers. Only for apply patches.')

export const DELETE_QUERY = [
  DRY_RUN,
  query('gracePeriodSeconds', 'integer', 'Seconds that the object has to end; 0 deletes it at once.'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean', 'Deletes an object that can no longer be read.'),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
]

export const LOG_QUERY = [
  query('container', 'string', 'The container to read from; needed if there is more than one.'),
  query('follow', 'boolean', 'Goes on with what is written from now on.'),
  query('insecureSkipTLSVerifyBackend', 'boolean', "Has no effect: the node's certificate is always verified."),
  query('limitBytes', 'integer', 'Ends after so many bytes.'),
  query('previous', 'boolean', 'Reads from the container before its last restart.'),
  query('sinceSeconds', 'integer', 'Only what is younger than so many seconds.'),
  query('sinceTime', 'string', 'Only what was written after this time (RFC 3339).'),
  query('stream', 'string', 'All, Stdout or Stderr.'),
  query('tailLines', 'integer', 'Only the last lines.'),
  query('timestamps', 'boolean', 'Begins each line with its time.'),
]

const STREAMS = [
  query('container', 'string', 'The container; needed if there is more than one.'),
  query('stderr', 'boolean', 'Carries the standard error.'),
  query('stdin', 'boolean', 'Carries the standard input.'),
  query('stdout', 'boolean', 'Carries the standard output.'),
  query('tty', 'boolean', 'Gives the process a terminal.'),
]

/** By subresource. */
export const STREAM_QUERY: Readonly<Record<string, readonly Parameter[]>> = {
  attach: STREAMS,
  exec: [query('command', 'string', 'The program and its arguments, one after the other; not a shell command.'), ...STREAMS],
  portforward: [query('ports', 'integer', 'Ports to forward; needed with WebSockets.')],
  proxy: [query('path', 'string', 'The path behind the proxy.')],
}
