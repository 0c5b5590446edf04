/**
 * A client of one's own: a whole visitor's chat by the public API and the official `centrifuge`
 * package. Begin here, then read
 *
 *   visitor/chat.ts      what happens when; it brings the following together
 *   visitor/session.ts   who the visitor is: init, refresh, the token
 *   visitor/outbox.ts    messages on their way, kept until the server has them
 *   visitor/realtime.ts  the live channel
 *   visitor/store.ts     what the client knows, and how snapshot, events and answers change it
 *   visitor/view.ts      the page, with log.ts, rows.ts and dom.ts
 *
 * The page says where the server is and which site this is, in two meta elements.
 */
import { createCall } from './visitor/api'
import { createChat } from './visitor/chat'
import { createSeenReporter } from './visitor/seen'
import { openMemory } from './visitor/storage'
import { createTypingSignal } from './visitor/typing'
import { createView } from './visitor/view'

function readMeta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="karibu:${name}"]`)?.content ?? ''
}

const widgetKey = readMeta('key')
const scope = `karibu.${widgetKey}.`
const memory = openMemory(scope)
let newestFromOthers = 0

const typing = createTypingSignal((state) => chat.sayTyping(state))
const seen = createSeenReporter(
  () => (view.isAtEnd() ? newestFromOthers : null),
  (messageId) => chat.saySeen(messageId),
)
const view = createView({
  send(content) {
    chat.send(content)
    typing.stopped()
  },
  retry: (id) => chat.retry(id),
  discard: (id) => chat.discard(id),
  typed: typing.typed,
  loadEarlier: () => chat.loadEarlier(),
  startNew: () => chat.startNew(),
  startOver() {
    for (const key of memory.keys('')) memory.remove(key)
    location.reload()
  },
  looked: seen.check,
})
const chat = createChat({
  call: createCall(readMeta('base')),
  memory,
  widgetKey,
  onChange(state) {
    newestFromOthers = state.messages.findLast(({ sender }) => sender !== 'CONTACT')?.id ?? 0
    view.render(state)
  },
})

window.addEventListener('online', chat.resume)
window.addEventListener('storage', ({ key, oldValue }) => {
  // Another tab has started over: what is on this page belongs to a visitor who is gone.
  if (key === `${scope}visitor_id` && oldValue !== null) location.reload()
})
void chat.start()
