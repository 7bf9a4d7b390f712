import type { EventRecorder } from '../../client/event-recorder.ts'
import type { EventSink } from './events.ts'

/** Hands events to the client's recorder, which counts, combines and limits them. */
export function recorderSink(recorder: EventRecorder): EventSink {
  return {
    event({ apiVersion = 'v1', kind = '', name = '', namespace, uid = '', resourceVersion = '', fieldPath }, type, reason, message) {
      const metadata = { name, uid, resourceVersion, creationTimestamp: '', ...(namespace === undefined ? {} : { namespace }) }
      recorder.event({ apiVersion, kind, metadata }, type, reason, message, fieldPath)
    },
  }
}
