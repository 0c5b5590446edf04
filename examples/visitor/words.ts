/** What an error means to the person in front of the page, and what to do about it. */
import { ApiError } from './api'

export interface Problem {
  readonly title: string
  readonly text: string
  readonly action: 'reload' | 'start-over' | null
}

const PROBLEMS: Record<string, Problem> = {
  ORIGIN_NOT_ALLOWED: {
    title: 'This address may not chat',
    text: 'Add {origin} to the allowed origins of the site, then reload.',
    action: 'reload',
  },
  WEBCHAT_NOT_ENABLED: {
    title: 'Chat is switched off',
    text: 'Switch it on for this organization under rollout, then reload.',
    action: 'reload',
  },
  VISITOR_ID_TAKEN: {
    title: 'This visitor belongs to another organization',
    text: 'Start over as another visitor to chat here.',
    action: 'start-over',
  },
  INVALID_ARGUMENT: {
    title: 'The widget key is not valid',
    text: 'It is wk_ and 32 hexadecimal digits. Copy it from the site’s settings.',
    action: null,
  },
  NOT_FOUND: {
    title: 'No site has this widget key',
    text: 'Copy the key from the site’s settings.',
    action: null,
  },
  WIDGET_NOT_FOUND: {
    title: 'This site is gone',
    text: 'Use the widget key of a site that exists.',
    action: null,
  },
}

/** An agent has ended the visitor's sessions. */
export const REVOKED: Problem = {
  title: 'This chat was ended by an agent',
  text: 'Reload to begin again.',
  action: 'reload',
}

/** Why there is no chat. */
export function explain(error: unknown): Problem {
  const known = error instanceof ApiError ? PROBLEMS[error.code] : undefined
  if (known) return { ...known, text: known.text.replace('{origin}', location.origin) }
  const text = error instanceof Error ? error.message : String(error)
  return { title: 'The chat cannot open', text, action: 'reload' }
}

/**
 * Why there is no connection. A browser tells a page nothing about an answer that the page may not
 * read, so a refused origin looks like a server that is down.
 */
export function explainSilence(hadConnection: boolean): string {
  return hadConnection
    ? 'No connection. Messages wait here and go out by themselves.'
    : `The server does not answer. If it is up, add ${location.origin} to the site’s allowed origins.`
}

const SEND_FAILURES: Record<string, string> = {
  EMPTY_CONTENT: 'There is no text in it.',
  CONTENT_TOO_LONG: 'It is longer than 10,000 characters.',
  ENGAGEMENT_FORBIDDEN: 'The chat had moved on.',
  CONVERSATION_SUPERSEDED: 'Another chat is open already.',
  ORIGIN_NOT_ALLOWED: 'This address may not chat.',
  WEBCHAT_NOT_ENABLED: 'Chat is switched off.',
}

/** Why a message was not sent. */
export function explainFailure(code: string | null): string {
  return SEND_FAILURES[code ?? ''] ?? 'The server refused it.'
}

/** Why a message waits. */
export function explainWait(code: string | null): string {
  if (code === 'RATE_LIMITED') return 'Many messages at once. This one waits a moment'
  return code ? 'Waits for the connection' : 'Waiting'
}
