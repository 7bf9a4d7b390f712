/** Whole lines that are marked: where something is wrong, or what has just changed. */
import { StateEffect, StateField, type Text } from '@codemirror/state'
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view'

export interface LineMark {
  /** From 1. */
  readonly line: number
  readonly kind: 'bad' | 'hot'
}

export const setMarks = StateEffect.define<readonly LineMark[]>()

const BAD = Decoration.line({ class: 'cm-line-bad' })
const HOT = Decoration.line({ class: 'cm-line-hot' })

function decorate(doc: Text, marks: readonly LineMark[]): DecorationSet {
  const inside = marks.filter((mark) => mark.line >= 1 && mark.line <= doc.lines)
  return Decoration.set(
    inside.map((mark) => (mark.kind === 'bad' ? BAD : HOT).range(doc.line(mark.line).from)),
    true,
  )
}

export const lineMarks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return decorate(transaction.newDoc, effect.value)
    return marks.map(transaction.changes)
  },
  provide: (field) => EditorView.decorations.from(field),
})
