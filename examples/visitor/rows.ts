/** The log as it is shown: which times, names and states stand between and below the messages. */
import type { Outgoing } from './outbox'
import type { Message, State } from './store'
import { explainFailure, explainWait } from './words'

export interface TimeRow {
  readonly kind: 'time'
  readonly key: string
  readonly at: string
}

export interface MessageRow {
  readonly kind: 'message'
  /** Stays the same while a message goes from written to stored. */
  readonly key: string
  readonly side: 'own' | 'their' | 'system'
  readonly author: string
  readonly isBot: boolean
  readonly isFirst: boolean
  readonly isLast: boolean
  readonly content: string
  readonly at: string
  readonly status: Status | null
}

export type Status =
  | { readonly kind: 'sending' | 'sent' | 'read' | 'waiting'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string; readonly clientMessageId: string }

export type Row = TimeRow | MessageRow

const NEW_TIME_AFTER_MS = 60 * 60_000

export function toRows(state: State): Row[] {
  const stored = new Set(state.messages.map((m) => m.clientMessageId))
  const pending = state.outgoing.filter((m) => !stored.has(m.client_message_id))
  const bare = [...state.messages.map(fromMessage), ...pending.map(fromOutgoing)]
  const lastOwn = state.messages.findLast((m) => m.sender === 'CONTACT')

  return bare.flatMap((row, index) => {
    const before = bare[index - 1]
    const after = bare[index + 1]
    const isFirst = !before || !continues(before, row)
    const isLast = !after || !continues(row, after)
    const status =
      row.status ?? (lastOwn && row.key === keyOf(lastOwn) ? tick(state, lastOwn) : null)
    const message: MessageRow = { ...row, isFirst, isLast, status }
    const isLater = !before || gapMs(before, row) > NEW_TIME_AFTER_MS
    return isLater ? [{ kind: 'time', key: `time-${row.key}`, at: row.at }, message] : [message]
  })
}

function fromMessage(message: Message): MessageRow {
  return {
    kind: 'message',
    key: keyOf(message),
    side: SIDES[message.sender],
    author: authorOf(message),
    isBot: message.sender === 'BOT',
    isFirst: true,
    isLast: true,
    content: message.content,
    at: message.createdAt,
    status: null,
  }
}

function fromOutgoing(message: Outgoing): MessageRow {
  return {
    kind: 'message',
    key: message.client_message_id,
    side: 'own',
    author: 'You',
    isBot: false,
    isFirst: true,
    isLast: true,
    content: message.content,
    at: message.created_at,
    status: statusOf(message),
  }
}

const SIDES = { CONTACT: 'own', USER: 'their', BOT: 'their', SYSTEM: 'system' } as const

function keyOf(message: Message): string {
  const isOwn = message.sender === 'CONTACT'
  return isOwn && message.clientMessageId ? message.clientMessageId : `id-${message.id}`
}

/** Empty where nobody speaks. */
function authorOf({ sender, senderName }: Message): string {
  if (sender === 'CONTACT') return 'You'
  if (sender === 'SYSTEM') return ''
  if (sender === 'BOT') return `${senderName ?? 'Assistant'}, automated`
  return senderName ?? 'Agent'
}

function statusOf(message: Outgoing): Status {
  switch (message.state) {
    case 'sending':
      return { kind: 'sending', text: 'Sending' }
    case 'waiting':
      return { kind: 'waiting', text: explainWait(message.reason) }
    case 'failed':
      return {
        kind: 'failed',
        text: `Not sent. ${explainFailure(message.reason)}`,
        clientMessageId: message.client_message_id,
      }
  }
}

function tick(state: State, message: Message): Status {
  return message.id <= state.readUpTo
    ? { kind: 'read', text: 'Read' }
    : { kind: 'sent', text: 'Sent' }
}

function continues(before: MessageRow, row: MessageRow): boolean {
  const isSamePerson = before.side === row.side && before.author === row.author
  return isSamePerson && gapMs(before, row) < NEW_TIME_AFTER_MS
}

function gapMs(before: MessageRow, row: MessageRow): number {
  return Date.parse(row.at) - Date.parse(before.at)
}
