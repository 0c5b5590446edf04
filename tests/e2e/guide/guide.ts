/**
 * The client of the integration guide's section 11, kept as it stands there: it proves that a
 * client which was written from the guide alone works. What the guide leaves open is below it.
 * Apart from types, only these lines differ: BASE comes from the page, `reconcile` is passed what
 * the guide names, and `window.guide` lets a test look inside.
 */
import { Centrifuge } from 'centrifuge'

declare global {
  interface Window {
    SemaswiftWidget: { key: string; base: string }
    guide: { send: typeof send; state: typeof state }
  }
}

const BASE = window.SemaswiftWidget.base
const cfg = window.SemaswiftWidget

let state: any = {
  visitorId: localStorage.getItem('semaswift.visitor_id'),
  sessionToken: localStorage.getItem('semaswift.session_token'),
  sessionExpiresAt: parseInt(localStorage.getItem('semaswift.session_expires_at') || '0', 10),
  engagementId: 0,
  messages: [],
  centrifuge: null,
  sub: null
}

async function init() {
  if (!state.visitorId) {
    state.visitorId = crypto.randomUUID()
    localStorage.setItem('semaswift.visitor_id', state.visitorId)
  }

  await ensureSession()
  const boot = await bootstrap()
  state.engagementId = boot.engagement_id
  state.messages = boot.messages
  render()
  startRealtime(boot)
}

async function ensureSession() {
  const now = Date.now() / 1000
  if (state.sessionToken && state.sessionExpiresAt > now + 300) return

  if (state.sessionToken) {
    try {
      const r = await fetch(`${BASE}/api/v1/auth/widget/session/refresh`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ session_token: state.sessionToken })
      })
      if (r.ok) {
        const j = await r.json()
        persistSession(j)
        return
      }
    } catch {}
  }

  const r = await fetch(`${BASE}/api/v1/auth/widget/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ widget_key: cfg.key, visitor_id: state.visitorId })
  })
  if (!r.ok) throw new Error(`init failed: ${r.status}`)
  persistSession(await r.json())
}

function persistSession(j: any) {
  state.sessionToken = j.session_token
  state.sessionExpiresAt = Math.floor(new Date(j.expires_at).getTime() / 1000)
  localStorage.setItem('semaswift.session_token', state.sessionToken)
  localStorage.setItem('semaswift.session_expires_at', String(state.sessionExpiresAt))
}

async function bootstrap() {
  const r = await fetch(`${BASE}/v1/webchat/bootstrap`, {
    method: 'POST',
    headers: { 'Authorization': `Bearer ${state.sessionToken}` }
  })
  if (!r.ok) throw new Error(`bootstrap failed: ${r.status}`)
  return r.json()
}

function startRealtime(boot: any) {
  state.centrifuge = new Centrifuge(boot.centrifugo_url, {
    token: boot.connection_token,
    getToken: async () => (await bootstrap()).connection_token
  })
  state.sub = state.centrifuge.newSubscription(boot.visitor_channel, {
    token: boot.subscription_token,
    getToken: async () => (await bootstrap()).subscription_token
  })
  state.sub.on('publication', ({ data }: any) => onEvent(data))
  state.centrifuge.on('connected', async () => {
    // Backfill any missed history.
    const fresh = await bootstrap()
    reconcile(fresh.messages)
  })
  state.centrifuge.connect()
  state.sub.subscribe()
}

function onEvent(env: any) {
  switch (env.type) {
    case 'message.new':
      if (!state.messages.some((m: any) => m.id === env.data.message_id)) {
        state.messages.push(env.data)
        render()
      }
      break
    case 'typing.started': showTyping(env.data); break
    case 'typing.stopped': hideTyping(env.data); break
    case 'engagement.assigned': setAgent(env.data.agent); break
    case 'engagement.closed': onClosed(env.data); break
  }
}

async function send(text: string) {
  const clientId = `cm-${crypto.randomUUID()}`
  const optimistic: any = { client_message_id: clientId, content: text, pending: true }
  state.messages.push(optimistic); render()

  const r = await fetch(`${BASE}/v1/webchat/messages`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Authorization': `Bearer ${state.sessionToken}`
    },
    body: JSON.stringify({
      engagement_id: state.engagementId,
      content: text,
      client_message_id: clientId
    })
  })
  if (r.status === 429) {
    optimistic.failed = true; optimistic.retryAfter = +r.headers.get('Retry-After')! || 5
    render(); return
  }
  if (!r.ok) { optimistic.failed = true; render(); return }
  const j = await r.json()
  state.engagementId = j.engagement_id
  Object.assign(optimistic, { id: j.message_id, pending: false })
  render()
}

init().catch(err => console.error('widget init failed', err))

// From here on: what the guide describes in words or leaves to the reader.

/** Section 4.3: "which you reconcile against your local state by message_id". */
function reconcile(messages: any[]) {
  for (const message of messages) {
    if (!state.messages.some((m: any) => m.id === message.id)) state.messages.push(message)
  }
  state.messages.sort((a: any, b: any) => (a.id ?? Infinity) - (b.id ?? Infinity))
  render()
}

/** One item per message, with what a test asks for as data attributes. */
function render() {
  const items = state.messages.map((message: any) => {
    const item = document.createElement('li')
    item.textContent = message.content
    const { id, message_id, client_message_id, pending, failed, retryAfter } = message
    const isAgent = (message.sender_type ?? message.sender?.type) === 'USER'
    const facts = { id: id ?? message_id, client_message_id, pending, failed, retryAfter, isAgent }
    for (const [name, value] of Object.entries(facts)) {
      if (value) item.setAttribute(`data-${name.toLowerCase().replaceAll('_', '-')}`, String(value))
    }
    return item
  })
  element('messages').replaceChildren(...items)
}

function showTyping({ sender_name }: any) {
  element('typing').textContent = `${sender_name ?? 'Agent'} is typing`
  element('typing').hidden = false
}

function hideTyping(_: any) {
  element('typing').hidden = true
}

function setAgent(agent: any) {
  element('agent').textContent = agent.name
}

function onClosed(_: any) {
  element<HTMLTextAreaElement>('composer').disabled = true
}

function element<Type extends HTMLElement>(id: string): Type {
  return document.getElementById(id) as Type
}

window.guide = { send, state }
