/** What differs from run to run is printed as a name in angle brackets; columns are two spaces apart. */

/** Letters and digits that Kubernetes makes random parts of names from. */
const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]'

/** Of what is minutes old, or was made in January 2026, as kubectl tells it. */
const AGE = '(?:\\d{1,3}s|[1-9]m(?:\\d{1,2}s)?|[1-5]\\dm(?:\\d{1,2}s)?|\\d{2,3}d|\\dy(?:\\d{1,3}d)?)'

const RULES: readonly (readonly [RegExp, string])[] = [
  // klog's heads: severity, time, thread, place.
  [/^([EWI])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\] /gm, '$1 '],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<time>'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>'],
  [/(resourceVersion"?: ?"?|Resource Version: +|resourceVersion=)\d+/g, '$1<version>'],
  [/https:\/\/127\.0\.0\.1:\d+/g, '<server>'],
  [/\b127\.0\.0\.1:\d+/g, '<host>'],
  [/\b10\.96\.(?!0\.1\b|0\.10\b|0\.0\/)\d+\.\d+\b/g, '<cluster-ip>'],
  [/\b100\.6[4-9]\.\d+\.\d+\b/g, '<pod-ip>'],
  [/\b10\.19[2-9]\.\d+\.\d+\b/g, '<node-ip>'],
  [/(?<!-)\b3[0-2]\d{3}\b(?!-)/g, '<node-port>'],
  [new RegExp(`-${RANDOM}{8,10}-${RANDOM}{5}\\b`, 'g'), '-<hash>-<id>'],
  [new RegExp(`-${RANDOM}{8,10}\\b`, 'g'), '-<hash>'],
  [new RegExp(`(pod-template-hash"?[:=] ?"?|controller-revision-hash"?[:=] ?"?)${RANDOM}{8,10}\\b`, 'g'), '$1<hash>'],
  [new RegExp(`-${RANDOM}{5}(?=\\b(?!=))`, 'g'), '-<id>'],
  [/X509SHA256=[0-9a-f]{64}/g, 'X509SHA256=<hash>'],
  [/(?<=Expected resource version to be \d+, was )\d+/g, '<version>'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, '<time>'],
  [new RegExp(`\\b${AGE}(?= ago\\b| old\\b)`, 'g'), '<age>'],
  // A cell of its own, which may say how often.
  [new RegExp(`(?<= {2}|\\t|^)${AGE}(?: \\(x\\d+ over ${AGE}\\))?(?= {2}|$)`, 'gm'), '<age>'],
  [/(?<=\S) {2,}(?=\S)/g, '  '],
  [/[ \t]+$/gm, ''],
]

/** `dir`: the folder that commands run in. */
export function normalise(text: string, dir: string): string {
  let told = text.replaceAll('\r\n', '\n').replaceAll(dir, '<dir>')
  for (const [pattern, name] of RULES) told = told.replace(pattern, name)
  return told.replace(/^\n+/, '').trimEnd()
}
