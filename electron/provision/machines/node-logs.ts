/** What a machine itself has written down: the services of Flotilla, the kernel, and the system's journal. */
import { LAYOUT, UNITS } from '../layout.ts'

export const LOG_SOURCES = ['agent', 'containerd', 'kernel', 'system'] as const
export type LogSource = (typeof LOG_SOURCES)[number]

/** A script for root that prints the last lines, and with `follow` each further one until its input ends. Says on stderr what is missing. */
export function logScript(source: LogSource, lines: number, follow: boolean): string {
  const script = printing(source, lines, follow)
  if (!follow) return script
  return `exec 3<&0
(
${script}
) < /dev/null &
child=$!
{ cat <&3 > /dev/null; kill $child 2>/dev/null; } &
watching=$!
wait $child
code=$?
kill $watching 2>/dev/null
exit $code`
}

function printing(source: LogSource, lines: number, follow: boolean): string {
  const more = follow ? '-f ' : ''
  const journal = (what: string) => `exec journalctl -q --no-pager -o short-iso -n ${lines} ${more}${what}`
  const file = (path: string) => `exec tail -n ${lines} ${follow ? '-F ' : ''}${path}`
  const hasJournal = '[ -d /run/systemd/system ] && command -v journalctl >/dev/null 2>&1'
  switch (source) {
    case 'agent':
    case 'containerd':
      return `if ${hasJournal}; then ${journal(`-u ${UNITS[source]}`)}; fi
[ -r ${LAYOUT.logs}/${source}.log ] || { echo "There is no log of ${source} here." >&2; exit 1; }
${file(`${LAYOUT.logs}/${source}.log`)}`
    case 'kernel':
      return `if ${hasJournal}; then ${journal('-k')}; fi
command -v dmesg >/dev/null 2>&1 || { echo "There is neither journalctl nor dmesg here." >&2; exit 1; }
${follow ? `if dmesg --help 2>&1 | grep -q -- --follow; then exec dmesg --follow; fi\n` : ''}dmesg | tail -n ${lines}`
    case 'system':
      return `if ${hasJournal}; then ${journal('')}; fi
for log in /var/log/syslog /var/log/messages; do [ ! -r $log ] || ${file('$log')}; done
echo "There is no journal and no syslog here." >&2
exit 1`
  }
}
