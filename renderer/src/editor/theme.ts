import { EditorView } from '@codemirror/view'

/** The editor in the tokens' colours; it follows the theme by itself. */
export const theme = EditorView.theme({
  '&': { height: '100%', background: 'var(--surface)', color: 'var(--text)', font: 'var(--t-code)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { font: 'var(--t-code)', fontVariantLigatures: 'none' },
  '.cm-content': { padding: '6px 0', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 12px 0 6px' },
  '.cm-gutters': { background: 'var(--surface)', color: 'var(--text-3)', border: '0', paddingLeft: '6px' },
  '.cm-activeLine, .cm-activeLineGutter': { background: 'var(--hover)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in oklab, var(--accent) 26%, transparent) !important',
  },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { background: 'var(--press)', color: 'inherit' },
  '.cm-foldPlaceholder': { background: 'var(--sunken)', border: '1px solid var(--line-2)', color: 'var(--text-3)' },
  '.cm-panels': { background: 'var(--sunken)', color: 'var(--text)', borderColor: 'var(--line-2)' },
  '.cm-textfield': { background: 'var(--surface)', border: '1px solid var(--line-2)', borderRadius: 'var(--r-2)' },
  '.cm-button': { background: 'var(--raised)', backgroundImage: 'none', border: '1px solid var(--line-2)', borderRadius: 'var(--r-2)' },
  '.cm-searchMatch': { background: 'color-mix(in oklab, var(--warn) 38%, transparent)' },
  '.cm-searchMatch-selected': { background: 'color-mix(in oklab, var(--warn) 75%, transparent)' },
  '.cm-tooltip': {
    background: 'var(--raised)',
    border: '1px solid var(--line-3)',
    borderRadius: 'var(--r-2)',
    boxShadow: 'var(--shadow-2)',
  },
  '.cm-diagnostic': { padding: '6px 10px', borderLeft: '2px solid var(--err)', font: 'var(--t-small)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--err) 1px', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--warn) 1px', textUnderlineOffset: '3px' },
  '.cm-line-bad': { background: 'var(--err-tint)', boxShadow: 'inset 2px 0 0 var(--err)' },
  '.cm-line-hot': { background: 'var(--accent-tint)', boxShadow: 'inset 2px 0 0 var(--accent)' },
  '.cm-y-key': { color: 'var(--syn-key)' },
  '.cm-y-str': { color: 'var(--syn-str)' },
  '.cm-y-num': { color: 'var(--syn-num)' },
  '.cm-y-dim': { color: 'var(--text-3)' },
})
