/** Colours for YAML from its syntax tree: keys, quoted text, numbers and words that stand for values, comments. */
import { syntaxTree } from '@codemirror/language'
import { RangeSetBuilder } from '@codemirror/state'
import { Decoration, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from '@codemirror/view'

const key = Decoration.mark({ class: 'cm-y-key' })
const text = Decoration.mark({ class: 'cm-y-str' })
const value = Decoration.mark({ class: 'cm-y-num' })
const dim = Decoration.mark({ class: 'cm-y-dim' })
/** Numbers, quantities, true, false, null. */
const VALUE = /^(?:[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:[numkMGTPE]|[KMGTPE]i)?|0x[\da-fA-F]+|true|false|null|~)$/

function decorate(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>()
  const tree = syntaxTree(view.state)
  for (const { from, to } of view.visibleRanges) {
    tree.iterate({
      from,
      to,
      enter(node) {
        switch (node.name) {
          case 'Key':
            builder.add(node.from, node.to, key)
            return false
          case 'QuotedLiteral':
          case 'BlockLiteralContent':
            builder.add(node.from, node.to, text)
            return false
          case 'Literal':
            if (VALUE.test(view.state.sliceDoc(node.from, node.to))) builder.add(node.from, node.to, value)
            return false
          case 'Comment':
          case 'DirectiveEnd':
          case 'DocEnd':
            builder.add(node.from, node.to, dim)
            return false
          default:
            return true
        }
      },
    })
  }
  return builder.finish()
}

export const highlight = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = decorate(view)
    }
    update(update: ViewUpdate): void {
      if (update.docChanged || update.viewportChanged || syntaxTree(update.startState) !== syntaxTree(update.state))
        this.decorations = decorate(update.view)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)
